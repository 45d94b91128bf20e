// Answers of lessons in words, and a number that somebody wrote.

import { plain, scaleTitle } from "./format.js";
import { fixed, t } from "./language.js";
import { modelOf } from "./state.js";

/** @import { Ask, Key } from "./types.d.ts" */

export const optionWords = (/** @type {Ask} */ { kind }, /** @type {string} */ name) => {
  if (kind === "choose-scale") return scaleTitle(name);
  if (kind === "choose-model") return modelOf(name).title;
  return kind === "choose" ? t(name) : name;
};

const withUnit = (/** @type {number} */ value, unit = "") => {
  const rounded = Math.round(100 * value) / 100 || 0;   // never a negative nothing
  return [plain(rounded, Number.isInteger(value) ? 0 : 2), t(unit)].filter(Boolean).join(" ");
};

/** A key as it stands in the model answer. */
export const keyWords = (/** @type {Ask} */ ask, /** @type {Key} */ key) => {
  if (key.names) return key.names.map((name) => optionWords(ask, name)).join(t(" or "));
  if (!key.places) return withUnit(key.value ?? NaN, ask.unit);
  return key.places.map(([from, to]) => t("{from} to {to} s", { from: fixed(from, 1), to: fixed(to, 1) })).join(", ");
};
export const givenWords = (/** @type {Ask} */ ask, /** @type {string | number} */ given) => {
  if (ask.kind === "number") return withUnit(Number(given), ask.unit);
  return ask.kind === "choose-seconds" ? `${fixed(Number(given), 1)} s` : optionWords(ask, String(given));
};

/** A number as people write it: with a point or a comma, with or without its unit. */
export const numberOf = (/** @type {string} */ text) => {
  const written = text.trim().replace(/[−–]/, "-").replace(",", ".").replace(/\s*[^\d.]*$/, "");
  return written === "" ? NaN : Number(written);
};
