// The cells that won for the tag that is asked about, or for the likeliest: flashes and rows draw them.

import { call } from "./rpc.js";
import { likeliestTag, modelOf, state } from "./state.js";
import { why, whyKey } from "./why_state.js";

/** @import { Event } from "./types.d.ts" */

//: A cell that sees more than this is nowhere in particular, seconds.
const BROAD_S = 3;
export const isSomewhere = (/** @type {Event} */ { start_s: start, end_s: end }) => end - start <= BROAD_S;

let key = "";
/** @type {Promise<Event[]>} */
let answer = Promise.resolve([]);

/** Of which tag they are, and of which model. */
export const cellsQuestion = () => {
  const model = modelOf();
  return { model: model.name, tag: state.tag ?? likeliestTag(model), window: state.window };
};
const ask = async (/** @type {string} */ asked) => {
  if (why.shown === whyKey() && why.answer) return why.answer.marks;
  const found = await call("winning-cells", cellsQuestion(), { parallel: true }).catch(() => null);
  if (!found && key === asked) key = "";   // to be asked again
  return found?.marks ?? [];
};
/** Asked for once. @returns {Promise<Event[]>} */
export const winningCells = () => {
  const asked = JSON.stringify([state.recording?.url, state.recording?.name, cellsQuestion()]);
  if (asked !== key) {
    key = asked;
    answer = ask(asked);
  }
  return answer;
};
