// Opening a recording: it is tagged by itself, and the line above the player tells what is open and by which models.

import { answer } from "./answer.js";
import { studentName } from "./answers.js";
import { offer, onChoice } from "./controls.js";
import { downloadAs, fill, h, say, statusLine } from "./dom.js";
import { editsText } from "./edit_chain.js";
import { bareName, fileName } from "./file_names.js";
import { emptyGuess } from "./guess_state.js";
import { fixed, t, told } from "./language.js";
import { drawnCurve } from "./response_curve.js";
import { call, isSuperseded, queuePlace } from "./rpc.js";
import { offered, set, state } from "./state.js";
import { settings } from "./why_state.js";

/** @import { State } from "./types.d.ts" */

const SILENT = t("This recording is silent: the numbers below mean nothing.");

const line = h("div", { class: "mse-opened" });
const verdict = h("p", { class: "mse-answer", hidden: true });
/** What is open, and the answer. */
export const openMounts = { recording: line, "opened-answer": verdict };
const status = statusLine();
/** @type {HTMLElement} */
let place;

/** The status line, for beside the ways in, which are in `element`. */
export const mountStatus = (/** @type {HTMLElement} */ element) => {
  place = element;
  return status;
};

export const tell = (/** @type {string} */ words, kind = "") => say(status, words, kind);
export const busy = (/** @type {string} */ words) => {
  tell(words, "busy");
  place.classList.add("working");
};
export const idle = (words = "", kind = "") => {
  tell(words, kind);
  place.classList.remove("working");
};
/** Tells what went wrong, unless a later request is under way. */
export const tellError = (/** @type {Error} */ error) => {
  if (!isSuperseded(error)) idle(told(error.message), "error");
};

const modelNames = () => state.models.map((model) => model.name);

const askOpen = (/** @type {object} */ request, /** @type {string} */ words) => {
  const progress = () => busy(queuePlace("open") ? t("Waiting: {place}", { place: queuePlace("open") }) : words);
  busy(words);
  return call("open", request, { progress });
};

/**
 * @param {{example?: string, path?: string, name?: string, models?: string[]}} request what the server can open
 * @param {string | null} url where this browser has the recording itself
 * @param {string} name
 */
export const openRecording = async (request, url, name) => {
  try {
    const opened = await askOpen({ models: modelNames(), ...request }, t("Tagging {name} …", { name }));
    const guess = state.guess && { guess: emptyGuess(), covered: true };   // of another clip, a new one
    show(opened, url, { own: request.path ? request : null, ...guess });
    idle();
  } catch (error) {
    tellError(error);
  }
};

export const exampleTitle = (/** @type {string} */ id) =>
  offered.examples.find((example) => example.id === id)?.title ?? id;

export const openExample = (/** @type {string} */ id, models = modelNames()) =>
  openRecording({ example: id, models }, null, exampleTitle(id));

/** The same recording, tagged by other models. */
const retag = async (/** @type {string[]} */ models) => {
  try {
    show(await askOpen({ models }, t("Tagging again …")), state.recording?.url, { tag: state.tag });
    idle();
  } catch (error) {
    tellError(error);
  }
};

const show = (opened, /** @type {string | null | undefined} */ url, /** @type {Partial<State>} */ kept) => {
  const { recording, models } = opened;
  const model = models.some(({ name }) => name === state.model) ? state.model : models.at(-1).name;
  set({ ...opened, tag: null, ...kept, recording: { ...recording, url: url || recording.audio?.url || "" }, model });
  document.body.classList.add("mse-open");
};

/** Draws the line of what is open. */
export const drawOpened = () => {
  if (!state.recording) return;
  const { name, credit, duration_s: length, sample_rate: rate, channels, codec } = state.recording;
  const sides = ["", t("mono"), t("stereo")][channels] ?? t("{n} channels", { n: channels });
  const facts = [credit, `${fixed(length, 1)} s`, `${fixed(rate / 1000, 1)} kHz`, sides, codec];
  fill(line, h("strong", {}, name), h("span", { class: "mse-facts" }, facts.filter(Boolean).join(" · ")));
  modelNames().forEach((model, which) => offer(`model-${which}`, { value: model }));
  const { silent } = state.recording, words = silent ? [SILENT] : state.covered ? [] : answer();
  verdict.hidden = words.length === 0;
  verdict.classList.toggle("mse-warning", silent);
  fill(verdict, words);
  markExample();
};
/** The card of the example that is open. */
const markExample = () => place.querySelectorAll(".mse-card").forEach((card) =>
  card.setAttribute("aria-pressed", String(card.getAttribute("data-example") === state.recording?.example)));

/** Two models, not one twice: which the other place has is exchanged with it. */
const swapped = (/** @type {number} */ which, /** @type {string} */ name) => {
  const before = modelNames(), names = before.map((other) => (other === name ? before[which] : other));
  names[which] = name;
  return names;
};

/** Everything the page shows of this recording, and of the tag asked about, in one zip. */
const saveAll = async () => {
  const progress = (part) =>
    busy(part === null ? t("Waiting: {place}", { place: queuePlace("export") })
      : t("Collecting: {percent} %", { percent: Math.round(100 * part) }));
  const { model, tag, window, recording } = state;
  progress(0);
  try {
    const saved = { model, tag, window, ...settings(), edits: editsText(), curve: drawnCurve() };
    const { file } = await call("export", saved, { progress });
    await downloadAs(file.url, fileName([bareName(recording?.name ?? ""), studentName(), t("tags")], ".zip"));
    idle();
  } catch (error) {
    tellError(error);
  }
};

[0, 1].forEach((which) => onChoice(`model-${which}`, (name) => retag(swapped(which, name))));
onChoice("export", saveAll);
