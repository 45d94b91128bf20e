// Opening a recording: it is tagged by itself, and the line above the player tells what is open and by which models.

import { offer, onChoice } from "./controls.js";
import { download, fill, h, say, statusLine } from "./dom.js";
import { call, isSuperseded, queuePlace } from "./rpc.js";
import { offered, set, state } from "./state.js";
import { settings } from "./why_state.js";

export const openedLine = h("div", { class: "mse-opened" });
const status = statusLine();
/** @type {HTMLElement} */
let place;

/** Below the way in; `element` is what is folded away when a recording is open. */
export const mountStatus = (/** @type {HTMLElement} */ element) => {
  place = element;
  element.append(status);
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

const askOpen = (/** @type {object} */ request, /** @type {string} */ words) => {
  const progress = () => busy(queuePlace("open") ? `Waiting: ${queuePlace("open")}` : words);
  busy(words);
  return call("open", request, { progress });
};

/**
 * @param {object} request what the server can open
 * @param {string | null} url where this browser has the recording itself
 * @param {string} name
 */
export const openRecording = async (request, url, name) => {
  try {
    show(await askOpen({ models: modelNames(), ...request }, `Tagging ${name} …`), url);
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
    show(await askOpen({ models }, "Tagging again …"), state.recording?.url, state.tag);
    idle();
  } catch (error) {
    tellError(error);
  }
};

const show = (answer, /** @type {string | null | undefined} */ url, /** @type {string | null} */ tag = null) => {
  const { recording, models } = answer;
  const kept = models.some((model) => model.name === state.model) ? state.model : models.at(-1).name;
  set({ ...answer, tag, recording: { ...recording, url: url || recording.audio?.url }, model: kept });
  place.classList.add("has-recording");
  document.body.classList.add("mse-open");
};

/** Draws the line of what is open. */
export const drawOpened = () => {
  if (!state.recording) return;
  const { name, credit, duration_s: length, sample_rate: rate, channels, codec } = state.recording;
  const sides = ["", "mono", "stereo"][channels] ?? `${channels} channels`;
  const facts = [credit, `${length.toFixed(1)} s`, `${(rate / 1000).toFixed(1)} kHz`, sides, codec];
  fill(openedLine, h("strong", {}, name), h("span", { class: "mse-facts" }, facts.filter(Boolean).join(" · ")));
  modelNames().forEach((model, which) => offer(`model-${which}`, { value: model }));
};

/** Everything the page shows of this recording, and of the tag asked about, in one zip. */
const saveAll = async () => {
  const progress = (part) =>
    busy(part === null ? `Waiting: ${queuePlace("export")}` : `Collecting: ${Math.round(100 * part)} %`);
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

[0, 1].forEach((which) => onChoice(`model-${which}`, (name) => retag(modelNames().with(which, name))));
onChoice("another", () => place.classList.toggle("has-recording"));
onChoice("export", saveAll);
