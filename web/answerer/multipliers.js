// Shapley values of every maximum, composed through all levels: models/fast/shapley_multipliers.py again.
// Upwards the window and what it is measured from; downwards, for each scale, what a cell is worth to its term.

import { emptyMaps, normalised, turned, withHalo } from "./maps.js";
import { Maximum } from "./shapley.js";
import { scaleParts } from "./split.js";

/** @import { Context, Level, Maps, NetworkFacts } from "./types.d.ts" */
/** What the way down needs of a level: of its convolution's cells the multipliers. */
/** @typedef {{level: Level, pool: [number, number], output: Maps, multipliers: Maps}} Passed */

//: Columns of a pooled map that level 1, whose whole map is 67 MB of two, is computed in at once.
const STRIP = 64;

// ---- upwards
/** One strip of a convolution's maps of two to the pooled ones, and to the multipliers of its cells. */
const poolStrip = (/** @type {Maps} */ conv, /** @type {Passed} */ { pool, output, multipliers }, first) => {
  const [tall, wide] = pool;
  const [, channels, rows, columns] = conv.dims, [, , height, width] = output.dims, maximum = new Maximum(tall * wide);
  const cells = cellsOf(tall, wide, columns), places = cellsOf(tall, wide, multipliers.dims[3]), n = cells.length;
  const half = conv.values.length / 2, pooled = columns / wide;
  for (let at = 0; at < channels * height * pooled; at++) {
    const line = Math.floor(at / pooled), q = at % pooled, c = Math.floor(line / height), r = line % height;
    const row = c * rows + r * tall, corner = row * columns + q * wide, place = line * width + first + q;
    let x = -Infinity, y = -Infinity;
    for (let i = 0; i < n; i++) {
      x = Math.max(x, (maximum.x[i] = conv.values[corner + cells[i]]));
      y = Math.max(y, (maximum.y[i] = conv.values[half + corner + cells[i]]));
    }
    maximum.share(n, true);
    output.values[place] = x > 0 ? x : Math.expm1(x);
    output.values[output.values.length / 2 + place] = y > 0 ? y : Math.expm1(y);
    const down = row * multipliers.dims[3] + (first + q) * wide;
    for (let i = 0; i < n; i++) multipliers.values[down + places[i]] = maximum.multipliers[i];
  }
};
/** Where the cells of a pooling lie from its first. */
const cellsOf = (/** @type {number} */ tall, /** @type {number} */ wide, /** @type {number} */ columns) =>
  Int32Array.from({ length: tall * wide }, (_, i) => Math.floor(i / wide) * columns + (i % wide));

/** @returns {Promise<Passed>} */
const upwards = async (/** @type {Context} */ { convolve }, /** @type {Maps} */ x, level, /** @type {any} */ pool) => {
  const [, before, rows, columns] = x.dims, [channels] = level.shape, [tall, wide] = pool;
  const width = Math.floor(columns / wide), output = emptyMaps(2, channels, Math.floor(rows / tall), width);
  const passed = { level, pool, output, multipliers: emptyMaps(1, channels, rows, columns) };
  const step = before === 1 ? STRIP : width;
  for (let first = 0; first < width; first += step) {
    const end = Math.min(first + step, width);
    poolStrip(await convolve(withHalo(x, first * wide, end * wide), level), passed, first);
  }
  return passed;
};

// ---- the classifier's maxima of whole maps
/** Each channel's weight, shared by the cells of its map; and by how much both ends' maxima differ, weighed. */
const ofGlobalMaximum = (/** @type {Maps} */ { values, dims: [, channels, rows, columns] }, weights, [tall, wide]) => {
  const result = emptyMaps(1, channels, rows, columns), half = values.length / 2, maximum = new Maximum(tall * wide);
  let change = 0;
  for (let c = 0; c < channels; c++) {
    let x = -Infinity, y = -Infinity;
    const place = (/** @type {number} */ i) => (c * rows + Math.floor(i / wide)) * columns + (i % wide);
    for (let i = 0; i < tall * wide; i++) {
      x = Math.max(x, (maximum.x[i] = values[place(i)]));
      y = Math.max(y, (maximum.y[i] = values[half + place(i)]));
    }
    maximum.share(tall * wide, false);
    for (let i = 0; i < tall * wide; i++) result.values[place(i)] = maximum.multipliers[i] * weights[c];
    change += weights[c] * (x - y);
  }
  return { row: result, change };
};

// ---- downwards
/** Of level 1, whose input is one map: every cell to the nine of its filter. */
const scatter = (/** @type {Passed} */ { level: { weight }, multipliers, pool }, /** @type {Maps} */ row) => {
  const [, channels, rows, columns] = multipliers.dims, [, , height, width] = row.dims, padded = columns + 2;
  const [tall, wide] = pool, filter = cellsOf(3, 3, padded), cells = cellsOf(tall, wide, columns);
  const sums = new Float64Array((rows + 2) * padded), result = emptyMaps(1, 1, rows, columns);
  for (let at = 0; at < channels * height * width; at++) {
    const worth = row.values[at], line = Math.floor(at / width), c = Math.floor(line / height);
    if (worth === 0) continue;
    const r = (line % height) * tall, corner = (c * rows + r) * columns + (at % width) * wide;
    for (let i = 0; i < cells.length; i++) {
      const share = multipliers.values[corner + cells[i]] * worth;
      const to = (r + Math.floor(i / wide)) * padded + (at % width) * wide + (i % wide);
      if (share !== 0) for (let k = 0; k < 9; k++) sums[to + filter[k]] += share * weight[c * 9 + k];
    }
  }
  for (let r = 0; r < rows; r++) {
    result.values.set(sums.subarray((r + 1) * padded + 1, (r + 1) * padded + 1 + columns), r * columns);
  }
  return result;
};
/** From what a level's maps are worth to what its input is. */
const downwards = async (/** @type {Context} */ { convolve }, passed, /** @type {Maps} */ row) => {
  const { level, multipliers, pool: [tall, wide] } = passed, [, channels, rows, columns] = multipliers.dims;
  if (level.shape[1] === 1) return scatter(passed, row);
  const [, , height, width] = row.dims, spread = emptyMaps(1, channels, rows, columns);
  const cells = cellsOf(tall, wide, columns);
  for (let at = 0; at < row.values.length; at++) {
    const q = at % width, r = Math.floor(at / width) % height, c = Math.floor(at / width / height);
    const corner = (c * rows + r * tall) * columns + q * wide;
    for (const cell of cells) spread.values[corner + cell] = multipliers.values[corner + cell] * row.values[at];
  }
  return convolve(withHalo(spread), turned(level));
};

/**
 * What each decibel of each cell is worth to each scale's term of a tag's logit, and the change they add up to.
 * @param {Context} context
 * @param {NetworkFacts} model
 * @param {number} k of the tag
 * @param {[Float32Array, Float32Array]} mels of the window, and of what stands for "nothing there"
 * @param {(share: number) => Promise<void>} step told what is done
 * @returns {Promise<{multipliers: Float32Array[], change: number}>} (F, L) of each scale
 */
export const shapleyMultipliers = async (context, model, k, mels, step) => {
  const { folded, pools, crops, classifier: { values: weights, shape: [, size] } } = model;
  const input = normalised(model, mels), parts = scaleParts(model);
  const highest = Math.max(...parts.map(({ level }) => level));
  /** @type {Passed[]} */
  const passed = [];
  for (let level = 0; level < highest; level++) {
    passed.push(await upwards(context, passed.at(-1)?.output ?? input, folded[level], pools[level]));
    await step((0.4 * (level + 1)) / highest);
  }
  /** @type {(Maps | null)[]} What each scale's way down has come to. */
  const rows = parts.map(() => null);
  let change = 0;
  for (let level = highest; level >= 0; level--) {
    const own = parts.findIndex((part) => part.level === level), { first, end } = parts[own] ?? { first: 0, end: 0 };
    if (own >= 0) {
      const worth = weights.subarray(k * size + first, k * size + end);
      const found = ofGlobalMaximum(level ? passed[level - 1].output : input, worth, crops[level]);
      rows[own] = found.row;
      change += found.change;
    }
    for (let s = 0; level > 0 && s < rows.length; s++) {
      const row = rows[s];
      if (row) rows[s] = await downwards(context, passed[level - 1], row);
    }
    await step(0.4 + (0.6 * (highest - level + 1)) / (highest + 1));
  }
  const { values: scale } = model.input_scale, columns = input.dims[3];
  const multipliers = rows.map((row) =>
    /** @type {Maps} */ (row).values.map((value, i) => value * scale[Math.floor(i / columns)]));
  return { multipliers, change };
};
