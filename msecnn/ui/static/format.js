// Words for numbers.

import { fixed, t } from "./language.js";

export const clock = (/** @type {number} */ seconds, digits = 1) => {
  const whole = Math.max(0, seconds), minutes = Math.floor(whole / 60);
  return `${minutes}:${fixed(whole - 60 * minutes, digits).padStart(digits ? 3 + digits : 2, "0")}`;
};
export const percent = (/** @type {number} */ p) =>
  (p >= 0.9995 ? "100" : p >= 0.0995 ? fixed(100 * p, 0) : fixed(100 * p, 1)) + " %";
export const signed = (/** @type {number} */ value, digits = 2) =>
  (value < 0 ? "−" : "+") + fixed(Math.abs(value), digits);
export const plain = (/** @type {number} */ value, digits = 2) => fixed(value, digits).replace("-", "−");
export const hertz = (/** @type {number} */ f) =>
  (f >= 1000 ? `${fixed(f / 1000, f >= 9950 ? 0 : 1)} kHz` : `${Math.round(f)} Hz`);
export const scaleTitle = (/** @type {string} */ scale) =>
  (scale === "input" ? t("Input") : t("Level {n}", { n: scale.replace("level", "") }));
export const sigmoid = (/** @type {number} */ x) => 1 / (1 + Math.exp(-x));
