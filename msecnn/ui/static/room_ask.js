// The lecturer's form for a question: of his own, of a lesson, or one that the networks answer, too.

import { h, say, statusLine } from "./dom.js";
import { t } from "./language.js";
import { lessonQuestions } from "./room_lessons.js";
import { likeliestTags, placed, probabilities, scalesDraft, secondsDraft, tagAsked } from "./room_networks.js";
import { offered } from "./state.js";

/** @import { RoomDraft } from "./types.d.ts" */

//: Letters of a lesson's question that fit in a menu.
const MENU = 70;

/**
 * Of the view are those whose words name what is shown, and whose networks' answer is of it.
 * @typedef {{title: string, text: () => string, lines?: () => string[], fixed?: boolean, ofView?: boolean,
 *   draft: (text: string, lines: string[]) => Promise<RoomDraft> | RoomDraft}} Kind
 * @type {Kind[]}
 */
const KINDS = [
  {
    title: t("Choices of your own"), text: () => "", lines: () => [t("Yes"), t("No")],
    draft: (text, choices) => ({ kind: "choice", text, choices }),
  },
  {
    title: t("Tags"), ofView: true, text: () => t("Which of these tags is the most probable one to the networks?"),
    lines: likeliestTags,
    draft: (text, choices) => ({ kind: "tags", text, choices, networks: probabilities(choices) }),
  },
  {
    title: t("A scale"), ofView: true, text: () => t("Which scale speaks most for “{tag}”?", { tag: tagAsked() }),
    draft: (text) => scalesDraft(text),
  },
  {
    title: t("A second of the recording"), ofView: true,
    text: () => t("Which second speaks most for “{tag}”?", { tag: tagAsked() }),
    draft: secondsDraft,
  },
  {
    title: t("A probability"), ofView: true,
    text: () => t("How probable is “{tag}” to the networks, in percent?", { tag: tagAsked() }),
    draft: (text) => ({ kind: "number", text, low: 0, high: 100, unit: "%", networks: placed(0, 100) }),
  },
];
/** @returns {Kind} */
const lessonKind = (/** @type {import("./room_lessons.js").LessonQuestion} */ { lesson, text, draft }) =>
  ({ title: `${t(lesson)}: ${t(text)}`.slice(0, MENU), text: () => t(text), fixed: true, draft });

const field = (/** @type {string} */ label, /** @type {HTMLElement} */ control) =>
  h("div", { class: "mse-room-field" }, h("label", { for: control.id }, label), control);
/** The form; `ask` sends the question. @param {(draft: RoomDraft) => Promise<void>} ask */
export const questionForm = (ask) => {
  const kinds = [...KINDS, ...lessonQuestions().map(lessonKind)];
  const kind = h("select", { id: "mse-room-kind" }, kinds.map(({ title }, i) => h("option", { value: i }, title)));
  const text = h("textarea", { id: "mse-room-text", rows: 2, maxlength: offered.room?.longest_text });
  const lines = h("textarea", { id: "mse-room-choices", rows: 5 }), status = statusLine();
  const choices = field(t("Choices, one a line"), lines);
  const chosen = () => kinds[Number(kind.value)];
  const draw = () => {
    text.value = chosen().text();
    text.readOnly = chosen().fixed === true;
    choices.hidden = !chosen().lines;
    lines.value = chosen().lines?.().join("\n") ?? "";
  };
  const submit = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const listed = lines.value.split("\n").map((line) => line.trim()).filter(Boolean);
    say(status, t("Asking …"), "busy");
    try {
      await ask(await chosen().draft(text.value, listed));
      say(status, "");
    } catch (error) {
      say(status, error.message, "error");
    }
  };
  kind.addEventListener("change", draw);
  const form = h("form", { class: "mse-room-form", onsubmit: submit },
    field(t("A question about"), kind), field(t("Question"), text), choices,
    h("div", { class: "mse-room-row" }, h("button", { class: "mse-button primary" }, t("Ask the room")), status));
  return { form, draw, refresh: () => chosen().ofView && draw() };
};
