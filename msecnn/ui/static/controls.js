// Gradio's own controls, laid out by Python: what a visitor chooses comes here, and what they offer is said here.

import { t } from "./language.js";
import { modelOf, set, state } from "./state.js";

/**
 * `choices` are pairs of title and name; `selected` is a tab's.
 * @typedef {{choices?: [string, string][], value?: any, visible?: boolean, selected?: string}} Offer
 */

/** @type {Map<string, (value: any) => void>} */
const listeners = new Map();
/** @type {Map<string, Offer>} What each control shows, as far as it was told or has told. */
const shown = new Map();
/** @type {Map<string, Offer>} What controls have yet to be told. */
const waiting = new Map();
/** @type {{names: string[], send: () => void} | null} */
let gradio = null;
let scheduled = false;

/**
 * @param {string} name
 * @param {(value: any) => void} listener
 */
export const onChoice = (name, listener) => listeners.set(name, listener);

/** Called by Gradio when a visitor uses a control. */
export const chosen = (/** @type {string} */ name, /** @type {any} */ value, key = "value") => {
  if (value !== undefined) shown.set(name, { ...shown.get(name), [key]: value });
  listeners.get(name)?.(value);
};

const isNews = (/** @type {string} */ name, /** @type {Offer} */ offered) => {
  const before = shown.get(name) ?? {};
  return Object.entries(offered).some(([key, value]) => JSON.stringify(value) !== JSON.stringify(before[key]));
};
/** Changes what a control shows; several changes in one turn go out together. */
export const offer = (/** @type {string} */ name, /** @type {Offer} */ offered) => {
  if (!isNews(name, offered)) return;
  shown.set(name, { ...shown.get(name), ...offered });
  waiting.set(name, { ...waiting.get(name), ...offered });
  schedule();
};
const schedule = () => {
  if (scheduled || !gradio) return;
  scheduled = true;
  queueMicrotask(gradio.send);
};

/** Called when Gradio has mounted the component that carries the changes. */
export const connectControls = (/** @type {string[]} */ names, /** @type {() => void} */ send) => {
  gradio = { names, send };
  if (waiting.size) schedule();
};
/** Gradio's updates, one a control in the order of their names; it leaves those alone that have none. */
export const takeOffers = () => {
  scheduled = false;
  const updates = (gradio?.names ?? []).map((name) => waiting.get(name))
    .map((offered) => offered && { ...offered, __type__: "update" });
  waiting.clear();
  return updates;
};

// ---- what several views offer
/** The shown models, of which one is asked about. */
export const offerModels = (/** @type {string} */ name, /** @type {boolean} */ visible = true) =>
  offer(name, { choices: state.models.map((model) => [model.title, model.name]), value: modelOf().name, visible });
export const onModel = (/** @type {string} */ name) => onChoice(name, (model) => set({ model }));

/** The button below a list that begins with its first few rows. */
export const offerAll = (/** @type {string} */ name, /** @type {boolean} */ all, length, few, visible = true) =>
  offer(name, { value: all ? t("Show the first {n}", { n: few }) : t("Show all {n}", { n: length }), visible });
