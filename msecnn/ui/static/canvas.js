// Drawing on canvases: sharp on every screen, cells, hatching, boxes round what is pointed at.

import { GUTTER, hzToY, innerHeight, innerWidth, toX } from "./axes.js";

/** @import { Mark } from "./types.d.ts" */

const ratio = () => window.devicePixelRatio || 1;

/** A canvas as large as it is laid out, empty, in CSS pixels. */
export const prepare = (/** @type {HTMLCanvasElement} */ canvas) => {
  const box = canvas.getBoundingClientRect(), scale = ratio();
  const width = Math.round(box.width), height = Math.round(box.height);
  if (canvas.width !== width * scale || canvas.height !== height * scale) {
    Object.assign(canvas, { width: width * scale, height: height * scale });
  }
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, width, height);
  return { context, width, height };
};

/** Across, columns are averaged; down, each band stays a crisp row. `share` is the part of the image that is drawn. */
export const drawCells = (context, /** @type {OffscreenCanvas} */ image, x, y, width, height, share = [0, 1]) => {
  const across = new OffscreenCanvas(Math.max(1, Math.round(width * ratio())), image.height);
  const squeezed = /** @type {OffscreenCanvasRenderingContext2D} */ (across.getContext("2d"));
  squeezed.imageSmoothingQuality = "high";
  const [from, to] = share.map((part) => part * image.width);
  squeezed.drawImage(image, from, 0, to - from, image.height, 0, 0, across.width, across.height);
  context.imageSmoothingEnabled = false;
  context.drawImage(across, x, y, width, height);
};

/** A signed map, or several, over the picture in grey, as wide as the player's picture above. */
export const drawStrip = (/** @type {HTMLCanvasElement} */ canvas, /** @type {OffscreenCanvas[]} */ images, share) => {
  const { context, width, height } = prepare(canvas);
  images.forEach((image) =>
    drawCells(context, image, GUTTER.left, GUTTER.top, innerWidth(width), innerHeight(height), share));
  return { context, width, height };
};

/** Draws in the picture only, not beside it. */
export const clipped = (context, width, height, /** @type {() => void} */ draw) => {
  context.save();
  context.beginPath();
  context.rect(GUTTER.left, GUTTER.top, innerWidth(width), innerHeight(height));
  context.clip();
  draw();
  context.restore();
};

export const hatch = (context, x, y, width, height) => {
  if (width <= 0) return;
  context.save();
  context.beginPath();
  context.rect(x, y, width, height);
  context.clip();
  context.fillStyle = "rgba(10, 8, 6, .55)";
  context.fillRect(x, y, width, height);
  context.strokeStyle = "rgba(255, 255, 255, .28)";
  context.lineWidth = 1;
  for (let i = -height; i < width; i += 7) {
    context.beginPath();
    context.moveTo(x + i, y + height);
    context.lineTo(x + i + height, y);
    context.stroke();
  }
  context.restore();
};

/** Where a short recording begins again, until it fills the window. */
export const outlineRepeats = (context, /** @type {number[]} */ starts, /** @type {number} */ end, y, height) => {
  context.save();
  context.setLineDash([4, 3]);
  context.strokeStyle = "rgba(255, 255, 255, .8)";
  starts.forEach((x, i) => context.strokeRect(x + 0.5, y + 0.5, (starts[i + 1] ?? end) - x - 1, height - 1));
  context.restore();
};

/** A box round what a mark points at. */
export const drawMark = (context, /** @type {Mark} */ mark, { span, bands, width, height }) => {
  const left = toX(span, mark.start_s, width), right = toX(span, mark.end_s, width);
  const upper = hzToY(bands, mark.high_hz, height), lower = hzToY(bands, mark.low_hz, height);
  context.lineWidth = mark.strong ? 3 : 2;
  context.strokeStyle = mark.sign < 0 ? "#c99bfd" : "#4ade80";
  context.strokeRect(left - 2, upper - 2, Math.max(4, right - left) + 4, Math.max(4, lower - upper) + 4);
};

export const drawPlayhead = (context, x, height, colour) => {
  context.fillStyle = "#fff";
  context.fillRect(x - 1, GUTTER.top, 2, height - GUTTER.bottom - GUTTER.top);
  context.beginPath();
  context.moveTo(x - 6, 0);
  context.lineTo(x + 6, 0);
  context.lineTo(x, 8);
  context.fillStyle = colour;
  context.fill();
};
export const drawCrosshair = (context, { x, y }, width, height) => {
  context.fillStyle = "rgba(255, 255, 255, .45)";
  context.fillRect(x, GUTTER.top, 1, height - GUTTER.bottom - GUTTER.top);
  context.fillRect(GUTTER.left, y, innerWidth(width), 1);
};
