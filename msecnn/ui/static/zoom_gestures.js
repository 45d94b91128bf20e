// The two gestures that zoom a player in time: two fingers, and a stretch drawn with the mouse.

import { toSeconds } from "./axes.js";
import { h } from "./dom.js";

/** @import { Zoom } from "./zoom.js" */

//: A box narrower than this was a click, and fingers nearer than this are one, pixels.
const LEAST_PX = 6;

const element = (/** @type {Event} */ event) => /** @type {HTMLElement} */ (event.target);

/** Two fingers: the times below them stay below them. */
class Pinch {
  /** @type {Map<number, PointerEvent>} */
  #fingers = new Map();
  /** @type {number[]} The times that were below the two fingers when the second came. */
  #held = [];

  constructor(/** @type {HTMLElement} */ place, /** @type {Zoom} */ zoom) {
    this.zoom = zoom;
    const listen = (/** @type {string} */ name, /** @type {(event: PointerEvent) => void} */ act) =>
      place.addEventListener(name, /** @type {EventListener} */ (act), { capture: true });
    listen("pointerdown", (event) => this.#down(event));
    listen("pointermove", (event) => this.#move(event));
    for (const name of ["pointerup", "pointercancel"]) listen(name, ({ pointerId }) => this.#fingers.delete(pointerId));
  }
  #down(/** @type {PointerEvent} */ event) {
    if (event.pointerType !== "touch") return;
    this.#fingers.set(event.pointerId, event);
    if (this.#fingers.size !== 2) return;
    this.#held = [...this.#fingers.values()].map((finger) => this.zoom.timeAt(finger) ?? 0);
    event.stopPropagation();
  }
  #move(/** @type {PointerEvent} */ event) {
    if (!this.#fingers.has(event.pointerId)) return;
    this.#fingers.set(event.pointerId, event);
    if (this.#fingers.size !== 2) return;
    event.stopPropagation();   // the player would seek
    const [a, b] = [...this.#fingers.values()], canvas = element(a).closest("canvas");
    if (!canvas || Math.abs(a.clientX - b.clientX) < LEAST_PX) return;
    const { left, width } = canvas.getBoundingClientRect(), [start, end] = this.zoom.span;
    const place = ({ clientX }) => (toSeconds([0, 1], clientX - left, width));
    const length = Math.abs((this.#held[0] - this.#held[1]) / (place(a) - place(b))) || end - start;
    const from = this.#held[0] - place(a) * length;
    this.zoom.show([from, from + length]);
  }
}

/** A stretch drawn with the mouse, where the box is chosen or Shift is held. */
class Box {
  #outline = h("div", { class: "mse-brush", hidden: true, "aria-hidden": "true" });
  /** @type {{x: number, canvas: HTMLCanvasElement} | null} */
  #from = null;

  constructor(/** @type {HTMLElement} */ place, /** @type {Zoom} */ zoom) {
    this.place = place;
    this.zoom = zoom;
    place.append(this.#outline);
    const listen = (/** @type {string} */ name, /** @type {(event: PointerEvent) => void} */ act) =>
      place.addEventListener(name, /** @type {EventListener} */ (act), { capture: true });
    listen("pointerdown", (event) => this.#down(event));
    listen("pointermove", (event) => this.#from && this.#draw(event));
    listen("pointerup", (event) => this.#from && this.#up(event));
    listen("click", (event) => { if (this.#drawn) event.stopPropagation(); });
  }
  /** Whether the last drag drew a box, so that its click is none. */
  #drawn = false;
  #down(/** @type {PointerEvent} */ event) {
    const canvas = /** @type {HTMLCanvasElement | null} */ (element(event).closest("canvas"));
    this.#drawn = false;
    if (!canvas || !(this.zoom.isBoxing || event.shiftKey)) return;
    event.stopPropagation();
    canvas.setPointerCapture(event.pointerId);
    this.#from = { x: event.clientX, canvas };
  }
  #draw(/** @type {PointerEvent} */ event) {
    event.stopPropagation();
    const { x, canvas } = /** @type {{x: number, canvas: HTMLCanvasElement}} */ (this.#from);
    const frame = this.place.getBoundingClientRect(), box = canvas.getBoundingClientRect();
    this.#outline.hidden = false;
    Object.assign(this.#outline.style, { left: `${Math.min(x, event.clientX) - frame.left}px`,
      top: `${box.top - frame.top}px`, height: `${box.height}px`, width: `${Math.abs(event.clientX - x)}px` });
  }
  #up(/** @type {PointerEvent} */ event) {
    event.stopPropagation();
    const { x, canvas } = /** @type {{x: number, canvas: HTMLCanvasElement}} */ (this.#from);
    const { left, width } = canvas.getBoundingClientRect();
    this.#from = null;
    this.#outline.hidden = true;
    if (Math.abs(event.clientX - x) < LEAST_PX) return;
    this.#drawn = true;
    const times = [x, event.clientX].map((at) => toSeconds(this.zoom.span, at - left, width)).sort((a, b) => a - b);
    this.zoom.show(/** @type {[number, number]} */ (times));
  }
}

export const listenToPinch = (/** @type {HTMLElement} */ place, /** @type {Zoom} */ zoom) => new Pinch(place, zoom);
export const listenToBox = (/** @type {HTMLElement} */ place, /** @type {Zoom} */ zoom) => new Box(place, zoom);
