// The evidence that can be pointed at: blocks of a complete map in which something that is there counts.
// explain/block_events.py again: presence is what lies above the clip's mean; the rest is no place to listen to.

/** @import { Events, FrontEnd } from "./types.d.ts" */

/** Sums of (rows, columns) over blocks; the last ones may be smaller. */
const sums = (/** @type {ArrayLike<number>} */ values, rows, columns, [tall, wide]) => {
  const height = Math.ceil(rows / tall), width = Math.ceil(columns / wide), result = new Float64Array(height * width);
  for (let i = 0; i < rows * columns; i++) {
    result[Math.floor(i / columns / tall) * width + Math.floor((i % columns) / wide)] += values[i];
  }
  return { values: result, height, width };
};

/** The strongest positive blocks, as many as fit into a share of the cells. */
const strongest = (/** @type {Float64Array} */ strengths, /** @type {Float64Array} */ areas, share) => {
  const most = Math.floor(share * areas.reduce((sum, area) => sum + area, 0)), chosen = new Set();
  const order = [...strengths.keys()].filter((i) => strengths[i] > 0).sort((a, b) => strengths[b] - strengths[a]);
  let covered = 0;
  for (const i of order) {
    covered += areas[i];
    if (covered > most) break;
    chosen.add(i);
  }
  return chosen;
};

/** Groups of chosen blocks that share an edge. @returns {number[][]} */
const adjoining = (/** @type {Set<number>} */ chosen, /** @type {number} */ width) => {
  const left = new Set(chosen), groups = [];
  for (const first of chosen) {
    if (!left.delete(first)) continue;
    const group = [first];
    for (const i of group) {   // it grows as it is read
      const beside = [i - width, i + width, ...(i % width ? [i - 1] : []), ...((i + 1) % width ? [i + 1] : [])];
      group.push(...beside.filter((other) => left.delete(other)));
    }
    groups.push(group);
  }
  return groups;
};

const place = (/** @type {number[]} */ group, width, [tall, wide], /** @type {FrontEnd} */ config) => {
  const { sample_rate: rate, hop_length: hop, n_frames, n_mels, bands_hz: bands, window_s } = config;
  const rows = group.map((i) => Math.floor(i / width)), columns = group.map((i) => i % width);
  const last = Math.min((Math.max(...columns) + 1) * wide, n_frames);
  const highest = Math.min((Math.max(...rows) + 1) * tall, n_mels);
  return { start_s: (Math.min(...columns) * wide * hop) / rate, end_s: Math.min(window_s, (last * hop) / rate),
    low_hz: bands[Math.min(...rows) * tall][0], high_hz: bands[highest - 1][2] };
};

/**
 * Each scale's strongest blocks for the tag, or against it, merged where they adjoin; strongest first.
 * @param {Float32Array[]} presence of each scale (F, L), zero where nothing is above the reference
 * @param {string[]} scales
 * @param {1 | -1} sign
 * @param {Events} facts
 * @param {FrontEnd} config
 */
export const blockEvents = (presence, scales, sign, { block, share }, config) => {
  const { n_mels: rows, n_frames: columns } = config;
  const areas = sums(new Uint8Array(rows * columns).fill(1), rows, columns, block);
  const events = scales.flatMap((scale, s) => {
    const { values, width } = sums(presence[s], rows, columns, block);
    const chosen = strongest(values.map((value) => sign * value), areas.values, share);
    return adjoining(chosen, width).map((group) => ({ scale, share: group.reduce((sum, i) => sum + values[i], 0),
      ...place(group, width, block, config) }));
  });
  return events.sort((a, b) => Math.abs(b.share) - Math.abs(a.share));
};
