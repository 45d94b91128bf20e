// What a cell of a map depends on, in bands, frames, seconds and Hz: `models/layers.py` and `frontend.py` again.

/** @import { FrontEnd, NetworkFacts } from "./types.d.ts" */

/** First and last band, first and last frame that a cell depends on. @returns {[number, number, number, number]} */
export const receptiveField = (/** @type {NetworkFacts} */ { pools, sizes }, level, row, column) => {
  let [low, high, first, last] = [row, row, column, column];
  for (let i = level; i > 0; i--) {   // undo the pooling, then add one cell of the convolution's halo
    const [tall, wide] = pools[i - 1], [rows, columns] = sizes[i - 1];
    [low, high] = [Math.max(low * tall - 1, 0), Math.min(high * tall + tall, rows - 1)];
    [first, last] = [Math.max(first * wide - 1, 0), Math.min(last * wide + wide, columns - 1)];
  }
  return [low, high, first, last];
};

const frameSpan = (/** @type {FrontEnd} */ config, /** @type {number} */ frame) => {
  const { sample_rate: rate, n_fft: size, hop_length: hop } = config, centre = (frame * hop) / rate;
  return [Math.max(0, centre - size / 2 / rate), Math.min(config.window_s, centre + size / 2 / rate)];
};

/** Seconds and Hz of everything that a cell depends on. */
export const fieldOfCell = (
  /** @type {NetworkFacts} */ network, level, row, column, /** @type {FrontEnd} */ config, start_s = 0,
) => {
  const [low, high, first, last] = receptiveField(network, level, row, column);
  return {
    start_s: start_s + frameSpan(config, first)[0], end_s: start_s + frameSpan(config, last)[1],
    low_hz: config.bands_hz[low][0], high_hz: config.bands_hz[high][2],
  };
};

/** How much of the spectrogram a cell in the middle of a level's map depends on. */
export const fieldSize = (/** @type {NetworkFacts} */ network, level, /** @type {FrontEnd} */ config) => {
  const [row, column] = network.crops[level].map((cells) => Math.floor(cells / 2));
  const [low, high] = receptiveField(network, level, row, column);
  const { start_s: start, end_s: end } = fieldOfCell(network, level, row, column, config);
  return { bands: high - low + 1, duration_s: end - start };
};
