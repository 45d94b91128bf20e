// A sound whose short-time spectrum is weighted: same length, same phase; weights of one return it.

/** In place, of a power of two of complex numbers; `sign` -1 forwards, 1 back and not yet divided by their number. */
export const transform = (/** @type {Float64Array} */ re, im, /** @type {number} */ sign) => {
  const n = re.length;
  for (let i = 1, j = 0; i < n; i++) {
    let bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) [re[i], re[j], im[i], im[j]] = [re[j], re[i], im[j], im[i]];
  }
  for (let size = 2; size <= n; size *= 2) butterflies(re, im, size, sign);
};
/**
 * Of one turn in so many steps the first half's cosines and sines.
 * @type {Map<number, {cos: Float64Array, sin: Float64Array}>}
 */
const turns = new Map();
const turnOf = (/** @type {number} */ size) => {
  const angles = Float64Array.from({ length: size / 2 }, (_, k) => (2 * Math.PI * k) / size);
  const turn = turns.get(size) ?? { cos: angles.map(Math.cos), sin: angles.map(Math.sin) };
  turns.set(size, turn);
  return turn;
};
const butterflies = (/** @type {Float64Array} */ re, im, /** @type {number} */ size, /** @type {number} */ sign) => {
  const half = size / 2, { cos, sin } = turns.get(size) ?? turnOf(size);
  for (let k = 0; k < half; k++) {
    const c = cos[k], s = sign * sin[k];
    for (let a = k; a < re.length; a += size) {
      const b = a + half, x = re[b] * c - im[b] * s, y = re[b] * s + im[b] * c;
      re[b] = re[a] - x;
      im[b] = im[a] - y;
      re[a] += x;
      im[a] += y;
    }
  }
};

/** A Hann window of even length, periodic. */
export const hann = (/** @type {number} */ n) =>
  Float64Array.from({ length: n }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / n));

/**
 * @param {Float32Array} waveform
 * @param {number} size samples of a frame, a power of two; frames begin every half of it
 * @param {(bin: number, frame: number, n_bins: number, n_frames: number) => number} weight
 */
export const weighted = (waveform, size, weight) => {
  const hop = size / 2, n_frames = Math.ceil(waveform.length / hop) + 1, n_bins = hop + 1, window = hann(size);
  const length = (n_frames + 1) * hop, padded = new Float64Array(length);
  const sum = new Float64Array(length), norm = new Float64Array(length);
  padded.set(waveform, hop);
  for (let frame = 0; frame < n_frames; frame++) {
    const im = new Float64Array(size);
    const re = padded.slice(frame * hop, frame * hop + size).map((value, i) => value * window[i]);
    transform(re, im, -1);
    for (let i = 0; i < size; i++) {
      const gain = weight(Math.min(i, size - i), frame, n_bins, n_frames);
      re[i] *= gain;
      im[i] *= gain;
    }
    transform(re, im, 1);
    for (let i = 0; i < size; i++) {
      sum[frame * hop + i] += (re[i] / size) * window[i];
      norm[frame * hop + i] += window[i] ** 2;
    }
  }
  return Float32Array.from(waveform, (_, i) => sum[hop + i] / norm[hop + i]);
};

/** Squared magnitudes (frames, bins) of the same frames. */
export const powerOf = (/** @type {Float32Array} */ waveform, /** @type {number} */ size) => {
  const hop = size / 2, frames = Math.ceil(waveform.length / hop) + 1, bins = hop + 1, window = hann(size);
  const power = new Float64Array(frames * bins), re = new Float64Array(size), im = new Float64Array(size);
  for (let frame = 0; frame < frames; frame++) {
    for (let i = 0; i < size; i++) re[i] = (waveform[(frame - 1) * hop + i] ?? 0) * window[i];
    im.fill(0);
    transform(re, im, -1);
    for (let bin = 0; bin < bins; bin++) power[frame * bins + bin] = re[bin] ** 2 + im[bin] ** 2;
  }
  return { power, frames };
};
