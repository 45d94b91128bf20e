// What a step of a lesson offers besides its question: a hint, and a question that the page itself can judge.

import { fill, h, toggle } from "./dom.js";
import { t } from "./language.js";

/** @import { Check, Step } from "./types.d.ts" */

/** @type {Map<Check, number>} What was chosen, as long as the page is open. */
const chosen = new Map();

const verdict = (/** @type {Check} */ { right, because }, /** @type {number} */ choice) => h("p", { role: "status",
  class: choice === right ? "mse-check-right" : "mse-check-wrong" },
`${choice === right ? t("Yes.") : t("Not quite.")} ${t(because)}`);

const draw = (/** @type {HTMLElement} */ place, /** @type {Check} */ check) => {
  const choice = chosen.get(check);
  const choose = (/** @type {number} */ i) => {
    chosen.set(check, i);
    draw(place, check);
  };
  const choices = check.choices.map((words, i) => toggle(t(words), i === choice, () => choose(i)));
  const group = { class: "mse-segment", role: "group", "aria-label": t(check.question) };
  fill(place, h("p", {}, t(check.question)), h("div", group, choices), choice !== undefined && verdict(check, choice));
};

export const stepHelp = (/** @type {Step} */ { hint, check }) => {
  const place = h("div", { class: "mse-check" });
  if (check) draw(place, check);
  return [hint && h("details", { class: "mse-lesson-hint" }, h("summary", {}, t("Hint")), h("p", {}, t(hint))),
    check && place];
};
