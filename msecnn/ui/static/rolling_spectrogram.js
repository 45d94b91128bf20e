// A spectrogram that rolls to the left as new frames come in on the right; it holds one window, however long it runs.

import { h } from "./dom.js";
import { melColour } from "./pictures.js";

export class RollingSpectrogram {
  /**
   * @param {string} label
   * @param {number} frames
   * @param {number} bands
   */
  constructor(label, frames, bands) {
    this.canvas = h("canvas", { class: "mse-rolling", role: "img", "aria-label": label, width: frames, height: bands });
    this.context = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d", { willReadFrequently: true }));
    this.clear();
  }

  clear() {
    this.context.clearRect(0, 0, this.canvas.width, this.canvas.height);
  }

  /** New frames as the server sends them: bytes in base64, band after band, the highest first. */
  add(/** @type {string} */ columns) {
    const { canvas: { width, height }, context } = this, bytes = atob(columns);
    const all = bytes.length / height, n = Math.min(width, all);
    if (n < 1) return;
    const image = context.createImageData(n, height);
    for (let row = 0; row < height; row++) {
      for (let i = 0; i < n; i++) melColour(bytes.charCodeAt(row * all + all - n + i), image.data, 4 * (row * n + i));
    }
    context.drawImage(this.canvas, -n, 0);
    context.putImageData(image, width - n, 0);
  }
}
