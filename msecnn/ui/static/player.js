// The spectrogram is the player: picture, axes, playhead, seeking, reading values off, and the sound itself.

import { GUTTER, cellAt, drawHzAxis, drawTimeAxis, hzToY, innerWidth, toSeconds, toX } from "./axes.js";
import { clipped, drawCells, drawCrosshair, drawMark, drawPlayhead, hatch, outlineRepeats, prepare } from "./canvas.js";
import { fill, h } from "./dom.js";
import { emitter } from "./events.js";
import { plain } from "./format.js";
import { fixed, t, told } from "./language.js";
import { Controls } from "./player_controls.js";
import { Overview } from "./overview.js";
import { paintMel, read } from "./pictures.js";
import { isSuperseded } from "./rpc.js";
import { Sound } from "./sound.js";
import { windowAt } from "./state.js";
import { Zoom } from "./zoom.js";

/** @import { Decoded, Mark, Opened } from "./types.d.ts" */

//: A player of this height is the small one that stays in view, pixels.
const SMALL = 90;

/** Shows what `open` gives it; tells of "tick" (seconds), "state", "window" (its number), "span" (zoomed), "decoded",
 * "unplayable". */
export class Player {
  sound = new Sound();
  /** @type {Opened} */
  view = { recording: null, mel: /** @type {any} */ (null), windows: [], window: 0, picture: null, overview: null,
    models: [] };
  /** @type {Decoded | null} The chosen window's picture. */
  decoded = null;
  /** @type {Map<number, string>} */
  #pictures = new Map();
  /** @type {Mark[]} */
  #marks = [];
  /** @type {{x: number, y: number} | null} */
  #hover = null;
  #events = emitter();

  /** @param {{pictureOf: (window: number) => Promise<string>, name: string, height?: number}} options */
  constructor({ pictureOf, name, height = 280 }) {
    this.pictureOf = pictureOf;
    this.on = this.#events.on;
    this.zoom = new Zoom(this, () => this.#spanChanged());
    this.base = h("canvas", { class: "mse-base", "aria-hidden": "true" });
    this.controls = new Controls(this);
    this.overview = new Overview(this);
    this.blind = h("span");
    this.notes = h("div", { "aria-live": "polite" });
    this.stage = h("div", { class: "mse-stage", style: { "--height": `${height}px` } }, this.base, this.controls.top,
      this.controls.readout);
    const hatched = h("i", { class: "mse-hatch", "aria-hidden": "true" });
    this.controls.notes.append(h("p", { class: "mse-blind" }, hatched, this.blind), this.notes,
      this.controls.keyWords() || "");
    this.element = h("section", { class: "mse-player-section", "aria-label": name, hidden: true },
      this.overview.element, this.stage, this.controls.row, this.controls.notes);
    this.zoom.listenTo(this.stage);
    this.sound.on("tick", (time) => this.#tick(time));
    this.sound.on("state", () => {
      this.#events.emit("state");
      this.drawTop();
    });
    this.sound.on("unplayable", (source) => source === this.sound.original && this.#events.emit("unplayable", source));
    new ResizeObserver(() => this.draw()).observe(this.element);
    new MutationObserver(() => this.draw()).observe(document.body, { attributes: true, attributeFilter: ["class"] });
  }

  // ---- time
  get audio() { return this.sound.audio; }
  get duration() { return this.view.recording?.duration_s ?? 0; }
  /** What the picture shows of its window. */
  get span() { return this.zoom.span; }
  /** The chosen window: a short recording is repeated in it up to its end. @returns {[number, number]} */
  get windowSpan() {
    const [start] = this.view.windows[this.view.window] ?? [0];
    return [start, start + (this.view.mel?.window_s ?? 1)];
  }
  now = () => this.sound.now();
  seek(/** @type {number} */ seconds) {
    this.sound.seek(seconds);
    this.draw();
  }
  play(/** @type {number | null} */ from = null, /** @type {number | null} */ to = null) {
    this.controls.activate();
    this.sound.play(from, to);
  }
  pause() { this.sound.pause(); }

  #tick(time) {
    const [start, end] = this.windowSpan;
    if (time < start || time >= end) this.chooseWindow(windowAt(this.view.windows, time - 0.01));
    this.zoom.follow(time);
    this.#events.emit("tick", time);
    this.drawTop();
  }

  // ---- geometry, shared with the strips of "Why this tag"
  toX(/** @type {number} */ seconds, /** @type {number} */ width) { return toX(this.span, seconds, width); }
  toSeconds(/** @type {number} */ x, /** @type {number} */ width) { return toSeconds(this.span, x, width); }
  /** Where a frequency lies in a picture of that height, axes included. */
  toY(/** @type {number} */ hz, /** @type {number} */ height) { return hzToY(this.view.mel.bands_hz, hz, height); }

  // ---- what is shown
  async open(/** @type {Partial<Opened>} */ opened) {
    this.#pictures.clear();
    this.#marks = [];
    this.view = { ...this.view, ...opened };
    const { recording, window, picture } = this.view;
    if (!recording || !picture) return;
    this.#pictures.set(window, picture);
    this.zoom.reset();
    this.sound.open(recording.url, recording.duration_s, recording.name);
    this.element.hidden = false;
    this.controls.top.setAttribute("aria-valuemax", this.duration.toFixed(1));
    this.blind.textContent = this.#blindWords();
    fill(this.notes, recording.notes.map((note) => h("p", {}, told(note))));
    await Promise.all([this.overview.open(), this.#showPicture()]);
  }
  chooseWindow(/** @type {number} */ window) {
    if (window === this.view.window || !this.view.windows[window]) return;
    this.view.window = window;
    this.zoom.reset();
    this.#events.emit("window", window);
    this.#showPicture();
  }
  #spanChanged() {
    this.draw();
    this.#events.emit("span");
  }
  async #showPicture() {
    const { recording, window } = this.view;
    const uri = this.#pictures.get(window) ?? await this.pictureOf(window).catch((error) => this.#excuse(error));
    if (!uri || recording !== this.view.recording) return;
    this.#pictures.set(window, uri);
    const picture = await read(uri);
    if (recording !== this.view.recording || window !== this.view.window) return;   // overtaken by a newer choice
    this.decoded = { picture, image: paintMel(picture) };
    this.#events.emit("decoded");
    this.draw();
  }
  #excuse(error) { if (!isSuperseded(error)) fill(this.notes, h("p", {}, told(error.message))); }

  #blindWords() {
    const { crop_s: crop, window_s: length } = this.view.mel;
    const isRepeated = this.duration < length - 0.05, tail = { seconds: fixed(length - (crop ?? length), 1) };
    if (crop === null) return isRepeated ? t("The recording is repeated until it fills the window.") : "";
    return isRepeated ? t("The last {seconds} s of a window hardly reach Input and Levels 1 to 3; before them, the "
      + "recording is repeated until it fills the window.", tail)
      : t("The last {seconds} s of a window hardly reach Input and Levels 1 to 3.", tail);
  }
  mark(/** @type {Mark[]} */ marks) {
    this.#marks = marks;
    this.drawTop();
  }

  // ---- reading values off the picture
  hover(/** @type {number} */ x, /** @type {number} */ y) {
    const words = this.#valueAt(x, y);
    this.#hover = words ? { x, y } : null;
    this.controls.showReadout(words, x, y);
    this.drawTop();
  }
  #valueAt(x, y) {
    const cell = this.decoded && cellAt(this.decoded.picture, x, y, this.base.getBoundingClientRect(), this.zoom.share);
    if (!cell || !this.decoded) return "";
    const { width, height, values } = this.decoded.picture, { low_db, high_db, hop_s, bands_hz } = this.view.mel;
    const decibels = low_db + (values[cell.row * width + cell.column] / 255) * (high_db - low_db);
    const band = height - 1 - cell.row, [low, , high] = bands_hz[band].map(Math.round);
    const time = this.windowSpan[0] + cell.column * hop_s;
    return `${fixed(time, 2)} s · ${low}–${high} Hz · ${t("band {n}", { n: band + 1 })} · ${plain(decibels, 0)} dB`;
  }

  // ---- drawing
  draw() {
    this.#drawBase();
    this.drawTop();
    this.overview.draw();
  }
  style(/** @type {string} */ name) { return getComputedStyle(this.element).getPropertyValue(name).trim(); }
  get axisStyle() { return { colour: this.style("--mse-soft"), font: this.style("--mse-font") }; }

  #drawBase() {
    if (!this.decoded || !this.base.isConnected) return;
    const { context, width, height } = prepare(this.base), { bands_hz: bands, crop_s: crop } = this.view.mel;
    const style = this.axisStyle;
    const tall = height - GUTTER.top - GUTTER.bottom;
    drawCells(context, this.decoded.image, GUTTER.left, GUTTER.top, innerWidth(width), tall, this.zoom.share);
    if (height > SMALL) drawHzAxis(context, bands, { height, style });   // the small one has its button there
    drawTimeAxis(context, this.span, { width, height, style, duration: this.duration });
    const right = width - GUTTER.right, blind = crop === null ? right : this.toX(this.windowSpan[0] + crop, width);
    clipped(context, width, height, () => {
      hatch(context, blind, GUTTER.top, right - blind, tall);
      outlineRepeats(context, this.#repeats().map((time) => this.toX(time, width)), right, GUTTER.top, tall);
    });
  }
  /** When a recording that is shorter than the window begins again in it, seconds. */
  #repeats() {
    const [, end] = this.windowSpan, times = [];
    for (let time = this.duration; time > 0 && time < end - 0.05; time += this.duration) times.push(time);
    return times;
  }
  drawTop() {
    if (!this.decoded || !this.base.isConnected) return;
    const { context, width, height } = prepare(this.controls.top), { span, view: { mel: { bands_hz: bands } } } = this;
    clipped(context, width, height, () =>
      this.#marks.forEach((mark) => drawMark(context, mark, { span, bands, width, height })));
    if (this.#hover) drawCrosshair(context, this.#hover, width, height);
    const x = this.toX(this.now(), width);
    const inside = x >= GUTTER.left - 1 && x <= width - GUTTER.right + 1;
    if (inside) drawPlayhead(context, x, height, this.style("--mse-accent"));
    this.overview.drawHead();
    this.controls.showTime();
  }
}
