// The answer in a sentence, before any difference: what the networks say of the whole recording.

import { h } from "./dom.js";
import { familyRows } from "./families.js";
import { percent } from "./format.js";
import { TOLD } from "./guess_compare.js";
import { t } from "./language.js";
import { state } from "./state.js";

/** @import { Model } from "./types.d.ts" */

//: At most so many tags are told.
const MOST = 3;

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
  if (first.some((row) => row !== first[0])) return split(first, told);
  if (!told.includes(first[0])) {
    return withStrong(t("No tag is likely: {tag} ({numbers}) comes first.", { numbers: numbers(first[0]) }), first);
  }
  const rest = told.filter((row) => row !== first[0]).map(({ name }) => name).join(", ");
  const hears = { rest, model: models[0].title };
  if (models.length > 1) {
    return withStrong(rest ? t("Both hear {tag}, then {rest}.", hears) : t("Both hear {tag}."), first);
  }
  return withStrong(rest ? t("{model} hears {tag}, then {rest}.", hears) : t("{model} hears {tag}.", hears), first);
};

/** A sentence with a tag in it, which is printed strong. */
const withStrong = (/** @type {string} */ sentence, /** @type {{name: string}[]} */ [{ name }]) => {
  const [before, after] = sentence.split("{tag}");
  return [before, h("strong", {}, name), after];
};

/** Where the models put another tag first each. */
const split = (/** @type {{name: string}[]} */ first, told) => {
  const parts = state.models.map(({ title: model }, i) =>
    withStrong(i > 0 ? t("; {model} {tag}", { model }) : t("{model} hears first {tag}", { model }), [first[i]]));
  const both = told.map(({ name }) => name).join(", ");
  return [...parts, ".", both && ` ${t("Both hear {tags}.", { tags: both })}`];
};
