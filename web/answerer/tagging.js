// A sound to each network's tags, window by window, as `tagger.py` does it.

import { meanRow, sigmoid } from "./numbers.js";
import { windowOf } from "./sound.js";

/** @import { Context, Knowledge, NetworkFacts, Sound, Tagged } from "./types.d.ts" */

//: As in msecnn/familiarity.py: how a telephone's band is known.
const TOP_DB = -50, RISE_DB = 30;

/**
 * @param {Context} context
 * @param {Sound} sound
 * @param {(share: number) => void} [progress]
 * @returns {Promise<Tagged[]>}
 */
export const tagWindows = async ({ knowledge, run }, sound, progress) => {
  const { window_samples: length, sample_rate: rate } = knowledge.front_end, windows = [];
  for (const [i, start] of sound.starts.entries()) {
    const { mel, outputs } = await run(windowOf(sound, start, length));
    windows.push({ mel, outputs, start_s: start / rate });
    progress?.((i + 1) / sound.starts.length);
  }
  return windows;
};

export const probabilities = (/** @type {Tagged[]} */ windows, /** @type {number} */ which) =>
  windows.map(({ outputs }) => Array.from(outputs[which].logits, sigmoid));

/** Start and end of each window, seconds. @returns {[number, number][]} */
export const spans = (/** @type {Tagged[]} */ windows, /** @type {Sound} */ { window_s: length }) =>
  windows.map(({ start_s: start }) => [start, start + length]);

// ---- what the tags must be read with
const bandPower = (/** @type {Float32Array} */ mel, /** @type {number} */ n_mels) => {
  const n_frames = mel.length / n_mels;
  return Array.from({ length: n_mels }, (_, band) =>
    mel.subarray(band * n_frames, (band + 1) * n_frames).reduce((sum, db) => sum + 10 ** (db / 10), 0) / n_frames);
};
const mean = (/** @type {number[]} */ values) => values.reduce((sum, value) => sum + value, 0) / values.length;
const isNarrow = (/** @type {number[]} */ power) => {
  const decibels = power.map((value) => 10 * Math.log10(value + 1e-12)), n = decibels.length, step = Math.floor(n / 16);
  if (step < 2) return false;   // too coarse to tell
  const low = decibels.slice(0, Math.floor(n / 6)), rises = low.slice(step).map((value, i) => value - low[i]);
  const top = mean(decibels.slice(-Math.ceil(n / 12)));
  return top - Math.max(...decibels) < TOP_DB && Math.max(...rises) > RISE_DB;
};
/** How far a window's features lie from the training clips; 1 is usual. */
const distance = (/** @type {NetworkFacts} */ { familiar_mean: centre, familiar_axes: axes }, features) => {
  const [n_axes, size] = axes.shape;
  let squares = 0;
  for (let p = 0; p < n_axes; p++) {
    let along = 0;
    for (let c = 0; c < size; c++) along += (features[c] - centre.values[c]) * axes.values[p * size + c];
    squares += along ** 2;
  }
  return Math.sqrt(squares / n_axes);
};
const median = (/** @type {number[]} */ values) => {
  const sorted = [...values].sort((a, b) => a - b), middle = sorted.length / 2;
  return sorted.length % 2 ? sorted[Math.floor(middle)] : (sorted[middle - 1] + sorted[middle]) / 2;
};

/** Sentences that belong beside the tags of a sound. */
export const notesOf = (/** @type {Tagged[]} */ windows, /** @type {Knowledge} */ knowledge) => {
  const { models, notes, front_end: config } = knowledge;
  const narrow = isNarrow(meanRow(windows.map(({ mel }) => bandPower(mel, config.n_mels))));
  const unfamiliar = models.some((model, i) =>
    median(windows.map(({ outputs }) => distance(model, outputs[i].features))) > model.unfamiliar_from);
  return [narrow && notes.narrow, unfamiliar && notes.unfamiliar].filter((note) => note !== false);
};
