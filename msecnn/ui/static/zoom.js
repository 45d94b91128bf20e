// Time zoom of a player, which the strips and rows below it share: by wheel, pinch, keys, a box and buttons.

import { toSeconds } from "./axes.js";
import { button, h } from "./dom.js";
import { t } from "./language.js";
import { listenToBox, listenToPinch } from "./zoom_gestures.js";

/** @import { Player } from "./player.js" */
/** @import { Span } from "./axes.js" */

//: The least that is shown, seconds; how much closer one step comes; a turn of the wheel that is one step, pixels.
const LEAST_S = 0.25, STEP = 1.5, TURN = 240;
//: While it plays, the playhead comes in again at this share of the picture.
const ENTRY = 0.08;

export class Zoom {
  /** @type {Span | null} What is shown; null is the whole window. */
  #shown = null;
  /** Whether a drag draws a box. */
  isBoxing = false;
  #isDue = false;

  /**
   * @param {Player} player
   * @param {() => void} changed
   */
  constructor(player, changed) {
    this.player = player;
    this.changed = changed;
    const tool = (/** @type {string} */ sign, /** @type {string} */ label, /** @type {() => void} */ act) =>
      button({ class: "mse-quiet", "aria-label": label, title: label, onclick: act }, sign);
    this.box = tool("▭", t("Zoom into a stretch that you draw"), () => this.#turnBox());
    this.whole = tool("↔", t("Show the whole window"), () => this.reset());
    this.element = h("span", { class: "mse-zoom", role: "group", "aria-label": t("Zoom in time") },
      tool("−", t("Zoom out"), () => this.by(1 / STEP)), tool("+", t("Zoom in"), () => this.by(STEP)), this.box,
      this.whole);
    this.#tell();
  }

  get span() { return this.#shown ?? this.player.windowSpan; }
  get isOn() { return this.#shown !== null; }
  /** The shown part of the window's picture, from 0 to 1. @returns {[number, number]} */
  get share() {
    const [first, last] = this.player.windowSpan;
    return /** @type {[number, number]} */ (this.span.map((time) => (time - first) / (last - first)));
  }

  reset() { this.show(this.player.windowSpan); }
  /** Shows a stretch, as far as it lies in the window. */
  show(/** @type {Span} */ [from, to]) {
    const [first, last] = this.player.windowSpan, length = Math.min(last - first, Math.max(LEAST_S, to - from));
    const start = Math.max(first, Math.min(last - length, from));
    this.#shown = length >= last - first - 1e-6 ? null : [start, start + length];
    this.#tell();
    if (this.#isDue) return;
    this.#isDue = true;
    requestAnimationFrame(() => {   // fingers move more often than pictures are drawn
      this.#isDue = false;
      this.changed();
    });
  }
  /** Comes closer by a factor; the time `at` stays where it is in the picture. */
  by(/** @type {number} */ factor, at = this.#centre) {
    const [start, end] = this.span;
    this.show([at - (at - start) / factor, at + (end - at) / factor]);
  }
  move(/** @type {number} */ seconds) {
    const [start, end] = this.span;
    if (this.isOn) this.show([start + seconds, end + seconds]);
  }
  /** Keeps a time in view that has left it. */
  follow(/** @type {number} */ time) {
    const [start, end] = this.span, [first, last] = this.player.windowSpan;
    if (!this.isOn || (time >= start && time <= end) || time < first || time > last) return;
    const from = time - ENTRY * (end - start);
    this.show([from, from + end - start]);
  }

  /** The playhead where it is in view, the middle otherwise. */
  get #centre() {
    const [start, end] = this.span, now = this.player.now();
    return now >= start && now <= end ? now : (start + end) / 2;
  }
  #turnBox() {
    this.isBoxing = !this.isBoxing;
    this.#tell();
  }
  #tell() {
    this.box.setAttribute("aria-pressed", String(this.isBoxing));
    this.whole.disabled = !this.isOn;
  }

  // ---- hands
  /** Lets the canvases in an element be zoomed; all are laid out as the player's own picture. */
  listenTo(/** @type {HTMLElement} */ element) {
    element.addEventListener("wheel", (event) => this.#turn(event), { passive: false });
    listenToPinch(element, this);
    listenToBox(element, this);
  }
  /** The time below a pointer; null beside the pictures. */
  timeAt(/** @type {MouseEvent} */ event) {
    const canvas = /** @type {HTMLElement} */ (event.target).closest("canvas");
    if (!canvas) return null;
    const { left, width } = canvas.getBoundingClientRect();
    return toSeconds(this.span, event.clientX - left, width);
  }
  /** With Ctrl or ⌘, as trackpads send a pinch; the wheel alone scrolls the page, as everywhere. */
  #turn(/** @type {WheelEvent} */ event) {
    const at = this.timeAt(event), across = event.shiftKey ? event.deltaY || event.deltaX : event.deltaX;
    if (at === null) return;
    if (event.ctrlKey || event.metaKey) this.by(STEP ** (-event.deltaY / TURN * 2), at);
    else if (this.isOn && Math.abs(across) > Math.abs(event.shiftKey ? 0 : event.deltaY)) {
      this.move((across / /** @type {HTMLElement} */ (event.target).clientWidth) * (this.span[1] - this.span[0]));
    } else return;
    event.preventDefault();
  }
}
