// The answer in a sentence, before any difference: what the networks say of the whole recording.

import { h } from "./dom.js";
import { familyRows } from "./families.js";
import { percent } from "./format.js";
import { state } from "./state.js";

/** @import { Model } from "./types.d.ts" */

//: A tag that is less likely is not told; at most so many are.
const TOLD = 0.1, MOST = 3;

const probability = (/** @type {Model} */ model, /** @type {string} */ tag) =>
  model.probabilities[model.tags.indexOf(tag)];
const strongest = (/** @type {{name: string, values: number[]}[]} */ rows, which) =>
  rows.reduce((a, b) => (b.values[which] > a.values[which] ? b : a));

/** What all models call likely, the likeliest first. */
const agreed = (/** @type {{name: string, values: number[]}[]} */ rows) =>
  rows.filter(({ values }) => Math.min(...values) >= TOLD)
    .sort((a, b) => b.values.reduce((x, y) => x + y) - a.values.reduce((x, y) => x + y)).slice(0, MOST);

/** @returns {import("./dom.js").Child[]} */
export const answer = () => {
  const { models } = state;
  if (models.some((model) => model.untrained)) return [];
  const rows = familyRows(probability), first = models.map((_, which) => strongest(rows, which)), told = agreed(rows);
  const numbers = ({ values }) => models.map(({ title }, i) => `${title} ${percent(values[i])}`).join(", ");
  const who = models.length > 1 ? "Both hear " : `${models[0].title} hears `;
  if (first.some((row) => row !== first[0])) return split(first, told);
  if (!told.includes(first[0])) {
    return ["No tag is likely: ", h("strong", {}, first[0].name), ` (${numbers(first[0])}) comes first.`];
  }
  const rest = told.filter((row) => row !== first[0]).map(({ name }) => name).join(", ");
  return [who, h("strong", {}, first[0].name), rest && `, then ${rest}`, "."];
};

/** Where the models put another tag first each. */
const split = (/** @type {{name: string}[]} */ first, told) => {
  const parts = state.models.map(({ title }, i) =>
    [i > 0 && "; ", title, i > 0 ? " " : " hears first ", h("strong", {}, first[i].name)]);
  return [...parts, told.length > 0 && `. Both hear ${told.map(({ name }) => name).join(", ")}`, "."];
};
