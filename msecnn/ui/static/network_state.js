// What "Take it apart" asks about, which connections are switched on, and the arithmetic on the answer.

import { likeliestTag, modelOf, offered, state } from "./state.js";

/** @import { Network } from "./types.d.ts" */

export const view = {
  random: false, all: false, method: offered.explanation.methods.find((method) => method.quick)?.name ?? "",
  /** @type {string | null} The level whose channels are open, and the channel. */
  level: null,
  /** @type {number | null} */
  channel: null,
};

export const network = {
  /** @type {Network | null} */
  answer: null,
  /** @type {number | null} Rank correlation of the two maps that are shown, of trained and of random weights. */
  sanity: null,
  /** @type {boolean[]} Whether each scale reaches the classifier. */
  kept: [],
  /** The key of what is shown, and of what could not be answered. */
  shown: "", failed: "",
};

export const tag = () => state.tag ?? likeliestTag(modelOf());
export const question = () => ({ model: modelOf().name, tag: tag(), window: state.window, random: view.random });
/** Changes when another network, recording or window is taken apart; one answer holds all tags. */
export const networkKey = () =>
  JSON.stringify([state.recording?.url, state.recording?.name, { ...question(), tag: null }]);

/** Beside the network as switched stands the other model; beside random weights, the same network trained. */
export const rival = () => (view.random ? modelOf() : state.models.find(({ name }) => name !== modelOf().name));

/** One forward pass left everything: the logit is a base value plus a term for each scale that is kept. */
export const logit = (/** @type {Network} */ { relative, base }, /** @type {number} */ k, kept = network.kept) =>
  relative.reduce((sum, terms, s) => sum + (kept[s] ? terms[k] : 0), base[k]);

/** For what is saved of the page: the worksheet. */
export const settings = () =>
  ({ random: view.random, off: network.answer?.scales.filter((_, s) => !network.kept[s]) ?? [] });
