// The chain of edits of the open window, every step of which can be undone, and the networks' answer to it.
// An edit is a text such as "speed=1.06", as the server, a link and the command line have it.

import { emitter } from "./events.js";
import { call, isSuperseded } from "./rpc.js";
import { offered, state } from "./state.js";
import { WORDS } from "./what_if_words.js";

/** @import { EditedAnswer, EditKind } from "./types.d.ts" */

//: Steps that can be undone.
const MOST_STEPS = 100;
const { on, emit } = emitter();
/** Tells of "chain" (the edits have changed), "answer", "recording" (another one) and "status" (words, kind). */
export const onEdits = on;

export const chain = {
  /** @type {string[]} */
  edits: [],
  /** @type {string[][]} */
  past: [],
  /** @type {string[][]} */
  future: [],
  /** @type {EditedAnswer | null} To these edits of this window. */
  answer: null,
  /** The sound that is heard: "original" or "edited". */
  heard: "original",
};

export const kindOf = (/** @type {string} */ edit) =>
  /** @type {EditKind} */ (offered.edits.kinds.find(({ name }) => name === edit.split("=")[0]));
/** What follows the name of an edit. */
export const argumentsOf = (/** @type {string} */ edit) => edit.split("=").slice(1).join("=");
export const isFull = () => chain.edits.length >= offered.edits.most;

const show = (/** @type {string[]} */ edits) => {
  chain.edits = edits;
  emit("chain");
  askEdits("edited");
};
const step = (/** @type {string[]} */ edits) => {
  chain.past = [...chain.past, chain.edits].slice(-MOST_STEPS);
  chain.future = [];
  show(edits);
};
export const addEdit = (/** @type {string} */ edit) =>
  (isFull() ? emit("status", WORDS.most(offered.edits.most), "error") : step([...chain.edits, edit]));
export const changeEdit = (/** @type {number} */ i, /** @type {string} */ edit) => {
  if (edit !== chain.edits[i]) step(chain.edits.with(i, edit));
};
export const takeOut = (/** @type {number} */ i) => step(chain.edits.toSpliced(i, 1));
export const clearEdits = () => step([]);
export const undo = () => {
  const before = chain.past.pop();
  if (!before) return;
  chain.future.push(chain.edits);
  show(before);
};
export const redo = () => {
  const after = chain.future.pop();
  if (!after) return;
  chain.past.push(chain.edits);
  show(after);
};

/** The edits of another link, or none of another recording: there is nothing to undo. */
export const replaceEdits = (/** @type {string[]} */ edits) => {
  chain.past = [];
  chain.future = [];
  if (edits.join(" ") !== chain.edits.join(" ")) show(edits);
};

/** For the server, a link and what is saved: all edits as one text. */
export const editsText = () => chain.edits.join(" ");

const models = () => state.models.map(({ name }) => name);
const key = () => JSON.stringify([state.recording?.url, state.window, models(), editsText()]);
/** Of the answer that is there or is asked for. */
let asked = "";
/** Of the answer that is there. */
let answered = "";

const forget = () => {
  asked = "";
  chain.answer = null;
  chain.heard = "original";
  emit("status", "", "");
  emit("answer");
};
/** Asks what the networks say to the edits; `heard` is the sound that is heard once they have. */
const askEdits = async (heard = chain.heard) => {
  if (!state.recording || chain.edits.length === 0) return forget();
  const question = (asked = key());
  emit("status", WORDS.busy, "busy");
  try {
    const answer = await call("what-if", { edits: editsText(), window: state.window, models: models() });
    if (question !== asked) return undefined;
    answered = question;
    Object.assign(chain, { answer, heard });
    emit("status", "", "");
    return emit("answer");
  } catch (error) {
    if (question === asked && !isSuperseded(error)) refuse(error);
    return undefined;
  }
};
/** The answer to the edits as they are now, of this window and these models; null while it is not there. */
export const answerToEdits = () => (chain.answer && answered === key() ? chain.answer : null);

/** An edit that the server refuses is taken back, so that what is shown stays true. */
const refuse = (/** @type {any} */ error) => {
  const before = error.reason === "refused" ? chain.past.pop() : undefined;
  if (before) {
    chain.edits = before;
    emit("chain");
  }
  asked = chain.answer ? key() : "";
  if (!before || before.length === 0) forget();
  emit("status", error.message, "error");
};

let opened = "";
/** Another recording has no edits yet; another window, or other models, are asked about the same ones. */
export const followState = () => {
  const { url = "" } = state.recording ?? {};
  if (url !== opened) {
    opened = url;
    replaceEdits([]);
    emit("recording");
  } else if (asked !== key()) {
    forget();
    askEdits();
  }
};

export const hear = (/** @type {string} */ which) => {
  chain.heard = which;
  emit("answer");
};
