// What if a box of the sound were alone, or not there: both networks' tags before and after, and what each scale took.

import { Brush } from "./brush.js";
import { button, fill, h, part, say, statusLine, toggle } from "./dom.js";
import { hertz, percent, plain, scaleTitle, signed } from "./format.js";
import { call, isSuperseded } from "./rpc.js";
import { state } from "./state.js";

/** @import { Player } from "./player.js" */
/** @import { EditedModel, Field, Source } from "./types.d.ts" */
/** @typedef {keyof typeof EDITS} Kind */
/** @typedef {keyof typeof FIELDS} Side */

const EDITS = { keep: "Only this", remove: "Without this" };
const FIELDS = { start_s: "from, s", end_s: "to, s", low_hz: "from, Hz", high_hz: "to, Hz" };
//: A box to begin with, for who draws by the keyboard.
const FIRST = { length_s: 2, high_hz: 1000 };

const place = part("what-if"), chart = part("what-if-changes"), status = statusLine();
let player = /** @type {Player} */ (/** @type {unknown} */ (null));
let brush = /** @type {Brush} */ (/** @type {unknown} */ (null));
/** @type {{sound: Source, models: EditedModel[]} | null} */
let edited = null;
let listening = "original";

export const mountEdits = (/** @type {Player} */ which) => {
  player = which;
  brush = new Brush(player, draw);
  player.controls.row.after(place);
  player.sound.on("source", () => {   // ended beside the player
    if (listening === "original" || player.sound.source !== player.sound.original) return;
    listening = "original";
    draw();
  });
  draw();
};

/** Another recording, window or model: what was asked no longer belongs to it. */
export const clearEdit = () => {
  brush.set(null);
  forget();
  draw();
};
const forget = () => {
  if (edited && player.sound.original) player.sound.use(player.sound.original);
  edited = null;
  listening = "original";
  say(status, "");
};

// ---- the box
const turn = () => {
  brush.on = !brush.on;
  const [start_s] = player.span;
  if (brush.on) brush.set({ start_s, end_s: start_s + FIRST.length_s, low_hz: 0, high_hz: FIRST.high_hz });
  else forget();
  draw();
};
const input = (/** @type {Side} */ side, /** @type {Field} */ box) => {
  const digits = side.endsWith("_s") ? 2 : 0;
  const change = () => brush.set({ ...box, ...brush.box, [side]: element.valueAsNumber || 0 });
  const element = h("input", { type: "number", min: 0, step: digits ? 0.1 : 50, value: box[side].toFixed(digits),
    "aria-label": `Box ${FIELDS[side]}`, onchange: change });
  return h("label", {}, FIELDS[side], element);
};
const boxTools = () => {
  const { box } = brush;
  if (!box) return h("span", {}, "Draw a box on the spectrogram.");
  return [Object.keys(FIELDS).map((side) => input(/** @type {Side} */ (side), box)),
    Object.entries(EDITS).map(([kind, words]) => button({ onclick: () => ask(/** @type {Kind} */ (kind)) }, words))];
};

// ---- the answer
const ask = async (/** @type {Kind} */ kind) => {
  const { box } = brush, { recording, window } = state;
  if (!box) return;
  const seconds = `${box.start_s.toFixed(3)}:${box.end_s.toFixed(3)}`;
  const edits = `${kind}=${seconds},${box.low_hz.toFixed(0)}:${box.high_hz.toFixed(0)}`;
  say(status, "Tagging the edited sound …", "busy");
  try {
    const { sound: { url }, start_s: offset_s, duration_s, models } = await call("what-if", { edits, window });
    if (recording !== state.recording || window !== state.window) return;
    edited = { sound: { url, offset_s, duration_s, title: "edited sound" }, models };
    say(status, `${EDITS[kind]}: ${plain(box.start_s)} to ${plain(box.end_s)} s, `
      + `${hertz(box.low_hz)} to ${hertz(box.high_hz)}.`);
    listen("edited");
  } catch (error) {
    if (!isSuperseded(error)) say(status, error.message, "error");
  }
};
/** Both sounds stand at the same position, so one hears the difference where one is. */
const listen = (/** @type {string} */ which) => {
  listening = which;
  const next = which === "edited" ? edited?.sound : player.sound.original;
  if (next) player.sound.use(next);
  draw();
};

// ---- what is seen
const bar = ({ before, after }) => h("span", { class: "mse-what-if-bar" },
  h("i", { style: { "--p": after } }), h("b", { style: { "--p": before } }));
const term = (/** @type {number} */ value) => h("td", { class: value < 0 ? "down" : "up" }, signed(value));
const row = (/** @type {EditedModel} */ { scales }, /** @type {EditedModel["tags"][0]} */ answer) => h("tr", {},
  h("th", { scope: "row" }, answer.tag), h("td", {}, bar(answer)),
  h("td", {}, `${percent(answer.before)} → ${percent(answer.after)}`),
  scales.length > 1 && answer.terms.map(term), h("td", {}, signed(answer.change)));
const table = (/** @type {EditedModel} */ model) => {
  const scales = model.scales.length > 1 ? model.scales.map(scaleTitle) : [];
  const heads = ["tag", "", "probability", ...scales, "logit"].map((name) => h("th", { scope: "col" }, name));
  return h("table", { class: "mse-what-if-table" }, h("caption", {}, model.title), h("thead", {}, h("tr", {}, heads)),
    h("tbody", {}, model.tags.map((answer) => row(model, answer))));
};
const sounds = () => h("span", { class: "mse-segment", role: "group", "aria-label": "Listen to" },
  ["original", "edited"].map((which) =>
    toggle(which, listening === which, () => listen(which), { "data-hear": which })));

const draw = () => {
  fill(place, h("div", { class: "mse-toolbar" }, toggle("What if …", brush.on, turn), brush.on && boxTools(),
    edited && sounds()), status, chart);
  fill(chart, edited && [edited.models.map(table), h("p", { class: "mse-facts" },
    "The steps of the scales add up to the change of the logit, exactly. The mark in a bar is where the tag was.")]);
};
