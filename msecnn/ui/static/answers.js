// A student's answers, kept in this browser until it is closed.

const KEPT = "msecnn-answers";

/** @type {Record<string, string[]>} By lesson, in the order of its steps. */
const answers = (() => {
  try { return JSON.parse(sessionStorage.getItem(KEPT) ?? "{}"); } catch { return {}; }
})();

export const keepAnswer = (/** @type {string} */ lesson, /** @type {number} */ step, /** @type {string} */ words) => {
  (answers[lesson] ??= [])[step] = words;
  try { sessionStorage.setItem(KEPT, JSON.stringify(answers)); } catch { /* private windows keep nothing */ }
};
/** All answers of a lesson; "" for a step that has none yet. */
export const answersOf = (/** @type {string} */ lesson) => [...(answers[lesson] ?? [])].map((words) => words ?? "");
export const answerOf = (/** @type {string} */ lesson, /** @type {number} */ step) => answers[lesson]?.[step] ?? "";
export const answeredSteps = (/** @type {string} */ lesson) =>
  answersOf(lesson).filter((words) => words.trim()).length;
