// Inputs for the parameters of an edit; which there are, and their limits, the server says.

import { h } from "./dom.js";
import { t } from "./language.js";
import { WORDS } from "./what_if_words.js";

/** @import { EditKind, Parameter } from "./types.d.ts" */

//: Steps of a number's arrows: a hundredth of its value, of one digit.
const stepOf = (/** @type {Parameter} */ { whole, value }) => {
  if (whole) return 1;
  const size = Math.abs(Number(value)) || 1;
  return 10 ** Math.floor(Math.log10(size) - 1);
};
const limits = (/** @type {Parameter} */ { low = 0, high = null, unit = "" }) => WORDS.limits(low, high, unit).trim();

/**
 * The values of an edit's text, in the order of its parameters; of a box its four sides.
 * @returns {(string | number)[]}
 */
export const valuesOf = (/** @type {EditKind} */ kind, /** @type {string} */ text) => {
  const given = text.split(kind.box ? /[:,]/ : ",").filter((word) => word !== "");
  return kind.parameters.map(({ value, choices, high }, i) => {
    if (given[i] === undefined) return value ?? (i % 2 ? high ?? 0 : 0);
    return choices ? given[i] : Number(given[i]);
  });
};
/** An edit as text; what is as usual is left to the server to leave out. */
export const textOf = (/** @type {EditKind} */ kind, /** @type {(string | number)[]} */ values) => {
  if (kind.box) return `${kind.name}=${values[0]}:${values[1]},${values[2]}:${values[3]}`;
  return values.length ? `${kind.name}=${values.join(",")}` : kind.name;
};

/**
 * One input for each parameter; `changed` gets all values when one of them is changed to what it can be.
 * @param {EditKind} kind
 * @param {(string | number)[]} values
 * @param {(values: (string | number)[]) => void} changed
 */
export const parameterInputs = (kind, values, changed) => {
  const current = [...values];
  const take = (/** @type {number} */ i, /** @type {string | number} */ value) => {
    current[i] = value;
    changed([...current]);
  };
  return kind.parameters.map((parameter, i) => input(kind, parameter, values[i], (value) => take(i, value)));
};

/**
 * @param {EditKind} kind
 * @param {Parameter} parameter
 * @param {string | number} value
 * @param {(value: string | number) => void} take
 */
const input = (kind, parameter, value, take) => {
  const { unit = "", choices, low, high, whole } = parameter, title = t(parameter.title);
  const label = WORDS.field(t(kind.title), unit ? `${title}, ${unit}` : title);
  if (choices) {
    const options = choices.map((name) => h("option", { value: name, selected: name === value }, name));
    const select = h("select", { "aria-label": label, onchange: () => take(select.value) }, options);
    return h("label", {}, title, select);
  }
  const number = h("input", { type: "number", "aria-label": label, min: low, max: high, step: "any", value,
    title: limits(parameter), inputmode: "decimal", "data-step": stepOf(parameter) });
  number.addEventListener("change", () => {
    const typed = number.valueAsNumber, fits = number.checkValidity() && Number.isFinite(typed);
    number.setCustomValidity(fits && !(whole && typed % 1) ? "" : WORDS.noNumber(title, limits(parameter)));
    if (number.reportValidity()) take(typed);
    number.setCustomValidity("");
  });
  number.addEventListener("keydown", (event) => {
    const up = { ArrowUp: 1, ArrowDown: -1 }[event.key];
    if (!up) return;
    event.preventDefault();   // the step of "any" is 1, too coarse for a tempo
    const next = number.valueAsNumber + up * stepOf({ ...parameter, value: number.valueAsNumber });
    number.value = String(Number(Math.min(high ?? Infinity, Math.max(low ?? -Infinity, next)).toPrecision(6)));
    number.dispatchEvent(new Event("change"));
  });
  return h("label", {}, unit ? `${title}, ${unit}` : title, number);
};
