// A decoded recording to what the networks take: one channel at their rate, cut into windows; and what is to be known.

import { resample } from "./resample.js";

/** @import { Decoded, Knowledge, Sound } from "./types.d.ts" */

//: As in msecnn/audio/condition.py, whose sentences these are.
const QUIET_DB = -33, MAX_OFFSET_SHARE = 0.01, MIN_KEPT = 0.1, SILENCE = 1e-4, LOUD = 8;
//: Seconds left over at the end that are no window of their own.
const LEFTOVER_S = 0.1;

/** The mean of all channels. */
const mix = (/** @type {Float32Array[]} */ channels) => {
  if (channels.length === 1) return channels[0];
  const mono = new Float32Array(channels[0].length);
  channels.forEach((channel) => channel.forEach((value, i) => { mono[i] += value; }));
  return mono.map((value) => value / channels.length);
};
const squares = (/** @type {Float32Array} */ samples) => samples.reduce((sum, value) => sum + value * value, 0);

/** The mix's power over the mean power of the channels. */
const keptInMix = (/** @type {Float32Array[]} */ channels, /** @type {Float32Array} */ mono) => {
  const separate = channels.reduce((sum, channel) => sum + squares(channel), 0) / channels.length;
  return separate ? squares(mono) / separate : 1;
};

/** @returns {string[]} */
const conditionNotes = (/** @type {Float32Array} */ waveform, /** @type {number} */ kept, silent) => {
  const notes = [], n = waveform.length, peak = waveform.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  if (kept < MIN_KEPT) {
    notes.push(`The channels nearly cancel: mixed to one, ${Number((100 * kept).toPrecision(2))} % of their power is `
      + "left, so the networks get little of what you hear.");
  }
  if (peak < SILENCE) return [...notes, silent];
  if (peak > LOUD) {
    const times = Math.round(peak).toLocaleString("en-US");
    notes.push(`The samples reach ${times} times full scale, so the tags may mean little.`);
  }
  const power = squares(waveform) / n, offset = waveform.reduce((sum, value) => sum + value, 0) / n;
  if (offset ** 2 > MAX_OFFSET_SHARE * power) {
    const signed = `${offset < 0 ? "-" : "+"}${Number(Math.abs(offset).toPrecision(2))}`;
    notes.push(`The samples have a constant offset (DC) of ${signed}, which may change the tags.`);
  }
  const level = 10 * Math.log10(Math.max(power - offset ** 2, 1e-12));
  if (level < QUIET_DB) {
    notes.push(`The recording is far quieter (${level.toFixed(0)} dB) than the music the networks learned from, which `
      + "changes its tags.");
  }
  return notes;
};

const sourceNotes = (/** @type {Decoded} */ { rate, channels }, /** @type {number} */ to) => [
  rate !== to && `Resampled from ${rate.toLocaleString("en-US")} Hz to ${to.toLocaleString("en-US")} Hz.`,
  channels.length > 1 && `Mixed ${channels.length} channels to one.`,
].filter((note) => note !== false);

/** First sample of each window; the last one is moved back so that it is full. */
const windowStarts = (/** @type {number} */ n, /** @type {number} */ length, /** @type {number} */ leftover) => {
  const starts = [];
  let start = 0;
  for (; start + length <= n; start += length) starts.push(start);
  if (start < n && n - start >= (start ? leftover : 1)) starts.push(Math.max(0, n - length));
  return starts;
};
const windowNotes = (/** @type {number} */ n, /** @type {number[]} */ starts, length, rate) => {
  if (n < length) {
    return [`The sound lasts ${(n / rate).toFixed(1)} s and was repeated to fill the `
      + `${(length / rate).toFixed(1)} s of a window.`];
  }
  if (starts.at(-1) === 0 || n % length === 0 || starts.at(-1) !== n - length) return [];
  return [`The last window was moved back to ${((n - length) / rate).toFixed(1)} s, so that it is full.`];
};

/** A sound at the networks' rate, with its windows. @returns {Sound} */
export const cut = (/** @type {Float32Array} */ waveform, /** @type {Knowledge} */ { front_end: config }) => {
  const { sample_rate: rate, window_samples: length } = config, n = waveform.length;
  const starts = windowStarts(n, length, Math.round(LEFTOVER_S * rate)), notes = windowNotes(n, starts, length, rate);
  return { waveform, starts, notes, window_s: Math.min(length, n) / rate, duration_s: n / rate };
};

/** @returns {Sound} */
export const prepare = (/** @type {Decoded} */ decoded, /** @type {Knowledge} */ knowledge) => {
  const to = knowledge.front_end.sample_rate, mono = mix(decoded.channels);
  const sound = cut(resample(mono, decoded.rate, to), knowledge);
  if (!sound.waveform.length) throw new Error(`“${decoded.name}” lasts less than one sample at 12,000 Hz.`);
  const condition = conditionNotes(sound.waveform, keptInMix(decoded.channels, mono), knowledge.notes.silent);
  return { ...sound, notes: [...sourceNotes(decoded, to), ...condition, ...sound.notes] };
};

/** The samples of a window, a shorter recording repeated to fill it. */
export const windowOf = (/** @type {Pick<Sound, "waveform">} */ { waveform }, start, /** @type {number} */ length) => {
  if (waveform.length >= length) return waveform.subarray(start, start + length);
  return Float32Array.from({ length }, (_, i) => waveform[i % waveform.length]);
};
