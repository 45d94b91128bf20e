// What terms mean, in a sentence each, wherever they are written: shown by the pointer, a tap or the keyboard.

import { h } from "./dom.js";
import { t } from "./language.js";

const MEANINGS = {
  [t("logit")]: t("A tag's score before it becomes a probability: 0 is 50 %, each step upwards makes it likelier."),
  [t("scale")]: t("How closely a level looks: Input sees single cells of the spectrogram, Level 5 the whole clip."),
  [t("average clip")]: t("What the network computes of all the clips that it learned from, on average: where every sum "
    + "begins."),
  [t("baseline")]: t("What a cell is compared with: its value if nothing particular were there."),
  [t("winning cell")]: t("The one cell of a map whose value is a feature, because it is the largest: pooling keeps no "
    + "other."),
  [t("winning cells")]: t("The cells of a map whose values are features, because each is its channel's largest."),
};
const escape = (/** @type {string} */ text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
const names = Object.keys(MEANINGS).sort((a, b) => b.length - a.length);
const TERMS = new RegExp(`(?<![\\p{L}])(${names.map(escape).join("|")})(?![\\p{L}])`, "iu");

const meaningOf = (/** @type {string} */ word) =>
  MEANINGS[names.find((name) => name.toLowerCase() === word.toLowerCase()) ?? ""];

/** A text in which the first term can be asked what it means. @returns {(string | HTMLElement)[]} */
export const withTerms = (/** @type {string} */ text) => {
  const [before, word] = text.split(TERMS, 2);
  if (word === undefined) return [text];
  return [before, h("span", { class: "mse-term", tabindex: 0, "data-hint": meaningOf(word) }, word),
    text.slice(before.length + word.length)];
};
