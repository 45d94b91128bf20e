// A network on a spectrogram that goes on: of each level only the columns are computed that changed frames reach.
// models/fast/incremental.py again, and besides it keeps what it has when the beginning moves on.

import { emptyMaps, normalised, putColumns, withHalo } from "./maps.js";
import { scaleParts } from "./split.js";

/** @import { Context, Maps, NetworkFacts } from "./types.d.ts" */
/** @typedef {[number, number]} Range from a column to before another */

//: Pooled columns that are computed at once.
const AT_ONCE = 64;

/** The pooled columns that changed ones of the level's input reach. @returns {Range} */
const reached = (/** @type {Range} */ [first, end], /** @type {number} */ wide, /** @type {number} */ columns) =>
  [Math.min(Math.floor(Math.max(first - 1, 0) / wide), columns - 1), Math.min(Math.floor(end / wide) + 1, columns)];
/** @returns {Range[]} In order, those that touch each other as one. */
const joined = (/** @type {Range[]} */ ranges) => ranges.sort(([a], [b]) => a - b).reduce((all, [first, end]) => {
  const last = all.at(-1);
  if (last && first <= last[1]) last[1] = Math.max(last[1], end);
  else all.push([first, end]);
  return all;
}, /** @type {Range[]} */ ([]));

export class GrowingNetwork {
  /**
   * @param {Context} context
   * @param {NetworkFacts} model
   */
  constructor(context, model) {
    this.context = context;
    this.model = model;
    /** @type {Maps[]} Of the input and of each level. */
    this.maps = model.sizes.map(([rows, columns], level) => emptyMaps(1, model.channels[level], rows, columns));
    /** The first level that has to be computed as a whole. */
    this.whole = 1;
  }

  /** The spectrogram's beginning has moved on by so many frames. */
  moveOn(/** @type {number} */ frames) {
    let columns = frames;
    for (let level = 1; level < this.maps.length; level++) {
      columns /= this.model.pools[level - 1][1];
      if (!Number.isInteger(columns)) {
        this.whole = Math.min(this.whole, level);
        return;
      }
      const { values, dims: [, channels, rows, width] } = this.maps[level];
      for (let row = 0; row < channels * rows * width; row += width) {
        values.copyWithin(row, row + columns, row + width);
      }
    }
  }

  /** Computes what changed frames of a mel reach. */
  async update(/** @type {Float32Array} */ mel, /** @type {Range[]} */ changed) {
    const { model: { pools, folded }, maps } = this;
    maps[0] = normalised(this.model, [mel]);
    let ranges = joined(changed);
    for (let level = 1; level < maps.length; level++) {
      const [, , , columns] = maps[level].dims, pool = pools[level - 1];
      ranges = level >= this.whole ? [[0, columns]] : joined(ranges.map((range) => reached(range, pool[1], columns)));
      for (const range of ranges) await this.#compute(level, range, folded[level - 1], pool);
    }
    this.whole = maps.length;
  }
  async #compute(/** @type {number} */ level, /** @type {Range} */ [first, end], filters, pool) {
    for (let from = first; from < end; from += AT_ONCE) {
      const to = Math.min(from + AT_ONCE, end), input = withHalo(this.maps[level - 1], from * pool[1], to * pool[1]);
      putColumns(this.maps[level], await this.context.convolve(input, filters, pool), from);
    }
  }

  /** What the classifier is given: the maximum of each channel of each scale. */
  get features() {
    return Float32Array.from(scaleParts(this.model).flatMap(({ level }) => {
      const { values, dims: [, channels, rows, columns] } = this.maps[level], [tall, wide] = this.model.crops[level];
      return Array.from({ length: channels }, (_, channel) => {
        let most = -Infinity;
        for (let row = channel * rows; row < channel * rows + tall; row++) {
          for (let i = row * columns; i < row * columns + wide; i++) if (values[i] > most) most = values[i];
        }
        return most;
      });
    }));
  }
}
