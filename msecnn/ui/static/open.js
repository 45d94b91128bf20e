// Opening a recording: it is tagged by itself, and the line above the player tells what is open and by which models.

import { button, download, fill, h, say, select, statusLine } from "./dom.js";
import { call, isSuperseded, queuePlace } from "./rpc.js";
import { offered, set, state } from "./state.js";
import { settings } from "./why_state.js";

const line = h("div", { class: "mse-opened", hidden: true });
const status = statusLine();
/** @type {HTMLElement} */
let place;

/** The line of what is open, and the status below it. */
export const mountOpened = (/** @type {HTMLElement} */ element) => {
  place = element;
  return [line, status];
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
  const another = () => place.classList.toggle("has-recording");
  line.hidden = false;
  fill(line, h("strong", {}, name), h("span", { class: "mse-facts" }, facts.filter(Boolean).join(" · ")),
    modelChoice(), h("span", { class: "mse-actions" },
      button({ "data-action": "export", onclick: saveAll }, "Download results (zip)"),
      button({ "data-action": "another", onclick: another }, "Another recording")));
};

const modelChoice = () => {
  if (offered.models.length < 3) return null;
  const choose = (which) => select({ "aria-label": `Model ${which + 1}` }, offered.models, state.models[which]?.name,
    (name) => retag(modelNames().with(which, name)));
  return h("span", { class: "mse-choice" }, choose(0), " and ", choose(1));
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
