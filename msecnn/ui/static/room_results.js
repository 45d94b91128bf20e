// What a room answered, beside what the networks say: one row a choice, or a part of the range of numbers.

import { h } from "./dom.js";
import { percent, plain, scaleTitle, signed } from "./format.js";
import { fixed, plural, t } from "./language.js";
import { state } from "./state.js";

/** @import { RoomNetwork, RoomQuestion } from "./types.d.ts" */

export const isNumber = (/** @type {RoomQuestion} */ { kind }) => kind === "number" || kind === "seconds";

/** A number of a question with its unit. */
export const withUnit = (/** @type {RoomQuestion} */ { kind, unit, high, low }, /** @type {number} */ value) => {
  const digits = high - low > 50 ? 0 : 1, word = kind === "seconds" ? "s" : unit;
  return plain(value, digits) + (word ? ` ${word}` : "");
};
/** A choice as a phone shows it: a scale has a title, a lesson's words their translation. */
export const choiceWords = (/** @type {RoomQuestion} */ { kind, choices }, /** @type {number} */ i) =>
  ({ scales: scaleTitle, tags: (/** @type {string} */ tag) => tag }[kind] ?? t)(choices[i]);

const rowTitle = (/** @type {RoomQuestion} */ question, i, n) => {
  if (!isNumber(question)) return choiceWords(question, i);
  const { low, high } = question, at = (/** @type {number} */ part) => low + (part / n) * (high - low);
  const digits = high - low > 50 ? 0 : 1;
  return t("{low} to {high}", { low: plain(at(i), digits), high: withUnit(question, at(i + 1)) });
};
const FORMATS = { probability: percent, share: percent, term: (/** @type {number} */ value) => signed(value) };

const bar = (/** @type {number} */ part, /** @type {string} */ colour, words) =>
  h("td", {}, h("i", { class: colour, "aria-hidden": "true", style: { "--p": Math.min(1, part) } }),
    h("span", {}, words));
/** The colour of a model where this page has it, too, else by the place in the table. */
const colourOf = (/** @type {RoomNetwork} */ { title }, /** @type {number} */ place) => {
  const known = state.models.findIndex((model) => `${title} `.startsWith(`${model.title} `));
  return `model-${known < 0 ? place : known}`;
};
/** A bar as long as the value is beside the largest; one of place stands where the network's number is. */
const networkCell = (/** @type {RoomNetwork} */ { values, unit }, /** @type {number} */ i, colour) => {
  const most = unit === "probability" ? 1 : Math.max(1e-9, ...values.map(Math.abs));
  const words = unit === "place" ? (values[i] ? t("here") : "") : FORMATS[unit](values[i]);
  return bar(Math.abs(values[i]) / most, values[i] < 0 ? "down" : colour, words);
};
const UNIT_WORDS = {
  probability: t("Networks: how probable each tag is to them."),
  term: t("Networks: what each scale adds to the logit, exactly, beside the average clip."),
  share: t("Networks: the parts of what speaks for the tag, of winning cells that see three seconds or less."),
  place: t("Networks: where their own number lies."),
};

/** The table; `right` is marked, and why it is right stands below. */
export const resultsTable = (/** @type {RoomQuestion} */ question) => {
  const { counts = [], n = 0, networks = [], right = null, because, median = null } = question;
  const row = (/** @type {number} */ count, /** @type {number} */ i) => h("tr", { class: i === right && "right" },
    h("th", { scope: "row" }, rowTitle(question, i, counts.length),
      i === right && h("b", {}, " ✓ ", t("right"))),
    bar(n ? count / n : 0, "room", n ? `${count} · ${fixed((100 * count) / n, 0)} %` : "0"),
    networks.map((network, which) => networkCell(network, i, colourOf(network, which))));
  const heads = [isNumber(question) ? t("Number") : t("Choice"), t("Room"), ...networks.map(({ title }) => title)];
  return h("div", { class: "mse-room-results" },
    h("table", {}, h("caption", {}, plural(n, "{n} answer", "{n} answers"),
      median !== null && ` · ${t("middle: {value}", { value: withUnit(question, median) })}`),
    h("thead", {}, h("tr", {}, heads.map((head) => h("th", { scope: "col" }, head)))), h("tbody", {}, counts.map(row))),
    because && h("p", {}, t(because)),
    networks.length > 0 && h("p", { class: "mse-facts" }, UNIT_WORDS[networks[0].unit]));
};
