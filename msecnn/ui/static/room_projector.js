// The room for a projector: code and QR picture in letters that the last row reads, the question, and the histogram.

import { button, fill, h } from "./dom.js";
import { plural, t } from "./language.js";
import { joinCard } from "./room_link.js";
import { choiceWords, resultsTable } from "./room_results.js";

/** @import { RoomQuestion } from "./types.d.ts" */

const content = h("div", { class: "mse-room-screen" });
const dialog = h("dialog", { class: "mse-room-projector", "aria-label": t("The room on a projector") },
  button({ class: "mse-quiet mse-room-leave", onclick: () => dialog.close() }, t("Back to the page")), content);

/** While answers come, how many there are: others' answers would be a hint. */
const asked = (/** @type {RoomQuestion} */ question) => [
  question.choices.length > 0 && h("ol", {}, question.choices.map((_, i) => h("li", {}, choiceWords(question, i)))),
  h("p", { class: "mse-facts" }, plural(question.n ?? 0, "{n} answer", "{n} answers"), " · ",
    question.open ? t("You may change your answer until the question is closed.") : t("The question is closed."))];

export const drawProjector = (/** @type {any} */ { code, phones, question }, way) => {
  const shown = question && [h("h2", {}, t(question.text)),
    question.shown ? resultsTable(question) : asked(question)];
  content.classList.toggle("asked", Boolean(question));
  const here = plural(phones, "{n} phone is here", "{n} phones are here");
  fill(content, h("div", {}, joinCard(way, code), h("p", {}, here)),
    question && h("div", {}, shown));
};
export const closeProjector = () => dialog.close();
export const projector = dialog;
export const projectorButton = () => button({ onclick: () => dialog.showModal() }, t("For the projector"));
