// Matrices to small pictures that the page colours itself: 8-bit greyscale bitmaps, as `ui/pictures.py` makes PNGs.

/** @import { Matrix } from "./types.d.ts" */

const HEADER = 54, COLOURS = 1024;

/** A bitmap with one byte a pixel; its rows are padded to four bytes and run from the lowest up. */
const bitmap = (/** @type {Uint8Array} */ grey, /** @type {number} */ rows, /** @type {number} */ columns) => {
  const stride = (columns + 3) & ~3, offset = HEADER + COLOURS, bytes = new Uint8Array(offset + stride * rows);
  const view = new DataView(bytes.buffer), write = (/** @type {number} */ at, /** @type {number} */ value) =>
    view.setUint32(at, value, true);
  bytes.set([0x42, 0x4d]);
  [[2, bytes.length], [10, offset], [14, 40], [18, columns], [22, rows], [26, 1 | (8 << 16)], [34, stride * rows],
    [46, 256]].forEach(([at, value]) => write(at, value));
  for (let value = 0; value < 256; value++) write(HEADER + 4 * value, value * 0x010101);
  for (let row = 0; row < rows; row++) {
    bytes.set(grey.subarray(row * columns, (row + 1) * columns), offset + (rows - 1 - row) * stride);
  }
  return bytes;
};
const base64 = (/** @type {Uint8Array} */ bytes) => {
  const parts = [];
  for (let i = 0; i < bytes.length; i += 0x6000) {
    parts.push(btoa(String.fromCharCode(...bytes.subarray(i, i + 0x6000))));
  }
  return parts.join("");   // each part's length is a multiple of three
};

/** Grey values, row 0 on top, as a data URI. */
export const picture = (/** @type {Uint8Array} */ grey, /** @type {number} */ rows, /** @type {number} */ columns) =>
  `data:image/bmp;base64,${base64(bitmap(grey, rows, columns))}`;

/** A matrix with its first row at the bottom, `low` black and `high` white. */
export const grey = (/** @type {Matrix} */ { values, rows, columns }, /** @type {number} */ low, high) => {
  const bytes = new Uint8Array(rows * columns), scale = high > low ? 255 / (high - low) : 0;
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const value = Math.round((values[row * columns + column] - low) * scale);
      bytes[(rows - 1 - row) * columns + column] = Math.max(0, Math.min(255, value));
    }
  }
  return bytes;
};

/** Grey over a map's own range. */
export const ownGrey = (/** @type {Matrix} */ map) => {
  let low = Infinity, high = -Infinity;
  for (const value of map.values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return grey(map, low, high);
};

/** A map joined by maxima, as the network itself would, until it is no larger than asked for. @returns {Matrix} */
export const pooled = (/** @type {Matrix} */ { values, rows, columns }, largest) => {
  const [most, widest] = largest;
  const tall = Math.ceil(rows / most), wide = Math.ceil(columns / widest);
  const height = Math.ceil(rows / tall), width = Math.ceil(columns / wide);
  const result = new Float32Array(height * width).fill(-Infinity);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const at = Math.floor(row / tall) * width + Math.floor(column / wide), value = values[row * columns + column];
      if (value > result[at]) result[at] = value;
    }
  }
  return { values: result, rows: height, columns: width };
};

/** A whole picture of a map. */
export const mapPicture = (/** @type {Matrix} */ map, /** @type {readonly number[]} */ largest) => {
  const small = pooled(map, largest);
  return picture(ownGrey(small), small.rows, small.columns);
};
