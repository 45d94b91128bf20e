// Opening a recording: it is tagged by itself, and the line above the player tells what is open and by which models.

import { answer } from "./answer.js";
import { button, download, fill, h, say, select, statusLine } from "./dom.js";
import { call, isSuperseded, queuePlace } from "./rpc.js";
import { offered, set, state } from "./state.js";
import { settings } from "./why_state.js";

/** @import { State } from "./types.d.ts" */

const SILENT = "This recording is silent: the numbers below mean nothing.";

const line = h("div", { class: "mse-opened", hidden: true });
const verdict = h("p", { class: "mse-answer", hidden: true });
const status = statusLine();
/** @type {HTMLElement} */
let place;

/** What is open with its answer, and the status line. */
export const mountOpened = (/** @type {HTMLElement} */ element) => {
  place = element;
  return /** @type {const} */ ([h("div", {}, line, verdict), status]);
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
export const tellError = (/** @type {Error} */ error) => { if (!isSuperseded(error)) idle(error.message, "error"); };

const modelNames = () => state.models.map((model) => model.name);

/**
 * @param {{example?: string, path?: string, name?: string, models?: string[]}} request what the server can open
 * @param {string | null} url where this browser has the recording itself
 * @param {string} name
 */
export const openRecording = async (request, url, name) => {
  busy(`Tagging ${name} …`);
  const watch = setInterval(() => {
    const queued = queuePlace("open");
    if (queued) busy(`Waiting: ${queued}`);
  }, 500);
  try {
    show(await call("open", { models: modelNames(), ...request }), url, { own: request.path ? request : null });
    idle();
  } catch (error) {
    tellError(error);
  } finally {
    clearInterval(watch);
  }
};

export const exampleTitle = (/** @type {string} */ id) =>
  offered.examples.find((example) => example.id === id)?.title ?? id;

export const openExample = (/** @type {string} */ id, models = modelNames()) =>
  openRecording({ example: id, models }, null, exampleTitle(id));

/** The same recording, tagged by other models. */
const retag = async (/** @type {string[]} */ models) => {
  busy("Tagging again …");
  try {
    show(await call("open", { models }), state.recording?.url, { tag: state.tag });
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
  const sides = ["", "mono", "stereo"][channels] ?? `${channels} channels`;
  const facts = [credit, `${length.toFixed(1)} s`, `${(rate / 1000).toFixed(1)} kHz`, sides, codec];
  line.hidden = false;
  fill(line, h("strong", {}, name), h("span", { class: "mse-facts" }, facts.filter(Boolean).join(" · ")),
    modelChoice(), h("span", { class: "mse-actions" },
      button({ "data-action": "export", onclick: saveAll }, "Download results (zip)")));
  const { silent } = state.recording, words = silent ? [SILENT] : answer();
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
const modelChoice = () => {
  if (offered.models.length < 3) return null;
  const choose = (which) => select({ "aria-label": `Model ${which + 1}` }, offered.models, state.models[which]?.name,
    (name) => retag(swapped(which, name)));
  return h("span", { class: "mse-choice" }, choose(0), " and ", choose(1));
};

/** Everything the page shows of this recording, and of the tag asked about, in one zip. */
const saveAll = async () => {
  const progress = (part) => busy(`Collecting: ${Math.round(100 * part)} %`);
  const { model, tag, window, recording } = state;
  progress(0);
  try {
    const { file } = await call("export", { model, tag, window, ...settings() }, { progress });
    download(file.url, `${recording?.name.replace(/\.[^.]*$/, "")} tags.zip`);
    idle();
  } catch (error) {
    tellError(error);
  }
};
