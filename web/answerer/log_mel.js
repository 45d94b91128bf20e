// Frames of the log-mel spectrogram by themselves, for sound that is still growing; frontend/numpy_log_mel.py again.

import { hann, transform } from "./spectrum.js";

/** @import { Knowledge } from "./types.d.ts" */

/** Of each band the bins that count, and their weights. */
const triangles = (/** @type {Knowledge} */ { filterbank: { values, shape: [n_mels, bins] } }) =>
  Array.from({ length: n_mels }, (_, band) => {
    const row = values.subarray(band * bins, (band + 1) * bins), first = row.findIndex((weight) => weight > 0);
    return { first, weights: row.subarray(first, row.findLastIndex((weight) => weight > 0) + 1) };
  });

/**
 * What gives the frames of a sound from one on: (F, n) dB. Before its beginning and after its end lies silence.
 * @returns {(sound: Float32Array, first: number, end: number) => Float32Array}
 */
export const frameMaker = (/** @type {Knowledge} */ knowledge) => {
  const { n_fft: size, hop_length: hop, n_mels, floor_db } = knowledge.front_end, bands = triangles(knowledge);
  const window = hann(size), least = 10 ** (floor_db / 10), power = new Float32Array(size / 2 + 1);
  const re = new Float64Array(size), im = new Float64Array(size);
  return (sound, first, end) => {
    const mel = new Float32Array(n_mels * (end - first));
    for (let frame = first; frame < end; frame++) {
      for (let i = 0; i < size; i++) re[i] = (sound[frame * hop - size / 2 + i] ?? 0) * window[i];
      im.fill(0);
      transform(re, im, -1);
      for (let i = 0; i < power.length; i++) power[i] = re[i] ** 2 + im[i] ** 2;
      bands.forEach(({ first: bin, weights }, band) => {
        const sum = weights.reduce((all, weight, i) => all + weight * power[bin + i], 0);
        mel[band * (end - first) + frame - first] = 10 * Math.log10(Math.max(sum, least));
      });
    }
    return mel;
  };
};
