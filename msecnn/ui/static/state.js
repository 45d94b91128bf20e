// What the page knows, as plain values. `set` changes them and redraws the views that app.js lists for them.

/** @import { Model, State } from "./types.d.ts" */

export const { offered } = window.msecnn;

/** @type {State} */
export const state = {
  recording: null, mel: /** @type {any} */ (null), windows: [], window: 0, picture: null, overview: null, families: {},
  models: [], model: null, tag: null, tab: "tags", second: null, lesson: null, own: null,
  covered: false, guess: null,
};

/** @type {{keys: string[], view: (state: State) => void}[]} */
const routes = [];

/**
 * Calls `view` after a change of any of these keys, once however many of them change together.
 * @param {string} keys
 * @param {(state: State) => void} view
 */
export const on = (keys, view) => routes.push({ keys: keys.split(" "), view });

/** @param {Partial<State>} patch */
export const set = (patch) => {
  const changed = Object.keys(patch).filter((key) => state[key] !== patch[key]);
  Object.assign(state, patch);
  routes.filter(({ keys }) => keys.some((key) => changed.includes(key))).forEach(({ view }) => view(state));
};

/** @param {string | null} [name] */
export const modelOf = (name = state.model) => state.models.find((model) => model.name === name) ?? state.models[0];

/** @param {Model} model */
export const likeliestTag = (model) => model.tags[model.probabilities.indexOf(Math.max(...model.probabilities))];

/** The last window that begins by then; a hundredth of a second is what rounding may have taken. */
export const windowAt = (/** @type {[number, number][]} */ windows, /** @type {number} */ seconds) =>
  Math.max(0, windows.findLastIndex(([start]) => start <= seconds + 0.01));

/** A model may have windows of another length than the player shows: the one in which that begins. */
export const windowOf = (/** @type {Model} */ model) =>
  windowAt(model.windows, state.windows[state.window]?.[0] ?? 0);

/** Gradio mounts its parts in no order that is promised: resolves when what is needed is there. */
export const when = async (/** @type {() => unknown} */ there) => {
  while (!there()) await new Promise((resolve) => setTimeout(resolve, 30));
};
