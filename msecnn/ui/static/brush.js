// A box drawn on a player's spectrogram by mouse, pen or finger: seconds by Hz.

import { GUTTER, hzToY, rowToHz } from "./axes.js";
import { h } from "./dom.js";

/** @import { Player } from "./player.js" */
/** @import { Field } from "./types.d.ts" */

//: A box narrower than this was a tap, seconds.
const LEAST_S = 0.05;

/** While it is on, dragging on the picture draws a box instead of seeking. */
export class Brush {
  /** @type {Field | null} */
  box = null;
  #on = false;
  #outline = h("div", { class: "mse-brush", hidden: true, "aria-hidden": "true" });

  /**
   * @param {Player} player
   * @param {() => void} changed called when a box was drawn
   */
  constructor(player, changed) {
    this.player = player;
    const stage = /** @type {HTMLElement} */ (player.base.parentElement);
    stage.append(this.#outline);
    new ResizeObserver(() => this.draw()).observe(stage);
    player.on("span", () => this.draw());
    /** @type {{s: number, hz: number} | null} */
    let from = null;
    const drag = (/** @type {PointerEvent} */ event) => {
      if (!this.#on || player.zoom.isBoxing) return;
      event.stopPropagation();   // the player would seek
      const to = this.#place(event);
      if (event.type === "pointerdown") {
        from = to;
        player.controls.top.setPointerCapture(event.pointerId);
      }
      if (!from) return;
      this.set({ start_s: Math.min(from.s, to.s), end_s: Math.max(from.s, to.s),
        low_hz: Math.min(from.hz, to.hz), high_hz: Math.max(from.hz, to.hz) });
      if (event.type !== "pointerup") return;
      from = null;
      if (this.box && this.box.end_s - this.box.start_s < LEAST_S) this.set(null);
      changed();
    };
    for (const name of ["pointerdown", "pointermove", "pointerup"]) {
      stage.addEventListener(name, /** @type {EventListener} */ (drag), { capture: true });
    }
  }

  get on() { return this.#on; }
  set on(on) {
    this.#on = on;
    this.player.controls.top.style.touchAction = on ? "none" : "";
    if (!on) this.set(null);
  }

  set(/** @type {Field | null} */ box) {
    this.box = box;
    this.draw();
  }

  #place(/** @type {PointerEvent} */ event) {
    const { player } = this, frame = player.base.getBoundingClientRect(), [start, end] = player.span;
    const inner = frame.height - GUTTER.top - GUTTER.bottom, bands = player.view.mel.bands_hz;
    const height = 1 - (event.clientY - frame.top - GUTTER.top) / inner;
    const seconds = player.toSeconds(event.clientX - frame.left, frame.width);
    const last = Math.min(end, player.duration);
    return { s: Math.max(start, Math.min(last, seconds)), hz: rowToHz(bands, height * bands.length - 0.5) };
  }

  draw() {
    const { box, player } = this, outline = this.#outline;
    outline.hidden = !box;
    if (!box) return;
    const { width, height } = player.base.getBoundingClientRect(), bands = player.view.mel.bands_hz;
    const left = player.toX(box.start_s, width), upper = hzToY(bands, box.high_hz, height);
    outline.style.left = `${left}px`;
    outline.style.top = `${upper}px`;
    outline.style.width = `${player.toX(box.end_s, width) - left}px`;
    outline.style.height = `${hzToY(bands, box.low_hz, height) - upper}px`;
  }
}
