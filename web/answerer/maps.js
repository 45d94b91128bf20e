// Maps (n, channels, rows, columns) of a level, and a level computed for some of its columns.

/** @import { Level, Maps, NetworkFacts } from "./types.d.ts" */

/** @returns {Maps} */
export const emptyMaps = (/** @type {number} */ n, channels, rows, /** @type {number} */ columns) =>
  ({ values: new Float32Array(n * channels * rows * columns), dims: [n, channels, rows, columns] });

/** The columns from `first` to before `end`, with one more on each side: what is beside, or zeros at an edge. */
export const withHalo = (/** @type {Maps} */ { values, dims }, first = 0, end = dims[3]) => {
  const [n, channels, rows, columns] = dims;
  const width = end - first + 2, result = emptyMaps(n, channels, rows, width);
  const from = Math.max(first - 1, 0), to = Math.min(end + 1, columns), at = from - (first - 1);
  for (let row = 0; row < n * channels * rows; row++) {
    result.values.set(values.subarray(row * columns + from, row * columns + to), row * width + at);
  }
  return result;
};

/** Puts columns into maps of the same rows, from a column on. */
export const putColumns = (/** @type {Maps} */ into, /** @type {Maps} */ part, /** @type {number} */ first) => {
  const [n, channels, rows, columns] = into.dims, width = part.dims[3];
  for (let row = 0; row < n * channels * rows; row++) {
    into.values.set(part.values.subarray(row * width, (row + 1) * width), row * columns + first);
  }
};

/** The spectrogram as a network takes it in: each band normalised. */
export const normalised = (/** @type {NetworkFacts} */ model, /** @type {Float32Array[]} */ mels) => {
  const { input_scale: { values: scale }, input_shift: { values: shift } } = model, rows = scale.length;
  const columns = mels[0].length / rows, result = emptyMaps(mels.length, 1, rows, columns);
  mels.forEach((mel, n) => mel.forEach((value, i) => {
    const row = Math.floor(i / columns);
    result.values[n * mel.length + i] = Math.fround(value * scale[row]) + shift[row];
  }));
  return result;
};

/** A level's filters for the way down: from what its maps are worth to what their input is. @returns {Level} */
export const turned = (/** @type {Level} */ { shape: [after, before], weight }) => {
  const result = new Float32Array(weight.length);
  for (let a = 0; a < after; a++) {
    for (let b = 0; b < before; b++) {
      for (let k = 0; k < 9; k++) result[(b * after + a) * 9 + 8 - k] = weight[(a * before + b) * 9 + k];
    }
  }
  return { shape: [before, after, 3, 3], weight: result, bias: new Float32Array(before) };
};
