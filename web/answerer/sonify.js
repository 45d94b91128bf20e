// The window as the evidence sees it, made sound again: explain/sonification.py for the parts that the page offers.

import { presenceOf } from "./saliency.js";
import { windowOf } from "./sound.js";
import { powerOf, weighted } from "./spectrum.js";
import { asked } from "./split.js";
import { wavAddress } from "./wav.js";

/** @import { Context, FrontEnd } from "./types.d.ts" */

//: Of what is heard: the share of the cells; blocks and gates of ITU-R BS.1770-4, as in sonification.py.
const SHARE = 0.15, BLOCK_S = 0.4, BLOCK_HOP_S = 0.1, ABSOLUTE_GATE_DB = -70, RELATIVE_GATE_DB = -10;

/** Ones on the strongest of the positive cells. */
const strongestCells = (/** @type {Float32Array} */ strengths) => {
  const left = strengths.length - Math.floor(SHARE * strengths.length);
  const least = Math.max(0, strengths.slice().sort()[left - 1]);
  return strengths.map((value) => (value > least ? 1 : 0));
};
const maskOf = (/** @type {Float32Array[]} */ presence, /** @type {string[]} */ scales, /** @type {string} */ part) => {
  const s = scales.indexOf(part.replace(/^scale:/, "")), all = ["evidence", "rest"].includes(part);
  if (!all && s < 0) throw new Error(`One cannot listen to '${part.slice(0, 60)}' here.`);
  const together = () => presence[0].map((_, i) => presence.reduce((sum, map) => sum + map[i], 0));
  const mask = strongestCells(all ? together() : presence[s]);
  if (!mask.some(Boolean)) {
    throw new Error("Nothing that is there speaks for this tag, so there is nothing to listen to.");
  }
  return part === "rest" ? mask.map((value) => 1 - value) : mask;
};

/** Of each frequency the band below it, and how near it is to the next one. */
const betweenBands = (/** @type {FrontEnd} */ { n_fft: size, sample_rate: rate, bands_hz: bands }) => {
  const centres = bands.map(([, centre]) => centre), last = centres.length - 2;
  return Array.from({ length: size / 2 + 1 }, (_, bin) => {
    const hz = (bin * rate) / size, band = Math.max(0, Math.min(last, centres.findLastIndex((centre) => centre <= hz)));
    return { band, near: Math.max(0, Math.min(1, (hz - centres[band]) / (centres[band + 1] - centres[band]))) };
  });
};
/** What brings each band of each frame to the band's mean level, as a factor of the amplitude; (F, frames). */
const gainsToMean = (/** @type {Float32Array} */ waveform, /** @type {FrontEnd} */ config, between) => {
  const { n_fft: size, n_mels, floor_db } = config, { power, frames } = powerOf(waveform, size), bins = size / 2 + 1;
  const levels = new Float64Array(n_mels * frames);
  for (let frame = 0; frame < frames; frame++) {
    between.forEach(({ band, near }, /** @type {number} */ bin) => {
      levels[band * frames + frame] += (1 - near) * power[frame * bins + bin];
      levels[(band + 1) * frames + frame] += near * power[frame * bins + bin];
    });
  }
  const decibels = levels.map((value) => 10 * Math.log10(Math.max(value, 10 ** (floor_db / 10))));
  const means = Array.from({ length: n_mels }, (_, band) =>
    decibels.subarray(band * frames, (band + 1) * frames).reduce((sum, value) => sum + value, 0) / frames);
  return { frames, gains: decibels.map((value, i) => 10 ** ((means[Math.floor(i / frames)] - value) / 20)) };
};
const render = (/** @type {Float32Array} */ waveform, /** @type {Float32Array} */ mask, config) => {
  const between = betweenBands(config), { gains, frames } = gainsToMean(waveform, config, between);
  const weight = (/** @type {number} */ band, /** @type {number} */ frame) => {
    const kept = mask[band * config.n_frames + Math.min(frame, config.n_frames - 1)];
    return kept + (1 - kept) * gains[band * frames + frame];
  };
  return weighted(waveform, config.n_fft, (bin, frame) => {
    const { band, near } = between[bin];
    return (1 - near) * weight(band, frame) + near * weight(band + 1, frame);
  });
};

// ---- loudness
const meanOf = (/** @type {number[]} */ values) => values.reduce((sum, value) => sum + value, 0) / values.length;
/** Mean power in dB of the blocks that are heard. */
const loudness = (/** @type {Float32Array} */ waveform, /** @type {number} */ rate) => {
  const block = Math.round(BLOCK_S * rate), hop = Math.round(BLOCK_HOP_S * rate), powers = [];
  for (let start = 0; start === 0 || start + block <= waveform.length; start += hop) {
    powers.push(waveform.subarray(start, start + block).reduce((sum, value) => sum + value * value, 0) / block);
  }
  const heard = powers.filter((power) => power > 10 ** (ABSOLUTE_GATE_DB / 10));
  const loud = heard.filter((power) => power > meanOf(heard) * 10 ** (RELATIVE_GATE_DB / 10));
  return loud.length ? 10 * Math.log10(meanOf(loud)) : -Infinity;
};
/** As loud as the whole window, but no peak beyond full scale. */
const asLoud = (/** @type {Float32Array} */ part, /** @type {Float32Array} */ whole, /** @type {number} */ rate) => {
  const wanted = loudness(whole, rate), had = loudness(part, rate);
  if (!Number.isFinite(wanted) || !Number.isFinite(had)) return part;
  const peak = part.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const gain = Math.min(10 ** ((wanted - had) / 20), 1 / peak);
  return part.map((value) => value * gain);
};

/** One window, of which only a named part is heard. */
export const soundOfPart = async (/** @type {Context} */ context, request, /** @type {string} */ part) => {
  const { opening: { sound }, model, tagged } = asked(context, request), { front_end: config } = context.knowledge;
  const { sample_rate: rate, window_samples } = config, length = Math.min(window_samples, sound.waveform.length);
  const waveform = windowOf(sound, Math.round(tagged.start_s * rate), length);
  const mask = maskOf(await presenceOf(context, request), model.scales, part);
  return asLoud(render(waveform, mask, config), waveform, rate);
};

export const sonify = async (/** @type {Context} */ context, /** @type {any} */ request) => {
  const { tagged: { start_s } } = asked(context, request), { sample_rate: rate } = context.knowledge.front_end;
  const heard = await soundOfPart(context, request, String(request.what));
  return { sound: { url: wavAddress(heard, rate) }, start_s, duration_s: heard.length / rate };
};
