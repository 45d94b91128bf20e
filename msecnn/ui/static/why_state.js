// What "Why this tag" asks about, how it is shown, and the answers to it.

import { modelOf, offered, state } from "./state.js";

/** @import { Curve, Explanation, Maps, Source } from "./types.d.ts" */

export const FIRST = offered.explanation.first;

/** What a visitor has chosen. */
export const view = { ...FIRST, marks: true, shared: false, sound: "original" };

export const why = {
  /** @type {Explanation | null} The exact part. */
  answer: null,
  /** @type {Maps | null} */
  maps: null,
  /** @type {Curve[] | null} Of the check of the maps as they are shown. */
  curves: null,
  /** The key of what is shown, and of what could not be answered. */
  shown: "", failed: "",
  /** Whether the maps as they are shown were checked. */
  checked: false,
  /** @type {Map<string, Source>} Sounds that were rendered for this explanation. */
  sounds: new Map(),
};

export const question = () => ({ model: state.model, tag: state.tag, window: state.window });
/** Changes when another recording, model, tag or window is asked about. */
export const whyKey = () => JSON.stringify([state.recording?.url, question()]);

/** For what is saved of the page: the zip and the worksheet. */
export const settings = () => ({ method: methodOf(view.method).name, baseline: view.baseline, checked: why.checked });

/** Those that show something of the model that is asked about, its own first choice first. */
export const methodsOf = () => {
  const { methods } = offered.explanation, own = state.recording ? modelOf().methods : [];
  return own.length ? own.flatMap((name) => methods.filter((method) => method.name === name)) : methods;
};
export const methodOf = (/** @type {string} */ name) =>
  methodsOf().find((method) => method.name === name) ?? methodsOf()[0];
