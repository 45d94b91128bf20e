// What is handed in, as plain values: whose it is, the answers, and every choice that the figures depend on.

import { answer } from "./answer.js";
import { studentName } from "./answers.js";
import { editsText } from "./edit_chain.js";
import { scaleTitle } from "./format.js";
import { fixed, t } from "./language.js";
import { answersAndNotes, stepsDone } from "./lesson_progress.js";
import { settings as networkSettings } from "./network_state.js";
import { pageLink } from "./share.js";
import { modelOf, offered, state } from "./state.js";
import { sentence } from "./waterfall.js";
import { methodOf, view as whyView, why, whyKey } from "./why_state.js";

/** @import { AnsweredLesson, HandIn } from "./hand_in_page.js" */

//: Of `HandIn`. Rises when a key changes its meaning or goes.
const SCHEMA = 1, KIND = "msecnn-worksheet";
//: Longest answer and name that are handed in, characters.
const LONGEST_ANSWER = 4000;
export const LONGEST_NAME = 80;

/** The open lesson whole; without one, all lessons that have an answer. @returns {AnsweredLesson[]} */
const lessons = () => offered.lessons.filter(({ id, steps }) =>
  (state.lesson ? id === state.lesson.id : stepsDone(id, steps.length) > 0)).map(({ id, title, steps }) => {
  const given = answersAndNotes(id, steps.length);
  return { id, title: t(title), answers: steps.map(({ text, question }, step) =>
    ({ step, text: t(text), question: t(question), answer: given[step].slice(0, LONGEST_ANSWER) })) };
});
const baselineTitle = (/** @type {string} */ name) =>
  t(offered.explanation.baselines.find((baseline) => baseline.name === name)?.title ?? name);
/** By what somebody else sees the same: every choice that the figures depend on. @returns {[string, string][]} */
const settings = (/** @type {Record<string, string>} */ weights, /** @type {string} */ versions) => {
  const method = methodOf(whyView.method), { off, random } = networkSettings();
  const [from, to] = state.windows[state.window].map((time) => fixed(time, 1));
  /** @type {[string, string | false | null][]} */
  const rows = [
    [t("Models"), state.models.map(({ title }) => title).join(", ")],
    [t("Tag"), state.tag && `${state.tag} (${modelOf().title})`],
    [t("Window"), t("{n} of {of}, {from} to {to} s", { n: state.window + 1, of: state.windows.length, from, to })],
    [t("Method"), t(method.title)], [t("Baseline"), method.needs_baseline && baselineTitle(whyView.baseline)],
    [t("Colours"), whyView.shared && t("same colour scale for all")],
    [t("Switched off"), off.map(scaleTitle).join(", ")], [t("Random weights"), random && t("yes")],
    [t("Edits"), editsText()],
    ...Object.entries(weights).map(([title, sum]) =>
      /** @type {[string, string]} */ ([t("Weights of {model} (SHA-256)", { model: title }), sum])),
    [t("Versions"), versions],
  ];
  return rows.filter(/** @returns {row is [string, string]} */ (row) => Boolean(row[1]));
};
const wordsOf = (/** @type {any} */ part) => (part instanceof Node ? part.textContent : part || "");
/** The answer and the reason, in the page's own sentences. */
export const sentences = () => {
  const said = [answer()].flat(2).map(wordsOf).join("");
  return [said, why.answer && why.shown === whyKey() ? sentence(why.answer, modelOf().title, state.tag) : ""];
};
/** @returns {HandIn} */
export const handIn = (facts) => ({
  schema: SCHEMA, kind: KIND, student: studentName().replace(/\p{C}+/gu, " ").trim().slice(0, LONGEST_NAME),
  saved: new Date().toISOString(),
  language: offered.language, recording: state.recording?.name ?? "", credit: state.recording?.credit ?? "",
  link: state.recording?.example ? pageLink() : "", lessons: lessons(),
  settings: settings(facts.weights, facts.versions),
});
