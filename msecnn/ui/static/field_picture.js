// A part of the spectrogram with a box round what a cell depends on.

import { hzToRow } from "./axes.js";
import { prepare } from "./canvas.js";
import { player } from "./main_player.js";

/** @import { Field } from "./types.d.ts" */

//: How much more than the field is shown, and at least, seconds and bands.
const AROUND = 3, LEAST_S = 1, LEAST_BANDS = 16;

/** A stretch `factor` as long round the same middle, within limits. */
const around = (/** @type {number[]} */ [from, to], least, [first, last]) => {
  const length = Math.min(last - first, Math.max(least, AROUND * (to - from)));
  const start = Math.max(first, Math.min(last - length, (from + to - length) / 2));
  return [start, start + length];
};

export const drawCrop = (/** @type {HTMLCanvasElement} */ canvas, /** @type {Field} */ field) => {
  const { decoded, windowSpan, view: { mel } } = player;
  if (!decoded || !canvas.isConnected) return;
  const { context, width, height } = prepare(canvas), { image } = decoded, bands = mel.bands_hz;
  const times = around([field.start_s, field.end_s], LEAST_S, windowSpan);
  const own = [field.low_hz, field.high_hz].map((hz) => hzToRow(bands, hz) + 0.5);
  const rows = around(own, LEAST_BANDS, [0, bands.length]);
  const [first, last] = windowSpan, columnOf = (time) => ((time - first) / (last - first)) * image.width;
  const [left, right] = times.map(columnOf);
  context.imageSmoothingEnabled = false;
  context.drawImage(image, left, image.height - rows[1], right - left, rows[1] - rows[0], 0, 0, width, height);
  const x = (/** @type {number} */ time) => ((time - times[0]) / (times[1] - times[0])) * width;
  const y = (/** @type {number} */ row) => (1 - (row - rows[0]) / (rows[1] - rows[0])) * height;
  Object.assign(context, { strokeStyle: "#fff", lineWidth: 2 });
  context.strokeRect(x(field.start_s) + 1, y(own[1]) + 1, Math.max(3, x(field.end_s) - x(field.start_s) - 2),
    Math.max(3, y(own[0]) - y(own[1]) - 2));
};
