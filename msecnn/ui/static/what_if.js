// What if a box of the sound were alone, or not there: on the player, with the sound and the changes of all edits.

import { Brush } from "./brush.js";
import { button, fill, h, part, say, statusLine, toggle } from "./dom.js";
import { addEdit, chain, changeEdit, clearEdits, hear, onEdits, undo } from "./edit_chain.js";
import { wordsOf } from "./edit_words.js";
import { figureTools } from "./figure_tools.js";
import { state } from "./state.js";
import { changes } from "./what_if_table.js";
import { WORDS } from "./what_if_words.js";

/** @import { Player } from "./player.js" */
/** @import { Field } from "./types.d.ts" */
/** @typedef {"keep" | "remove"} Kind */
/** @typedef {keyof Field} Side */

/** @type {Kind[]} */
const KINDS = ["keep", "remove"];
//: A box to begin with, for who draws by the keyboard.
const FIRST = { length_s: 2, high_hz: 1000 };

const place = part("what-if"), status = statusLine();
/** Below the player, or in the tab where that is open. */
export const chart = h("div",
  { class: "mse-what-if-changes", tabindex: 0, role: "region", "aria-label": WORDS.changes });
let player = /** @type {Player} */ (/** @type {unknown} */ (null));
let brush = /** @type {Brush} */ (/** @type {unknown} */ (null));

export const mountEdits = (/** @type {Player} */ which) => {
  player = which;
  brush = new Brush(player, draw);
  player.controls.row.after(place);
  player.sound.on("source", () => {   // ended beside the player
    if (chain.heard === "edited" && player.sound.source === player.sound.original) hear("original");
  });
  onEdits("status", (words, kind) => say(status, words || chain.edits.map(wordsOf).join(WORDS.then), kind));
  onEdits("recording", () => brush.set(null));
  onEdits("answer", () => {
    useSound();
    drawChanges();
  });
  onEdits("recording chain answer", () => draw());
  draw();
};

/** Both sounds stand at the same place of the recording, so one hears the difference where one is. */
const useSound = () => {
  const { answer, heard } = chain, { sound } = player;
  if (answer && heard === "edited") {
    const { sound: { url }, start_s: offset_s, duration_s, ends_s } = answer;
    sound.use({ url, offset_s, duration_s, ends_s, title: WORDS.edited });
  } else if (sound.original && sound.source?.title === WORDS.edited) sound.use(sound.original);
};

// ---- the box
const turn = () => {
  brush.on = !brush.on;
  const [start_s] = player.span;
  if (brush.on) brush.set({ start_s, end_s: start_s + FIRST.length_s, low_hz: 0, high_hz: FIRST.high_hz });
  draw();
};
const input = (/** @type {Side} */ side, /** @type {Field} */ box) => {
  const digits = side.endsWith("_s") ? 2 : 0, words = WORDS.sides[side];
  const change = () => brush.set({ ...box, ...brush.box, [side]: element.valueAsNumber || 0 });
  const element = h("input", { type: "number", min: 0, step: digits ? 0.1 : 50, value: box[side].toFixed(digits),
    "aria-label": WORDS.box(words), onchange: change });
  return h("label", {}, words, element);
};
const boxTools = () => {
  const { box } = brush;
  if (!box) return h("span", {}, WORDS.draw);
  return [Object.keys(WORDS.sides).map((side) => input(/** @type {Side} */ (side), box)),
    KINDS.map((kind) => button({ onclick: () => ask(kind) }, WORDS[kind]))];
};
/** Adds the box to the edits; of a box that was added just now, it turns the edit round. */
const ask = (/** @type {Kind} */ kind) => {
  const { box } = brush;
  if (!box) return;
  const region = `${box.start_s.toFixed(3)}:${box.end_s.toFixed(3)},${box.low_hz.toFixed(0)}:${box.high_hz.toFixed(0)}`;
  const last = chain.edits.length - 1;
  if (KINDS.some((other) => chain.edits[last] === `${other}=${region}`)) changeEdit(last, `${kind}=${region}`);
  else addEdit(`${kind}=${region}`);
};

// ---- what is seen
export const sounds = () => h("span", { class: "mse-segment", role: "group", "aria-label": WORDS.listen },
  [["original", WORDS.original], ["edited", WORDS.after]].map(([which, words]) =>
    toggle(words, chain.heard === which, () => hear(which), { "data-hear": which })));

/** The changes, where they are looked for. */
export const drawChanges = () => {
  fill(chart, chain.answer && changes(chain.answer.models));
  if (chain.answer) chart.append(figureTools(() => chart, () => WORDS.changes));
};
const draw = () => {
  const anyEdits = chain.edits.length > 0, inTab = state.tab === "what-if";
  fill(place, h("div", { class: "mse-toolbar" }, toggle(WORDS.brush, brush.on, turn), brush.on && boxTools(),
    chain.answer && sounds(), anyEdits && button({ class: "mse-toggle", onclick: undo, disabled: !chain.past.length },
      WORDS.undo), anyEdits && button({ class: "mse-toggle", onclick: clearEdits }, WORDS.clear)),
  status, !inTab && chart);
};
/** The tab has the changes while it is open. */
export const placeChanges = draw;
