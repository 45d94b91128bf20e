// A sound to its short-time spectrum and back as librosa does it by default; for edits of time, pitch and kind.

import { hann, transform } from "./spectrum.js";

export const SIZE = 2_048, HOP = SIZE / 4, BINS = SIZE / 2 + 1;
/** @typedef {{re: Float32Array, im: Float32Array, frames: number}} Spectrum (frames, BINS) */

/** @returns {Spectrum} */
export const emptySpectrum = (/** @type {number} */ frames) =>
  ({ re: new Float32Array(frames * BINS), im: new Float32Array(frames * BINS), frames });

/** Frames are centred on every HOP samples, with silence around the sound. */
export const spectrumOf = (/** @type {Float32Array} */ sound) => {
  const result = emptySpectrum(1 + Math.floor(sound.length / HOP)), window = hann(SIZE);
  const re = new Float64Array(SIZE), im = new Float64Array(SIZE);
  for (let frame = 0; frame < result.frames; frame++) {
    for (let i = 0; i < SIZE; i++) re[i] = (sound[frame * HOP - SIZE / 2 + i] ?? 0) * window[i];
    im.fill(0);
    transform(re, im, -1);
    result.re.set(re.subarray(0, BINS), frame * BINS);
    result.im.set(im.subarray(0, BINS), frame * BINS);
  }
  return result;
};

/** The sound of a spectrum, overlapping frames added and divided by their windows' squares. */
export const soundOf = (/** @type {Spectrum} */ spectrum, /** @type {number} */ length) => {
  const frames = Math.min(spectrum.frames, Math.ceil((length + SIZE) / HOP)), window = hann(SIZE);
  const sum = new Float64Array(SIZE + HOP * (frames - 1)), squares = new Float64Array(sum.length);
  const re = new Float64Array(SIZE), im = new Float64Array(SIZE);
  for (let frame = 0; frame < frames; frame++) {
    for (let bin = 0; bin < BINS; bin++) {   // the upper half mirrors the lower one
      const at = frame * BINS + bin, mirror = (SIZE - bin) % SIZE;
      re[bin] = re[mirror] = spectrum.re[at];
      im[mirror] = -spectrum.im[at];
      im[bin] = mirror === bin ? 0 : spectrum.im[at];
    }
    transform(re, im, 1);
    for (let i = 0; i < SIZE; i++) {
      sum[frame * HOP + i] += (re[i] / SIZE) * window[i];
      squares[frame * HOP + i] += window[i] ** 2;
    }
  }
  return Float32Array.from({ length }, (_, i) => {
    const at = i + SIZE / 2, norm = squares[at] ?? 0;
    return norm > 1.2e-38 ? sum[at] / norm : 0;
  });
};
