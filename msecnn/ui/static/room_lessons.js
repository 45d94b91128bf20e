// The lessons' questions that a room can answer: those with choices, tags, scales, networks or seconds.

import { probabilities, scalesDraft, secondsDraft, tagAsked } from "./room_networks.js";
import { offered, state } from "./state.js";

/** @import { RoomDraft } from "./types.d.ts" */
/** @typedef {{lesson: string, text: string, draft: () => RoomDraft | Promise<RoomDraft>}} LessonQuestion */

/** Whether the page shows what a step asks about; only then are the page's figures an answer to it. */
const isShown = (/** @type {any} */ { show }) =>
  state.recording?.example === show.example && (!show.tag || show.tag === tagAsked());

const withoutNetworks = async (/** @type {RoomDraft | Promise<RoomDraft>} */ draft) =>
  ({ ...await draft, networks: [] });

/** By a step's kind of question, what a room is asked; the networks' answer only where the page has it. */
const DRAFTS = {
  choose: (/** @type {any} */ { question: text, ask }) =>
    ({ kind: "choice", text, choices: ask.options.map(({ words }) => words) }),
  "choose-model": (/** @type {any} */ { question: text }) =>
    ({ kind: "choice", text, choices: state.models.map(({ title }) => title) }),
  "choose-tag": (/** @type {any} */ step) => {
    const { question: text, ask: { tags: choices, fact } } = step, known = fact === "mean" && isShown(step);
    return { kind: "tags", text, choices, networks: known ? probabilities(choices) : [] };
  },
  "choose-scale": (/** @type {any} */ step) => {
    const draft = scalesDraft(step.question, step.ask.scales);
    return step.ask.fact === "term" && isShown(step) ? draft : withoutNetworks(draft);
  },
  "choose-seconds": (/** @type {any} */ step) =>
    (isShown(step) ? secondsDraft(step.question) : withoutNetworks(secondsDraft(step.question))),
};
const isReady = (/** @type {any} */ ask) => ask && ask.kind in DRAFTS && (ask.kind !== "choose-tag" || ask.tags);

const questionsOf = (/** @type {any} */ step) => {
  const { check, ask } = step;
  if (check) {
    const { question: text, choices, right, because } = check;
    return [{ text, draft: () => ({ kind: "choice", text, choices, right, because }) }];
  }
  return isReady(ask) ? [{ text: step.question, draft: () => DRAFTS[ask.kind](step) }] : [];
};

/** @returns {LessonQuestion[]} In the order of the lessons. */
export const lessonQuestions = () => offered.lessons.flatMap(({ title: lesson, steps }) =>
  steps.flatMap(questionsOf).map((question) => ({ lesson, ...question })));
