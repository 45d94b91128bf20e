// Edits of a sound as text and as what they do; what their parameters may be, the page's own list says.

import { bandCut, highCut, lowCut, telephone } from "./filters.js";
import { noise } from "./noise.js";
import { separate } from "./separation.js";
import { weighted } from "./spectrum.js";
import { pitch, speed } from "./vocoder.js";

/** @import { Knowledge } from "./types.d.ts" */
/** @import { Parameter } from "../../msecnn/ui/static/types.d.ts" */
/** @typedef {(waveform: Float32Array, rate: number, start_s: number) => Float32Array} Apply */
/** `stretch` is how much longer the sound is afterwards. */
/** @typedef {{text: string, name: string, stretch: number, apply: Apply}} Edit */
/** @typedef {(waveform: Float32Array, rate: number, ...numbers: number[]) => Float32Array} Change */

//: Seconds of a spectrum's frame, and what a side left open reaches to: as in msecnn/what_if/regions.py.
const FRAME_S = 512 / 12_000, MAX_S = 86_400, MAX_HZ = 1e6;
//: Longest and shortest sound, seconds, at any point of a chain.
const LONGEST_S = 600, SHORTEST_S = 0.1;

const number = (/** @type {string} */ text, /** @type {string} */ name) => {
  const value = text.trim() === "" ? NaN : Number(text);
  if (!Number.isFinite(value)) throw new Error(`${name} takes numbers, not '${text.trim().slice(0, 60)}'.`);
  return value;
};

// ---- regions
const span = (/** @type {string} */ text, /** @type {number} */ highest, name) => {
  const [low, high] = text.split(":").map((part) => part.trim());
  const from = low ? number(low, name) : 0, to = high ? number(high, name) : highest;
  if (!(from >= 0 && from <= to && to <= highest)) throw new Error(`A region of ${name} is in order, not ${text}.`);
  return [from, to];
};
const region = (/** @type {string} */ text, /** @type {string} */ name) => {
  const [seconds, hz = `0:${MAX_HZ}`] = text.split(",");
  if (!seconds.includes(":") || !hz.includes(":")) {
    throw new Error(`A region of ${name} is seconds and Hz, as 3.2:4.0,200:800, not '${text.slice(0, 60)}'.`);
  }
  return { seconds: span(seconds, MAX_S, name), hz: span(hz, MAX_HZ, name) };
};
/** Of each cell, one step wide around a multiple of it, the share between two limits. */
const shares = (/** @type {number} */ n, step, /** @type {number} */ low, /** @type {number} */ high) => {
  const bottom = low < high && low === 0 ? -0.5 * step : low;
  const top = low < high && high >= (n - 1) * step ? (n - 0.5) * step : high;
  return Array.from({ length: n }, (_, i) => Math.max(0, Math.min(1,
    (Math.min((i + 0.5) * step, top) - Math.max((i - 0.5) * step, bottom)) / step)));
};
/** What of a sound lies in regions, whose seconds are the recording's. */
const inside = (waveform, rate, start_s, regions) => {
  const size = 2 ** Math.round(Math.log2(FRAME_S * rate)), n_bins = size / 2 + 1, length_s = waveform.length / rate;
  const n_frames = Math.ceil(waveform.length / (size / 2)) + 1;
  const masks = regions.map(({ seconds: [from, to], hz }) => {
    const end = to === MAX_S ? MAX_S : Math.max(0, to - start_s);
    return { bins: shares(n_bins, rate / size, hz[0], hz[1]),
      frames: shares(n_frames, size / 2 / rate, Math.max(0, from - start_s), end >= length_s ? MAX_S : end) };
  });
  const share = (/** @type {number} */ bin, /** @type {number} */ frame) =>
    Math.max(0, ...masks.map(({ bins, frames }) => bins[bin] * frames[frame]));
  return weighted(waveform, size, share);
};
/** @type {Record<string, (regions: object[]) => Apply>} */
const CUTS = {
  keep: (regions) => (waveform, rate, start_s) => inside(waveform, rate, start_s, regions),
  remove: (regions) => (waveform, rate, start_s) => {
    const gone = inside(waveform, rate, start_s, regions);
    return waveform.map((value, i) => value - gone[i]);
  },
};

// ---- edits with numbers, in the order of their parameters
const level = (/** @type {Float32Array} */ waveform, _rate, /** @type {number} */ decibels) => {
  const gain = 10 ** (decibels / 20);
  return waveform.map((value) => value * gain);
};
const clipping = (/** @type {Float32Array} */ waveform, _rate, /** @type {number} */ depth) => {
  const most = waveform.reduce((peak, value) => Math.max(peak, Math.abs(value)), 0) * 10 ** (-depth / 20);
  return waveform.map((value) => Math.max(-most, Math.min(most, value)));
};
/** @type {Record<string, Change>} */
const CHANGES = {
  speed: (waveform, _rate, times) => speed(waveform, times),
  pitch: (waveform, _rate, semitones) => pitch(waveform, semitones),
  harmonic: (waveform, _rate, margin) => separate(waveform, "lasting", margin),
  percussive: (waveform, _rate, margin) => separate(waveform, "short", margin),
  low_cut: (waveform, rate, hz) => lowCut(waveform, rate, hz),
  high_cut: (waveform, rate, hz) => highCut(waveform, rate, hz),
  band_cut: bandCut, telephone, level, clipping, noise,
  reverse: (waveform) => waveform.slice().reverse(),
  mono: (waveform) => waveform,   // the networks are given one channel anyway
};

/** A parameter's value within its limits. */
const valueOf = (/** @type {Parameter} */ parameter, /** @type {string | undefined} */ word, edit) => {
  const { title, unit = "", low = -Infinity, high, whole, value: usual } = parameter;
  const value = word === undefined ? Number(usual) : number(word, edit), most = high ?? Infinity;
  if (value >= low && value <= most && !(whole && value % 1)) return value;
  const limits = `${low} to ${high ?? "inf"} ${unit}`.trim();
  throw new Error(`The ${title} of ${edit} is ${whole ? "a whole number" : "a number"} from ${limits}, not ${value}.`);
};
const kindOf = (/** @type {Knowledge} */ knowledge, /** @type {string} */ name) => {
  const kind = knowledge.edits.find((other) => other.name === name);
  const names = knowledge.edits.map((one) => one.name);
  if (!kind) throw new Error(`${knowledge.refused["what-if"]} Here an edit is ${names.join(", ")}.`);
  return kind;
};

/** The edit that a text names, as `remove=3.2:4.0,200:800` or `speed=1.06`. @returns {Edit} */
export const parse = (/** @type {string} */ text, /** @type {Knowledge} */ knowledge) => {
  const [name, ...rest] = text.split("="), kind = kindOf(knowledge, name), given = rest.join("=");
  if (kind.box) {
    const regions = given.split("+").filter((part) => part.trim()).map((part) => region(part, name));
    return { text, name, stretch: 1, apply: CUTS[name](regions) };
  }
  const words = given ? given.split(",") : [];
  if (words.length > kind.parameters.length) throw new Error(`${name} takes fewer numbers than ${given.slice(0, 60)}.`);
  const values = kind.parameters.map((parameter, i) => valueOf(parameter, words[i], name));
  return { text, name, stretch: name === "speed" ? 1 / values[0] : 1,
    apply: (waveform, rate) => CHANGES[name](waveform, rate, ...values) };
};

/** The edit with another value of its first parameter. @returns {Edit} */
export const strengthened = (/** @type {string} */ text, /** @type {number} */ strength, knowledge) =>
  parse(`${text.split("=")[0]}=${strength}`, knowledge);

const checkLength = (/** @type {number} */ seconds, /** @type {string} */ subject) => {
  if (seconds >= SHORTEST_S && seconds <= LONGEST_S) return;
  const length = Number(seconds.toPrecision(4));
  throw new Error(`${subject} would last ${length} s; it must be ${SHORTEST_S} to ${LONGEST_S} s: name a part.`);
};
/** The sound after all edits, in their order. */
export const applyChain = (/** @type {Edit[]} */ edits, /** @type {Float32Array} */ waveform, rate, start_s) => {
  checkLength(waveform.length / rate, "What is edited");
  return edits.reduce((sound, { text, stretch, apply }) => {
    checkLength((sound.length / rate) * stretch, `The sound after ${text}`);
    return apply(sound, rate, start_s);
  }, waveform);
};
