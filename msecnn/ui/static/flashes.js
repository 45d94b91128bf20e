// While a recording plays, the cells that won flash as they are heard: in the spectrogram and in their strips.

import { h } from "./dom.js";
import { player } from "./main_player.js";
import { call } from "./rpc.js";
import { likeliestTag, modelOf, state } from "./state.js";
import { placeOf } from "./strips.js";
import { why, whyKey } from "./why_state.js";

/** @import { Event } from "./types.d.ts" */

//: Between two looks no more of the sound is played than this, seconds: beyond it was a jump.
const JUMP_S = 0.5;
//: A cell that sees more than this is nowhere in particular in the spectrogram, seconds.
const BROAD_S = 3;

const still = matchMedia("(prefers-reduced-motion: reduce)");
const legend = h("span");
const words = h("span", { class: "mse-flash-words", hidden: true }, h("i", { "aria-hidden": "true" }), legend);
player.controls.row.append(words);

/** @type {Event[]} */
let marks = [];
let key = "", before = 0;

/** The winning cells of the tag that is asked about, or of the likeliest, if they are not known yet. */
const ask = async () => {
  const model = modelOf(), tag = state.tag ?? likeliestTag(model), { window } = state;
  const asked = JSON.stringify([state.recording?.url, state.recording?.name, model.name, tag, window]);
  if (asked === key) return;
  key = asked;
  marks = [];
  const answer = why.shown === whyKey() && why.answer
    || await call("winning-cells", { model: model.name, tag, window }, { parallel: true }).catch(() => null);
  if (asked !== key || !answer) return;
  ({ marks } = answer);
  legend.textContent = `cells that decided ${tag} in ${model.title}`;
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
  if (mark.end_s - mark.start_s > BROAD_S) return;
  const middle = (mark.start_s + mark.end_s) / 2, hz = Math.sqrt(Math.max(1, mark.low_hz) * mark.high_hz);
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
  if (!player.audio.paused && !still.matches && state.recording) ask().then(show);
});
