// A long recording as a whole, above the player's window: where that is, and a click to go elsewhere.

import { GUTTER, innerWidth } from "./axes.js";
import { prepare } from "./canvas.js";
import { h } from "./dom.js";
import { t } from "./language.js";
import { paintMel, read } from "./pictures.js";

/** @import { Player } from "./player.js" */

//: Room below the picture for the windows' ticks, pixels.
const TICKS = 14;

export class Overview {
  canvas = h("canvas", { "aria-label": t("The whole recording: click to go there") });
  head = h("i", { class: "mse-overview-head" });
  element = h("div", { class: "mse-overview", hidden: true }, this.canvas, this.head);
  /** @type {OffscreenCanvas | null} */
  #image = null;

  constructor(/** @type {Player} */ player) {
    this.player = player;
    this.canvas.addEventListener("pointerdown", (event) => {
      const box = this.canvas.getBoundingClientRect();
      player.seek(((event.clientX - box.left - GUTTER.left) / innerWidth(box.width)) * player.duration);
    });
  }

  async open() {
    const { overview } = this.player.view;
    this.element.hidden = !overview;
    this.#image = overview ? paintMel(await read(overview)) : null;
    this.draw();
  }

  draw() {
    if (!this.#image || !this.canvas.isConnected) return;
    const { context, width, height } = prepare(this.canvas), tall = height - TICKS, { player } = this;
    const [start, end] = player.windowSpan, scale = innerWidth(width) / player.duration;
    context.drawImage(this.#image, GUTTER.left, 0, innerWidth(width), tall);
    context.fillStyle = player.style("--mse-veil");
    context.fillRect(GUTTER.left, 0, start * scale, tall);
    context.fillRect(GUTTER.left + end * scale, 0, innerWidth(width) - end * scale, tall);
    context.fillStyle = player.style("--mse-soft");
    player.view.windows.forEach(([first]) => context.fillRect(GUTTER.left + first * scale, tall + 2, 1, 6));
    context.fillStyle = player.style("--mse-accent");
    context.fillRect(GUTTER.left + start * scale, tall + 2, (end - start) * scale, 6);
    const [from, to] = player.span;   // zoomed
    context.fillRect(GUTTER.left + from * scale, tall - 2, Math.max(2, (to - from) * scale), 4);
  }

  drawHead() {
    if (!this.#image) return;
    const share = this.player.now() / this.player.duration;
    this.head.style.left = `${GUTTER.left + share * innerWidth(this.canvas.clientWidth)}px`;
  }
}
