// A student's answers and name, kept in this browser until they are forgotten there; no server is told either.

const KEPT = "msecnn-answers", NAME = "msecnn-student";

/** @type {Record<string, string[]>} By lesson, in the order of its steps. */
let answers = (() => {
  try { return JSON.parse(localStorage.getItem(KEPT) ?? "{}"); } catch { return {}; }
})();

export const keepAnswer = (/** @type {string} */ lesson, /** @type {number} */ step, /** @type {string} */ words) => {
  (answers[lesson] ??= [])[step] = words;
  try { localStorage.setItem(KEPT, JSON.stringify(answers)); } catch { /* private windows keep nothing */ }
};
/** All answers of a lesson; "" for a step that has none yet. */
export const answersOf = (/** @type {string} */ lesson) => [...(answers[lesson] ?? [])].map((words) => words ?? "");
export const answerOf = (/** @type {string} */ lesson, /** @type {number} */ step) => answers[lesson]?.[step] ?? "";
export const forgetAnswers = () => {
  answers = {};
  name = "";
  try { [KEPT, NAME].forEach((key) => localStorage.removeItem(key)); } catch { /* see above */ }
};

// ---- whose they are
let name = (() => {
  try { return localStorage.getItem(NAME) ?? ""; } catch { return ""; }
})();
export const studentName = () => name;
export const keepName = (/** @type {string} */ words) => {
  name = words;
  try { localStorage.setItem(NAME, words); } catch { /* see above */ }
};
