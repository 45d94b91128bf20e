// What hands do with a player: its button and volume, the pointer on its picture, the keyboard.

import { button, h, placeBeside, svg } from "./dom.js";
import { figureTools } from "./figure_tools.js";
import { clock } from "./format.js";
import { fixed, t } from "./language.js";

/** @import { Player } from "./player.js" */

/** @type {Player | null} The one that answers the keyboard. */
let active = null;

const SHAPES = { play: "M7 4.5v15l13-7.5z", pause: "M6 5h4v14H6zM14 5h4v14h-4z" };
//: How much closer a press of + comes.
const KEY_STEP = 1.5;
const HINT = t("Position in the recording. Space plays, arrows seek.");

export class Controls {
  time = h("span", { class: "mse-time" });
  readout = h("output", { class: "mse-readout", "aria-live": "off" });
  notes = h("div", { class: "mse-notes", hidden: true });

  constructor(/** @type {Player} */ player) {
    this.player = player;
    active ??= player;
    this.top = h("canvas", { class: "mse-top", tabindex: 0, role: "slider", "aria-label": HINT, "aria-valuemin": 0,
      "aria-valuenow": 0, onfocus: () => this.activate() });
    const shape = (name) => svg("path", { class: `shape-${name}`, d: SHAPES[name] });
    this.button = button({ class: "mse-play", "aria-label": t("Play"), onclick: () => this.#toggle() },
      svg("svg", { viewBox: "0 0 24 24", "aria-hidden": "true" }, shape("play"), shape("pause")));
    const volume = h("input", { type: "range", min: 0, max: 1, step: 0.02, value: 1, class: "mse-volume",
      "aria-label": t("Volume"), oninput: () => { player.audio.volume = volume.valueAsNumber; } });
    this.row = h("div", { class: "mse-controls" }, this.button, this.time, volume, player.zoom.element,
      figureTools(() => player.stage, () => t("Spectrogram of {name}", player.view.recording ?? {})),
      this.#notesButton());
    this.#listenToPointer();
  }

  /** From now on the keyboard is for this player. */
  activate() { active = this.player; }
  #toggle() {
    this.activate();
    this.player.sound.toggle();
  }

  #notesButton() {
    const show = button({ class: "mse-quiet mse-notes-button", "aria-expanded": "false", onclick: () => {
      this.notes.hidden = !this.notes.hidden;
      show.setAttribute("aria-expanded", String(!this.notes.hidden));
    } }, h("i", { "aria-hidden": "true" }, "i"), " ", t("Notes"));
    return show;
  }

  showReadout(/** @type {string} */ words, /** @type {number} */ x, /** @type {number} */ y) {
    this.readout.textContent = words;
    placeBeside(this.readout, x, y, this.top.clientWidth);
  }

  showTime() {
    const { player } = this, time = player.now(), { paused } = player.audio;
    this.time.textContent = `${clock(time)} / ${clock(player.duration)}`;
    this.button.setAttribute("aria-label", paused ? t("Play") : t("Pause"));
    this.button.classList.toggle("playing", !paused);
    this.top.setAttribute("aria-valuenow", time.toFixed(1));
    this.top.setAttribute("aria-valuetext", t("{time} of {length} seconds",
      { time: fixed(time, 1), length: fixed(player.duration, 1) }));
  }

  #listenToPointer() {
    const { player, top } = this;
    let dragging = false;
    const place = (event) => {
      const box = player.base.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top, box.width];
    };
    const seek = (/** @type {number[]} */ [x, , width]) => player.seek(this.#within(player.toSeconds(x, width)));
    top.addEventListener("pointerdown", (event) => {
      dragging = true;
      top.setPointerCapture(event.pointerId);
      seek(place(event));
    });
    top.addEventListener("pointermove", (event) => {
      if (dragging) seek(place(event));
      const [x, y] = place(event);
      player.hover(x, y);
    });
    top.addEventListener("pointerup", () => { dragging = false; });
    top.addEventListener("pointerleave", () => player.hover(-1, -1));
  }
  /** A recording shorter than the window is repeated in it: a click on a repetition goes to where that sound is. */
  #within(seconds) {
    const [start, end] = this.player.span, { duration } = this.player;
    const inside = Math.max(start, Math.min(end - 0.01, seconds));
    return duration < end && inside >= duration ? inside % duration : inside;
  }

  // ---- keyboard
  #keys = {
    " ": () => this.#toggle(),
    ArrowLeft: ({ shiftKey }) => this.#move(shiftKey ? -5 : -1),
    ArrowRight: ({ shiftKey }) => this.#move(shiftKey ? 5 : 1),
    Home: () => this.player.seek(this.player.span[0]),
    End: () => this.player.seek(this.player.span[1] - 0.05),
    "+": () => this.player.zoom.by(KEY_STEP),
    "=": () => this.player.zoom.by(KEY_STEP),
    "-": () => this.player.zoom.by(1 / KEY_STEP),
    0: () => this.player.zoom.reset(),
    "[": () => this.#step(-1),
    "]": () => this.#step(1),
  };
  #move(seconds) { this.player.seek(this.player.now() + seconds); }
  #step(by) {
    const next = this.player.view.window + by, window = this.player.view.windows[next];
    if (!window) return;
    this.player.chooseWindow(next);
    this.player.seek(window[0]);
  }
  press(/** @type {KeyboardEvent} */ event) {
    const act = this.#keys[event.key];
    if (!act || !this.player.view.recording) return;
    event.preventDefault();
    act(event);
  }
  keyWords() {
    const keys = [[t("space"), t("plays")], ["← →", t("seek")], ["+ − 0", t("zoom")],
      [t("Ctrl and wheel"), t("zoom")], [t("Shift and drag"), t("zoom into a stretch")]];
    return matchMedia("(hover: hover)").matches && h("p", { class: "mse-keys" },
      keys.map(([key, does]) => [h("kbd", {}, key), ` ${does}  `]));
  }
}

document.addEventListener("keydown", (event) => {
  const focus = document.activeElement;
  const free = !focus || focus === document.body || focus.closest(".mse-player-section canvas");
  if (free && !event.ctrlKey && !event.metaKey && !event.altKey) active?.controls.press(event);
});
