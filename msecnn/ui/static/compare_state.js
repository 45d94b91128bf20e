// Two recordings side by side: A is the one that is open, B the second.

import { state, modelOf, likeliestTag, windowAt, windowOf } from "./state.js";

/** @import { Model, Split } from "./types.d.ts" */

export const compare = {
  /** Window of the second recording. */
  window: 0,
  /** @type {[Split, Split] | null} The exact splits of A and B. */
  splits: null,
  /** The key of what is shown. */
  shown: "",
};

/** The shown model with what it said of the second recording, if it was asked. @returns {Model | undefined} */
export const sameModel = () => state.second?.models.find(({ name }) => name === modelOf().name);
export const tag = () => state.tag ?? likeliestTag(modelOf());
export const compareKey = () =>
  JSON.stringify([state.recording?.url, state.second?.url, modelOf().name, state.window, compare.window]);

/** All tags with the probabilities of A and of B in the windows that are shown. */
export const rows = () => {
  const model = modelOf(), same = sameModel();
  if (!same || !state.second) return [];
  const a = model.timeline[windowOf(model)], start = state.second.windows[compare.window][0];
  const b = same.timeline[windowAt(same.windows, start)];
  return model.tags.map((name, k) => ({ name, values: [a[k], b[k]] }));
};
