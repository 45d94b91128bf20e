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
export const base64 = (/** @type {Uint8Array} */ bytes) => {
  const parts = [];
  for (let i = 0; i < bytes.length; i += 0x6000) {   // a multiple of three
    parts.push(btoa(String.fromCharCode(...bytes.subarray(i, i + 0x6000))));
  }
  return parts.join("");
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

// ---- signed maps, as msecnn/ui/tabs/why.py draws them
//: Frames that share a column; the quantile that takes the full colour; a map of fewer cells is enlarged.
const FRAMES_A_COLUMN = 2, FULL_COLOUR = 0.995, SPARSE = 0.05;

/** NumPy's quantile, linear between two. */
const quantile = (/** @type {Float32Array} */ sorted, /** @type {number} */ q) => {
  const at = q * (sorted.length - 1), low = Math.floor(at), high = Math.min(low + 1, sorted.length - 1);
  return sorted[low] + (at - low) * (sorted[high] - sorted[low]);
};
/** Joins frames to a column, keeping the value furthest from zero. @returns {Matrix} */
const strongestOf = (/** @type {Matrix} */ { values, rows, columns }, /** @type {number} */ wide) => {
  const width = Math.ceil(columns / wide), result = new Float32Array(rows * width);
  for (let i = 0; i < rows * columns; i++) {
    const at = Math.floor(i / columns) * width + Math.floor((i % columns) / wide);
    if (Math.abs(values[i]) > Math.abs(result[at])) result[at] = values[i];
  }
  return { values: result, rows, columns: width };
};
/** Each cell over its eight neighbours where it is further from zero than they are. @returns {Matrix} */
const thickened = (/** @type {Matrix} */ { values, rows, columns }) => {
  const result = new Float32Array(rows * columns);
  values.forEach((/** @type {number} */ value, /** @type {number} */ i) => {
    if (value === 0) return;
    const row = Math.floor(i / columns), column = i % columns;
    for (let r = Math.max(0, row - 1); r <= Math.min(rows - 1, row + 1); r++) {
      for (let c = Math.max(0, column - 1); c <= Math.min(columns - 1, column + 1); c++) {
        if (Math.abs(value) > Math.abs(result[r * columns + c])) result[r * columns + c] = value;
      }
    }
  });
  return { values: result, rows, columns };
};

/** A signed map for the page to colour: 128 is zero, 255 the value that takes the full colour. */
export const signedMap = (/** @type {Matrix} */ map) => {
  const strengths = Float32Array.from(map.values).filter((value) => value !== 0).map(Math.abs).sort();
  const limit = strengths.length ? quantile(strengths, FULL_COLOUR) : 0, joined = strongestOf(map, FRAMES_A_COLUMN);
  const sparse = strengths.length < SPARSE * map.values.length;
  const { values, rows, columns } = sparse ? thickened(joined) : joined;
  const bytes = new Uint8Array(rows * columns);
  for (let i = 0; i < rows * columns; i++) {
    const value = limit === 0 ? 0 : Math.max(-127, Math.min(127, Math.round((values[i] * 127) / limit)));
    bytes[(rows - 1 - Math.floor(i / columns)) * columns + (i % columns)] = 128 + value;
  }
  return { picture: picture(bytes, rows, columns), limit, thickened: sparse };
};
