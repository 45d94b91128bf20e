// Only what lasts at one frequency, or only what is short at many: librosa's separation by medians (Fitzgerald 2010).

import { BINS, soundOf, spectrumOf } from "./stft.js";

//: Values that a median is of; samples that a sound is lengthened to; a number that counts as none.
const WIDE = 31, LEAST = 2 * 2_048, TINY = 1.17549435e-38;

/** Running medians of a line, which is mirrored beyond its ends, the end itself included. */
const medians = (/** @type {Float32Array} */ line) => {
  const half = (WIDE - 1) / 2, n = line.length, result = new Float32Array(n);
  const mirrored = (/** @type {number} */ i) => {
    const at = ((i % (2 * n)) + 2 * n) % (2 * n);
    return line[at < n ? at : 2 * n - 1 - at];
  };
  const sorted = Float32Array.from({ length: WIDE }, (_, i) => mirrored(i - half)).sort();
  for (let i = 0; i < n; i++) {
    result[i] = sorted[half];
    const gone = mirrored(i - half), come = mirrored(i + half + 1);
    let at = sorted.indexOf(gone);
    for (; at + 1 < WIDE && sorted[at + 1] < come; at++) sorted[at] = sorted[at + 1];
    for (; at > 0 && sorted[at - 1] > come; at--) sorted[at] = sorted[at - 1];
    sorted[at] = come;
  }
  return result;
};

/** Medians over frames and over bins of a spectrum's magnitudes (frames, BINS). */
const bothMedians = (/** @type {Float32Array} */ magnitudes, /** @type {number} */ frames) => {
  const lasting = new Float32Array(magnitudes.length), short = new Float32Array(magnitudes.length);
  for (let frame = 0; frame < frames; frame++) {
    short.set(medians(magnitudes.subarray(frame * BINS, (frame + 1) * BINS)), frame * BINS);
  }
  for (let bin = 0; bin < BINS; bin++) {
    medians(Float32Array.from({ length: frames }, (_, frame) => magnitudes[frame * BINS + bin]))
      .forEach((value, frame) => { lasting[frame * BINS + bin] = value; });
  }
  return { lasting, short };
};

/** The share of a cell that belongs to what has the value `own`, beside what has `other`. */
const share = (/** @type {number} */ own, /** @type {number} */ other, /** @type {number} */ undecided) => {
  const most = Math.max(own, other);
  if (most < TINY) return undecided;
  return (own / most) ** 2 / ((own / most) ** 2 + (other / most) ** 2);
};

/**
 * @param {Float32Array} sound
 * @param {"lasting" | "short"} kind
 * @param {number} margin above 1 keeps only what is clearly of that kind
 */
export const separate = (sound, kind, margin) => {
  const longer = new Float32Array(Math.max(sound.length, LEAST));
  longer.set(sound);
  const { re, im, frames } = spectrumOf(longer), magnitudes = re.map((value, i) => Math.hypot(value, im[i]));
  const found = bothMedians(magnitudes, frames), other = kind === "lasting" ? found.short : found.lasting;
  const kept = found[kind].map((own, i) => share(own, Math.fround(other[i] * margin), margin === 1 ? 0.5 : 0));
  const masked = { re: re.map((value, i) => value * kept[i]), im: im.map((value, i) => value * kept[i]), frames };
  return soundOf(masked, longer.length).slice(0, sound.length);
};
