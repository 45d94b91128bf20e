// Lessons: a panel that stays while its steps drive the page.

import { offer, onChoice } from "./controls.js";
import { button, fill, h } from "./dom.js";
import { answerOf, forgetAnswers, keepAnswer } from "./answers.js";
import { beginGuess, drawGuess, guessCard } from "./guess.js";
import { openHandIn } from "./hand_in.js";
import { t } from "./language.js";
import { hidePanel, openPanel, panel, showPanel } from "./lesson_panel.js";
import { forgetTries, stepsDone, triedAt } from "./lesson_progress.js";
import { Question } from "./lesson_question.js";
import { outlineSubject, showStep, stopShowing } from "./lesson_view.js";
import { showTab } from "./navigation.js";
import { offered, set, state } from "./state.js";

/** @import { Lesson } from "./types.d.ts" */

const { lessons: LESSONS } = offered;
const INTRO = t("{n} short lessons that drive this page. They use the bundled examples, so everybody sees the same "
  + "figures. Each step asks a question, and the page checks your answer.", { n: LESSONS.length });

const list = h("div");
const lessonOf = (/** @type {string | undefined} */ id) => LESSONS.find((lesson) => lesson.id === id);

// ---- going from step to step
/** Answers of the networks are kept back where a step asks for a prediction that was not made yet. */
const isKeptBack = (/** @type {Lesson} */ { id, steps }, /** @type {number} */ step) =>
  Boolean(steps[step].predict) && !triedAt(id, step);
export const beginLesson = (/** @type {string} */ id, /** @type {number | string | null} */ step = 0) => {
  const lesson = lessonOf(id);
  if (!lesson) return undefined;
  const at = Math.max(0, Math.min(lesson.steps.length - 1, Number(step) || 0));
  set({ lesson: { id, step: at }, guess: null, covered: isKeptBack(lesson, at) });
  return showStep(lesson.steps[at].show);
};
const end = () => {
  stopShowing();
  set({ lesson: null, covered: false });
  showTab("lessons");
};

// ---- the panel
const answerField = (/** @type {string} */ id, /** @type {number} */ step) => {
  const field = h("textarea", { rows: 2, "aria-label": t("Your answer"),
    placeholder: t("In your own words, kept in this browser"), oninput: () => keepAnswer(id, step, field.value) });
  field.value = answerOf(id, step);
  return field;
};
/** @type {State["lesson"]} The step that the panel shows. @import { State } from "./types.d.ts" */
let drawn = null;
const drawPanel = () => {
  const { lesson: shown } = state, lesson = lessonOf(shown?.id);
  if (shown === drawn) return;
  if (drawn && !shown) outlineSubject(null);   // ended by an address
  if (!shown && !state.guess) set({ covered: false });
  drawn = shown;
  if (shown && lesson) drawStep(lesson, shown.step);
  else if (!state.guess) hidePanel();
};
const drawStep = (/** @type {Lesson} */ lesson, /** @type {number} */ step) => {
  const { id, title, steps } = lesson, at = steps[step], { lesson: asked } = state;
  const last = step === steps.length - 1;
  const onward = button({ onclick: last ? openHandIn : () => beginLesson(id, step + 1) });
  const next = h("div"), markAnswered = () => {
    const isAnswered = triedAt(id, step) !== null, goOn = isAnswered ? t("Next") : t("Skip");
    onward.className = `mse-button${isAnswered ? " primary" : ""}`;
    onward.textContent = last ? t("Worksheet") : goOn;
    if (last) fill(next, nextLesson(id, isAnswered));
    drawList();
  };
  const reveal = () => {
    set({ covered: false });
    return showStep(at.show);
  };
  const question = new Question({ id, step, at, isCurrent: () => state.lesson === asked, reveal,
    answered: markAnswered });
  showPanel({
    label: t("Lesson"), title: t(title), endWords: t("End the lesson"), end,
    body: [h("p", {}, t(at.text)), ...question.elements, answerField(id, step), next],
    foot: [button({ disabled: step === 0, onclick: () => beginLesson(id, step - 1) }, t("Back")),
      h("span", { class: "mse-facts" }, t("{n} of {of}", { n: step + 1, of: steps.length })),
      button({ onclick: () => showStep(at.show) }, t("Show again")), onward],
  });
  openPanel();
  markAnswered();
  question.begin();
};

const nextLesson = (/** @type {string} */ id, isAnswered) => {
  const next = LESSONS[LESSONS.findIndex((lesson) => lesson.id === id) + 1];
  return next && button({ class: `mse-button${isAnswered ? " primary" : ""}`, onclick: () => beginLesson(next.id) },
    t("Next lesson: {title}", { title: t(next.title) }));
};

// ---- the tab
onChoice("forget", () => {
  forgetAnswers();
  forgetTries();
  drawList();
});
const drawList = () => {
  fill(list, h("p", { class: "mse-sentence" }, INTRO), h("ol", { class: "mse-lesson-list" }, LESSONS.map(card)),
    guessCard());
  offer("forget", { visible: LESSONS.some(({ id, steps }) => stepsDone(id, steps.length) > 0) });
};
const card = (/** @type {Lesson} */ { id, title, aim, steps }, i) => {
  const done = stepsDone(id, steps.length), chosen = state.lesson?.id === id ? " chosen" : "";
  const progress = done ? t("{n} of {of} answered", { n: done, of: steps.length })
    : t("{n} steps", { n: steps.length });
  return h("li", {}, button({ class: `mse-lesson-card${chosen}`, "data-lesson": id, onclick: () => beginLesson(id) },
    h("em", {}, i + 1), h("span", {}, h("strong", {}, t(title)), h("span", {}, t(aim))), h("small", {}, progress)));
};

export const drawLessons = () => {
  drawPanel();
  drawGuess();
  drawList();
};
export { beginGuess };
export const lessonPanel = panel;
export const lessonMounts = { lessons: list };
