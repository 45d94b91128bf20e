// What the edits changed: bars that move, each with a mark where it was, and every logit's change by scale.

import { h } from "./dom.js";
import { scaleTitle, signed } from "./format.js";
import { WORDS } from "./what_if_words.js";

/** @import { EditedModel } from "./types.d.ts" */

/** @type {Map<string, number>} Where each bar stood when it was last drawn; from there it moves. */
const stood = new Map();

const bar = (/** @type {string} */ name, { before, after }) => {
  const fill = h("i", { style: { "--p": stood.get(name) ?? before } });
  stood.set(name, after);
  requestAnimationFrame(() => requestAnimationFrame(() => fill.style.setProperty("--p", String(after))));
  return h("span", { class: "mse-what-if-bar" }, fill, h("b", { style: { "--p": before } }));
};
/** A step of the logit, shaded by its share of the table's largest. */
const term = (/** @type {number} */ value, /** @type {number} */ largest) =>
  h("td", { class: value < 0 ? "down" : "up", style: { "--share": Math.abs(value) / largest } }, signed(value));

const table = (/** @type {EditedModel} */ { name, title, scales, tags }) => {
  const split = scales.length > 1, { columns } = WORDS;
  const largest = Math.max(1e-9, ...tags.flatMap(({ terms }) => terms.map(Math.abs)));
  const heads = [columns.tag, "", columns.probability, ...(split ? scales.map(scaleTitle) : []), columns.logit];
  const row = (/** @type {EditedModel["tags"][0]} */ answer) => h("tr", {},
    h("th", { scope: "row" }, answer.tag), h("td", {}, bar(`${name} ${answer.tag}`, answer)),
    h("td", {}, WORDS.change(answer.before, answer.after)),
    split && answer.terms.map((value) => term(value, largest)), h("td", {}, signed(answer.change)));
  return h("table", { class: "mse-what-if-table" }, h("caption", {}, title),
    h("thead", {}, h("tr", {}, heads.map((words) => h("th", { scope: "col" }, words)))),
    h("tbody", {}, tags.map(row)));
};

export const changes = (/** @type {EditedModel[]} */ models) => [models.map(table),
  models.every(({ tags }) => tags.every(({ change }) => Math.abs(change) < 1e-6)) && h("p", {}, WORDS.nothing),
  h("p", { class: "mse-facts" }, WORDS.exact)];
