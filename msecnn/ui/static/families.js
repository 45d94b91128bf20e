// Families of tags that mean the same, as one row each.

import { state } from "./state.js";

/** @import { Model } from "./types.d.ts" */

/**
 * Synonyms are one statement said several ways: a family has the probability of its likeliest word.
 * @param {string} name
 * @param {string[]} members
 * @param {(model: Model, tag: string) => number} valueOf
 */
export const familyRow = (name, members, valueOf) => {
  const likeliest = (model) => members.reduce((a, b) => (valueOf(model, b) > valueOf(model, a) ? b : a));
  const best = state.models.map(likeliest);
  return { name, members, best, values: state.models.map((model, i) => valueOf(model, best[i])) };
};

/** All families of the first model's tags. */
export const familyRows = (/** @type {(model: Model, tag: string) => number} */ valueOf) =>
  Object.entries(state.families).map(([name, members]) => familyRow(name, members, valueOf));
