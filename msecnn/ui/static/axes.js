// The spectrogram's axes: from seconds and Hz to places on a canvas and back, and how they are drawn.

import { clock } from "./format.js";
import { fixed } from "./language.js";

/** Around the picture, pixels. */
export const GUTTER = { left: 46, right: 14, top: 6, bottom: 22 };
const HZ_TICKS = [100, 250, 500, 1000, 2000, 4000, 8000, 16000];
const TIME_STEPS = [0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600];
//: Room that a tick of the time axis takes with its words, pixels; and from which length on it is read as m:ss.
const TICK_WIDTH = 62, LONG_S = 60;
//: Room that a tick of the Hz axis takes, pixels.
const TICK_HEIGHT = 12;

/** @typedef {[start: number, end: number]} Span seconds that the picture shows */

export const innerWidth = (/** @type {number} */ width) => width - GUTTER.left - GUTTER.right;
export const innerHeight = (/** @type {number} */ height) => height - GUTTER.top - GUTTER.bottom;

export const toX = (/** @type {Span} */ [start, end], /** @type {number} */ seconds, /** @type {number} */ width) =>
  GUTTER.left + ((seconds - start) / (end - start)) * innerWidth(width);
export const toSeconds = (/** @type {Span} */ [start, end], /** @type {number} */ x, /** @type {number} */ width) =>
  start + ((x - GUTTER.left) / innerWidth(width)) * (end - start);

/**
 * Bands are equally high; between two centres the frequency is read linearly. 0 is the lowest band's centre.
 * @param {[number, number, number][]} bands
 * @param {number} hz
 */
export const hzToRow = (bands, hz) => {
  const above = bands.findIndex(([, centre]) => centre >= hz);
  if (above <= 0) return above === 0 ? 0 : bands.length - 1;
  return above - (bands[above][1] - hz) / (bands[above][1] - bands[above - 1][1]);
};
/** The frequency at a row, as `hzToRow` counts them. */
export const rowToHz = (/** @type {[number, number, number][]} */ bands, /** @type {number} */ row) => {
  if (row <= 0) return row <= -0.5 ? 0 : bands[0][1];
  const below = Math.floor(row);
  if (below >= bands.length - 1) return bands[bands.length - 1][2];
  return bands[below][1] + (row - below) * (bands[below + 1][1] - bands[below][1]);
};
export const hzToY = (/** @type {[number, number, number][]} */ bands, /** @type {number} */ hz, height) =>
  GUTTER.top + innerHeight(height) * (1 - (hzToRow(bands, hz) + 0.5) / bands.length);

/** Which cell of a picture (columns, rows), of which a share is drawn, lies at x, y; null beside it. */
export const cellAt = ({ width: columns, height: rows }, x, y, box, [from, to] = [0, 1]) => {
  const row = Math.floor(((y - GUTTER.top) / innerHeight(box.height)) * rows);
  const across = (x - GUTTER.left) / innerWidth(box.width);
  const column = Math.round((from + across * (to - from)) * (columns - 1));
  return row < 0 || row >= rows || across < 0 || across > 1 ? null : { row, column };
};

const timeTicks = ([start, end], width) => {
  const step = TIME_STEPS.find((s) => ((end - start) / s) * TICK_WIDTH < width) ?? 1200;
  const first = Math.ceil(start / step - 1e-9), n = Math.floor(end / step + 1e-9) - first + 1;
  const digits = step >= 1 ? 0 : step >= 0.1 ? 1 : 2;
  return Array.from({ length: n }, (_, i) => ({ time: (first + i) * step, digits }));
};
const write = (context, { colour, font }, align, baseline) => {
  Object.assign(context, { fillStyle: colour, font: `12px ${font}`, textAlign: align, textBaseline: baseline });
};
export const drawTimeAxis = (context, /** @type {Span} */ span, { width, height, style, duration }) => {
  write(context, style, "center", "top");
  for (const { time, digits } of timeTicks(span, innerWidth(width))) {
    const x = toX(span, time, width);
    context.fillRect(Math.round(x), height - GUTTER.bottom, 1, 4);
    const words = duration >= LONG_S ? clock(time, digits) : `${fixed(time, digits)} s`;
    context.fillText(words, x, height - GUTTER.bottom + 6);
  }
};
export const drawHzAxis = (context, /** @type {[number, number, number][]} */ bands, { height, style }) => {
  write(context, style, "right", "middle");
  const [, top] = bands[bands.length - 1];
  let last = Infinity;
  for (const hz of HZ_TICKS.filter((tick) => tick <= top)) {
    const y = hzToY(bands, hz, height);
    if (last - y < TICK_HEIGHT) continue;
    last = y;
    context.fillRect(GUTTER.left - 5, Math.round(y), 4, 1);
    context.fillText(hz >= 1000 ? `${hz / 1000} k` : `${hz}`, GUTTER.left - 8, y);
  }
};
