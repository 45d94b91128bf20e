// Edits of a sound that a browser makes at once: boxes of seconds by Hz, level, direction, and bands cut away.

import { weighted } from "./spectrum.js";

/** @typedef {(waveform: Float32Array, rate: number, start_s: number) => Float32Array} Edit */

//: Seconds of a spectrum's frame, and what a side left open reaches to: as in msecnn/what_if/regions.py.
const FRAME_S = 512 / 12_000, MAX_S = 86_400, MAX_HZ = 1e6;
//: Of torchaudio's filters.
const QUALITY = 0.707;

const number = (/** @type {string} */ text, /** @type {string} */ name) => {
  const value = text.trim() === "" ? NaN : Number(text);
  if (!Number.isFinite(value)) throw new Error(`${name} takes numbers, not '${text.trim().slice(0, 60)}'.`);
  return value;
};
const between = (/** @type {number} */ value, low, high, /** @type {string} */ what) => {
  if (value >= low && value <= high) return value;
  throw new Error(`The ${what} is a number from ${low} to ${high}, not ${value}.`);
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
const regionsOf = (/** @type {string} */ text, /** @type {string} */ name) =>
  text.split("+").filter((part) => part.trim()).map((part) => region(part, name));

// ---- filters: second-order Butterworth, as torchaudio's biquads
const biquad = (/** @type {Float32Array} */ waveform, [b0, b1, b2, a0, a1, a2]) => {
  let x1 = 0, x2 = 0, y1 = 0, y2 = 0;
  return waveform.map((x) => {
    const y = (b0 * x + b1 * x1 + b2 * x2 - a1 * y1 - a2 * y2) / a0;
    [x2, x1, y2, y1] = [x1, x, y1, y];
    return Math.max(-1, Math.min(1, y));
  });
};
const pass = (/** @type {Float32Array} */ waveform, /** @type {number} */ rate, hz, /** @type {1 | -1} */ sign) => {
  if (!(hz < rate / 2)) throw new Error(`A cut at ${hz} Hz needs sound that reaches higher than ${rate / 2} Hz.`);
  const w = (2 * Math.PI * hz) / rate, cos = Math.cos(w), alpha = Math.sin(w) / 2 / QUALITY, edge = 1 - sign * cos;
  return biquad(waveform, [edge / 2, sign * edge, edge / 2, 1 + alpha, -2 * cos, 1 - alpha]);
};
const hertz = (/** @type {string} */ text, /** @type {string} */ name) =>
  between(number(text, name), 10, 24_000, `cutoff of ${name}`);

/** @type {Record<string, (argument: string) => Edit>} */
const EDITS = {
  remove: (text) => {
    const regions = regionsOf(text, "remove");
    return (waveform, rate, start_s) => {
      const gone = inside(waveform, rate, start_s, regions);
      return waveform.map((value, i) => value - gone[i]);
    };
  },
  keep: (text) => {
    const regions = regionsOf(text, "keep");
    return (waveform, rate, start_s) => inside(waveform, rate, start_s, regions);
  },
  level: (text) => {
    const gain = 10 ** (between(number(text, "level"), -60, 60, "decibels of level") / 20);
    return (waveform) => waveform.map((value) => value * gain);
  },
  low_cut: (text) => (waveform, rate) => pass(waveform, rate, hertz(text, "low_cut"), -1),
  high_cut: (text) => (waveform, rate) => pass(waveform, rate, hertz(text, "high_cut"), 1),
  reverse: () => (waveform) => waveform.slice().reverse(),
};

/** The edit that a text names, as `remove=3.2:4.0,200:800`. @returns {Edit} */
export const parse = (/** @type {string} */ text, /** @type {string} */ refused) => {
  const [name, ...rest] = text.split("=");
  if (!(name in EDITS)) throw new Error(`${refused} Here an edit is ${Object.keys(EDITS).join(", ")}.`);
  return EDITS[name](rest.join("="));
};
