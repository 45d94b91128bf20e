// An edit in words, as a visitor reads it.

import { argumentsOf, kindOf } from "./edit_chain.js";
import { valuesOf } from "./edit_form.js";
import { t } from "./language.js";
import { WORDS } from "./what_if_words.js";

/** @import { Field } from "./types.d.ts" */

/** The boxes of an edit that has some. @returns {Field[]} */
export const boxesOf = (/** @type {string} */ edit) => argumentsOf(edit).split("+").map((text) => {
  const [start_s, end_s, low_hz, high_hz] = valuesOf(kindOf(edit), text).map(Number);
  return { start_s, end_s, low_hz, high_hz };
});
export const wordsOf = (/** @type {string} */ edit) => {
  const kind = kindOf(edit);
  if (kind.box) {
    const boxes = boxesOf(edit), place = boxes.length === 1 ? WORDS.place(boxes[0]) : WORDS.boxes(boxes.length);
    return `${WORDS[kind.name]}: ${place}`;
  }
  const values = valuesOf(kind, argumentsOf(edit));
  return [t(kind.title), ...kind.parameters.slice(0, 1).map(({ unit }, i) => `${values[i]} ${unit}`)].join(" ");
};
