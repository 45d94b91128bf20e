// The tab "Live": both networks' tags of the last seconds while the microphone runs, a rolling spectrogram, the scales.

import { button, fill, h, part, say, statusLine, tagRow } from "./dom.js";
import { percent, scaleTitle, signed } from "./format.js";
import { LiveSound } from "./live_sound.js";
import { WORDS } from "./live_words.js";
import { player } from "./main_player.js";
import { RollingSpectrogram } from "./rolling_spectrogram.js";
import { offered, state } from "./state.js";

/** @import { LiveAnswer } from "./types.d.ts" */

//: Rows of tags, and how fast their order follows, so that rows do not jump: the share of an update.
const ROWS = 8, FOLLOWS = 0.2;
//: A quieter sound is none, full scale 1.
const SILENCE = 1e-4;
//: Updates whose times are kept.
const KEPT = 240;

const tools = h("div", { class: "mse-toolbar" }), status = statusLine();
const rows = part("live-tags"), scales = part("live-scales");
const { models } = offered.live;
/** @type {RollingSpectrogram | null} */
let picture = null;
/** @type {LiveSound | null} */
let sound = null;
/** @type {Map<string, number>} Each tag's probability, smoothed, by which rows are ordered. */
let smooth = new Map();
/** For whoever measures: milliseconds from a piece's first sample to its bars, of the last updates. */
export const latencies = /** @type {number[]} */ ([]);

// ---- starting and stopping
const start = async () => {
  player.pause();
  smooth = new Map();
  latencies.length = 0;
  picture?.clear();
  const mine = (sound = new LiveSound(update, (error) => stop(error.message, "error")));
  drawTools();
  say(status, WORDS.asking, "busy");
  try {
    await mine.start();
  } catch (error) {
    if (sound === mine) stop(error.message, "error");
  }
};
const stop = (words = WORDS.stopped, kind = "") => {
  if (!sound) return;
  sound.stop();
  sound = null;
  drawTools();
  say(status, words, kind);
};
const drawTools = () => fill(tools, models.length === 0 ? h("p", {}, WORDS.none)
  : button({ class: `mse-button ${sound ? "recording" : "primary"}`, onclick: () => (sound ? stop() : start()) },
    sound ? WORDS.stop : WORDS.start));
/** Nobody listens behind a closed tab, of the page or of the browser. */
export const leaveLive = () => { if (state.tab !== "live") stop(); };
addEventListener("pagehide", () => stop());

// ---- what is heard
const update = (/** @type {LiveAnswer} */ answer, /** @type {number} */ begun, /** @type {number} */ peak) => {
  picture?.add(answer.columns);
  drawTags(answer);
  drawScales(answer);
  say(status, wordsOf(answer, peak));
  requestAnimationFrame(() => {
    latencies.push(performance.now() - begun);
    if (latencies.length > KEPT) latencies.shift();
  });
};
const wordsOf = ({ tagged_s }, /** @type {number} */ peak) => {
  if (peak < SILENCE) return WORDS.silent;
  const late = sound && sound.skipped_s > 0 ? ` ${WORDS.behind(sound.skipped_s)}` : "";
  return WORDS.listening(tagged_s, offered.live.window_s) + late;
};

// ---- what is seen
/** @type {Map<string, {element: HTMLElement, bars: HTMLElement[], numbers: HTMLElement[]}>} */
const drawn = new Map();
const newRow = (/** @type {string} */ tag) => {
  const bars = models.map((_, i) => h("span", { class: `mse-bar model-${i}`, style: { "--p": 0 } }));
  const numbers = models.map((_, i) => h("b", { class: `model-${i}` }));
  const element = tagRow({ class: "mse-tag", disabled: true, "data-tag": tag }, tag, bars, numbers);
  const row = { element, bars, numbers };
  drawn.set(tag, row);
  return row;
};
const drawTags = (/** @type {LiveAnswer} */ answer) => {
  const tags = models[0].tags.filter((tag) => models.every((model) => model.tags.includes(tag)));
  const values = new Map(tags.map((tag) =>
    [tag, answer.models.map(({ probabilities }, i) => probabilities[models[i].tags.indexOf(tag)])]));
  values.forEach((pair, tag) => {
    const mean = pair.reduce((a, b) => a + b) / pair.length, before = smooth.get(tag) ?? mean;
    smooth.set(tag, before + FOLLOWS * (mean - before));
  });
  const shown = tags.sort((a, b) => (smooth.get(b) ?? 0) - (smooth.get(a) ?? 0)).slice(0, ROWS);
  const elements = shown.map((tag) => {
    const { element, bars, numbers } = drawn.get(tag) ?? newRow(tag), pair = values.get(tag) ?? [];
    pair.forEach((value, i) => {
      bars[i].style.setProperty("--p", String(value));
      numbers[i].textContent = percent(value);
    });
    element.setAttribute("aria-label", WORDS.row(tag, models.map(({ title }) => title), pair));
    return element;
  });
  if (elements.some((element, i) => rows.children[i] !== element)) rows.replaceChildren(...elements);
};

const step = (/** @type {string} */ scale, /** @type {number} */ value, /** @type {number} */ largest) => {
  const share = (50 * Math.abs(value)) / largest, left = value < 0 ? 50 - share : 50;
  return h("div", { class: `mse-step ${value < 0 ? "down" : "up"}` }, h("span", {}, scaleTitle(scale)),
    h("span", { class: "mse-track" }, h("i", { style: { left: `${left}%`, width: `${Math.max(0.35, share)}%` } })),
    h("b", {}, signed(value)));
};
const drawScales = (/** @type {LiveAnswer} */ answer) => fill(scales, answer.models.map((model, i) => {
  if (model.scales.length < 2) return null;
  const largest = Math.max(1, ...model.relative.map(Math.abs)), words = WORDS.scales(model.leading, models[i].title);
  return h("figure", { class: "mse-waterfall", "aria-label": words }, h("h3", {}, words),
    model.scales.map((scale, s) => step(scale, model.relative[s], largest)), h("figcaption", {}, WORDS.exact));
}));
const legend = () => h("p", { class: "mse-legend" },
  models.map(({ title }, i) => h("span", { class: `model-${i}` }, h("i"), title)));

export const mountLive = (/** @type {HTMLElement} */ place) => {
  drawTools();
  place.append(h("p", { class: "mse-sentence" }, WORDS.intro(offered.live.pieces_a_second ?? 0)), tools, status);
  if (models.length === 0) return;
  picture = new RollingSpectrogram(WORDS.spectrogram, offered.live.frames, offered.live.bands);
  place.append(picture.canvas, h("div", { class: "mse-live-answer" }, h("div", {}, legend(), rows), scales));
};
