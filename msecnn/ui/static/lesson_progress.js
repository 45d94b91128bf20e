// How far a student is: what was answered at each step and whether it was right, kept in this browser.

import { answersOf } from "./answers.js";

/** @typedef {{given: string | number, words: string, right: boolean, tries: number}} Tried */

const KEPT = "msecnn-progress";

/** @type {Record<string, (Tried | null)[]>} By lesson, in the order of its steps. */
let tried = (() => {
  try { return JSON.parse(localStorage.getItem(KEPT) ?? "{}"); } catch { return {}; }
})();

export const triedAt = (/** @type {string} */ lesson, /** @type {number} */ step) => tried[lesson]?.[step] ?? null;

/** Keeps an answer; one that was right stays so. */
export const keepTry = (/** @type {string} */ lesson, /** @type {number} */ step,
  /** @type {Omit<Tried, "tries">} */ answer) => {
  (tried[lesson] ??= [])[step] = { ...answer, tries: (triedAt(lesson, step)?.tries ?? 0) + 1 };
  try { localStorage.setItem(KEPT, JSON.stringify(tried)); } catch { /* private windows keep nothing */ }
};
export const forgetTries = () => {
  tried = {};
  try { localStorage.removeItem(KEPT); } catch { /* see above */ }
};

/** Steps that were answered, rightly or not, or written about. */
export const stepsDone = (/** @type {string} */ lesson, /** @type {number} */ n) => {
  const notes = answersOf(lesson);
  return Array.from({ length: n }, (_, step) => triedAt(lesson, step) || notes[step]?.trim()).filter(Boolean).length;
};

/** For the worksheet: at each step what was answered, and below it what was written. */
export const answersAndNotes = (/** @type {string} */ lesson, /** @type {number} */ n) => {
  const notes = answersOf(lesson);
  return Array.from({ length: n }, (_, step) =>
    [triedAt(lesson, step)?.words, notes[step]?.trim()].filter(Boolean).join("\n"));
};
