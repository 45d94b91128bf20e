// How a phone answers: one of several choices at a tap, or a number on a slider.

import { button, fill, h } from "./dom.js";
import { t } from "./language.js";
import { player } from "./main_player.js";
import { choiceWords, isNumber, withUnit } from "./room_results.js";

/** @import { RoomQuestion } from "./types.d.ts" */
/** @typedef {(value: number) => void} Give */

//: Steps of a slider.
const STEPS = 200;

const choices = (/** @type {RoomQuestion} */ question, /** @type {number | null} */ mine, /** @type {Give} */ give) =>
  h("fieldset", { class: "mse-room-choices", disabled: !question.open },
    h("legend", {}, t(question.text)),
    question.choices.map((_, i) => h("label", {},
      h("input", { type: "radio", name: "mse-room-choice", checked: i === mine, onchange: () => give(i) }),
      h("span", {}, choiceWords(question, i)))));

const slider = (/** @type {RoomQuestion} */ question, /** @type {number | null} */ mine, /** @type {Give} */ give) => {
  const { low, high, kind } = question, step = kind === "number" && high - low >= STEPS / 2 ? 1 : (high - low) / STEPS;
  const field = h("input", { type: "range", id: "mse-room-number", min: low, max: high, step: String(step) });
  const shown = h("output", { for: "mse-room-number" });
  const show = () => {
    shown.textContent = withUnit(question, Number(field.value));
    field.setAttribute("aria-valuetext", shown.textContent);
  };
  const put = (/** @type {number} */ value) => {
    field.value = String(value);
    show();
  };
  put(mine ?? (low + high) / 2);
  field.addEventListener("input", show);
  const take = kind === "seconds" && button({ onclick: () => put(player.now()) }, t("Take the playhead's place"));
  return h("fieldset", { class: "mse-room-choices", disabled: !question.open },
    h("legend", {}, t(question.text)), h("label", { for: "mse-room-number" }, t("Your number"), " ", shown), field,
    h("div", { class: "mse-room-row" }, take,
      button({ class: "mse-button primary", onclick: () => give(Number(field.value)) }, t("Answer"))));
};

/** Draws a question anew. */
export const drawAnswer = (/** @type {HTMLElement} */ place, /** @type {RoomQuestion} */ question,
  /** @type {number | null} */ mine, /** @type {Give} */ give) =>
  fill(place, (isNumber(question) ? slider : choices)(question, mine, give));

/** An answer in words. */
export const answerWords = (/** @type {RoomQuestion} */ question, /** @type {number} */ mine) =>
  (isNumber(question) ? withUnit(question, mine) : choiceWords(question, mine));
