// Words for numbers.

export const clock = (/** @type {number} */ seconds, digits = 1) => {
  const whole = Math.max(0, seconds), minutes = Math.floor(whole / 60);
  return `${minutes}:${(whole - 60 * minutes).toFixed(digits).padStart(digits ? 3 + digits : 2, "0")}`;
};
export const percent = (/** @type {number} */ p) =>
  (p >= 0.9995 ? "100" : p >= 0.0995 ? (100 * p).toFixed(0) : (100 * p).toFixed(1)) + " %";
export const signed = (/** @type {number} */ value, digits = 2) =>
  (value < 0 ? "−" : "+") + Math.abs(value).toFixed(digits);
export const plain = (/** @type {number} */ value, digits = 2) => value.toFixed(digits).replace("-", "−");
export const hertz = (/** @type {number} */ f) =>
  (f >= 1000 ? `${(f / 1000).toFixed(f >= 9950 ? 0 : 1)} kHz` : `${Math.round(f)} Hz`);
export const plural = (/** @type {number} */ n, /** @type {string} */ one, many = `${one}s`) =>
  `${n} ${n === 1 ? one : many}`;
export const scaleTitle = (/** @type {string} */ scale) =>
  (scale === "input" ? "Input" : scale.replace("level", "Level "));
export const sigmoid = (/** @type {number} */ x) => 1 / (1 + Math.exp(-x));
