// While a recording plays, the cells that won flash as they are heard: in the spectrogram and in their strips.

import { h } from "./dom.js";
import { t } from "./language.js";
import { player } from "./main_player.js";
import { modelOf, state } from "./state.js";
import { placeOf } from "./strips.js";
import { cellsQuestion, isSomewhere, winningCells } from "./winning_cells.js";

/** @import { Event } from "./types.d.ts" */

//: Between two looks no more of the sound is played than this, seconds: beyond it was a jump.
const JUMP_S = 0.5;

const still = matchMedia("(prefers-reduced-motion: reduce)");
const legend = h("span");
const words = h("span", { class: "mse-flash-words", hidden: true }, h("i", { "aria-hidden": "true" }), legend);
player.controls.row.append(words);

/** @type {Event[]} */
let marks = [];
let before = 0;

const ask = async () => {
  const { model, tag } = cellsQuestion(), asked = winningCells();
  marks = [];
  const found = await asked;
  if (asked !== winningCells()) return;
  marks = state.covered ? [] : found;
  legend.textContent = t("cells that decided {tag} in {model}", { tag, model: modelOf(model).title });
};

const ring = (/** @type {HTMLElement} */ over, x, y, sign) => {
  const element = h("i", { class: `mse-flash ${sign < 0 ? "down" : "up"}`, "aria-hidden": "true",
    style: { left: `${x}px`, top: `${y}px` } });
  element.addEventListener("animationend", () => element.remove());
  over.append(element);
};
const flash = (/** @type {Event} */ mark) => {
  const strip = placeOf(mark), { clientWidth: width, clientHeight: height } = player.stage;
  if (strip) ring(strip.over, strip.x, strip.y, mark.relative);
  if (!isSomewhere(mark)) return;
  const middle = (mark.start_s + mark.end_s) / 2, hz = Math.sqrt(Math.max(1, mark.low_hz) * mark.high_hz);
  const [start, end] = player.span;
  if (middle < start || middle > end) return;   // zoomed away
  ring(player.stage, player.toX(middle, width), player.toY(hz, height), mark.relative);
};

/** To be called as the sound goes on. */
export const flashCells = (/** @type {number} */ time) => {
  const since = before;
  before = time;
  if (player.audio.paused || still.matches || time < since || time - since > JUMP_S) return;
  const isHeard = ({ start_s: start, end_s: end }) => (start + end) / 2 > since && (start + end) / 2 <= time;
  marks.filter(isHeard).forEach(flash);
};
const show = () => { words.hidden = player.audio.paused || still.matches || marks.length === 0; };
player.on("state", () => {
  show();
  if (!player.audio.paused && !still.matches && state.recording && !state.covered) ask().then(show);
});
