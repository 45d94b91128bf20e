// Views that musicology knows, below the spectrogram and on its time axis: asked for one by one, with winning cells.

import { GUTTER, drawTimeAxis, innerHeight, innerWidth } from "./axes.js";
import { clipped, drawStrip } from "./canvas.js";
import { fill, h, part, placeBeside, say, statusLine, toggle } from "./dom.js";
import { figureTools } from "./figure_tools.js";
import { plain } from "./format.js";
import { fixed, t } from "./language.js";
import { player } from "./main_player.js";
import { paintMel, read } from "./pictures.js";
import { call, isSuperseded } from "./rpc.js";
import { state } from "./state.js";
import { isSomewhere, winningCells } from "./winning_cells.js";

/** @import { Event, MusicRow } from "./types.d.ts" */

//: Of each row: its title, and how it differs from what the networks see.
const ROWS = {
  constant_q: { title: t("Constant-Q"), words: t("A row is a semitone, whatever its octave. The networks' bands are "
    + "further apart than that below {semitone_hz} Hz: there they cannot tell neighbouring notes.") },
  chroma: { title: t("Chroma"), words: t("All octaves are folded into twelve notes, so that harmony shows. The "
    + "networks fold nothing: one note in two octaves is two places to them.") },
  tempogram: { title: t("Tempogram and beats"), words: t("How much the onsets repeat at each tempo, in beats a minute; "
    + "lines are beats. The networks compute no tempo: they see only single onsets and how near these are.") },
  harmonic: { title: t("Harmonic"), words: t("What lasts at one pitch, in the networks' own bands. The networks get it "
    + "mixed with all that is percussive.") },
  percussive: { title: t("Percussive"), words: t("What is short at many pitches, in the networks' own bands. The "
    + "networks get it mixed with all that is harmonic.") },
};
/** @typedef {keyof typeof ROWS} Name */
/** @typedef {{element: HTMLElement, canvas: HTMLCanvasElement, answer: MusicRow | null}} View What is shown of a row */

const bar = h("div", { class: "mse-toolbar" }), status = statusLine(), stack = part("row-stack");
const readout = h("output", { class: "mse-readout", "aria-live": "off" });
const place = h("section", { class: "mse-music-rows", "aria-label": t("Musical views"), hidden: true }, bar, status,
  h("div", { class: "mse-strip-stack" }, stack, readout));
/** @type {Map<Name, View>} */
const views = new Map();
/** @type {Event[]} */
let marks = [];

// ---- which rows
const drawBar = () => {
  place.hidden = !state.recording;
  fill(bar, h("span", { class: "mse-facts mse-rows-title" }, t("Musical views")), h("span", { class: "mse-segment" },
    Object.entries(ROWS).map(([name, { title }]) =>
      toggle(title, views.has(/** @type {Name} */ (name)), () => turn(/** @type {Name} */ (name))))));
};
const turn = (/** @type {Name} */ name) => {
  if (views.has(name)) {
    views.get(name)?.element.remove();
    views.delete(name);
  } else open(name);
  drawBar();
};
const open = (/** @type {Name} */ name) => {
  const canvas = h("canvas", { role: "img", "aria-label": ROWS[name].title });
  const element = h("figure", { class: "mse-strip mse-music-row", "data-row": name }, canvas,
    h("span", {}, ROWS[name].title), h("figcaption"));
  views.set(name, { element, canvas, answer: null });
  stack.append(element);
  ask(name);
};
const ask = async (/** @type {Name} */ name) => {
  const view = views.get(name), { recording, window } = state;
  if (!view) return;
  view.answer = null;
  say(status, t("Computing {row} …", { row: ROWS[name].title }), "busy");
  try {
    const answer = await call("music-row", { row: name, window }, { parallel: true });
    const picture = await read(answer.picture);
    if (recording !== state.recording || window !== state.window || views.get(name) !== view) return;
    view.answer = { ...answer, values: picture, image: paintMel(picture, [0, 255]) };
    say(status, "");
    describe(name, view);
    drawRow(view);
    marks = await winningCells();
    drawRow(view);
  } catch (error) {
    if (!isSuperseded(error)) say(status, error.message, "error");
  }
};
const describe = (/** @type {Name} */ name, /** @type {View} */ { element, answer }) => {
  const { semitone_hz: limit = 0, tempo = null } = answer ?? {}, caption = element.querySelector("figcaption");
  const words = ROWS[name].words.replace("{semitone_hz}", fixed(limit, 0));
  if (caption) {
    fill(caption, tempo ? `${t("About {tempo} beats a minute.", { tempo: fixed(tempo, 0) })} ${words}` : words,
      figureTools(() => element, () => ROWS[name].title));
  }
};

// ---- drawing
/** From the lowest row's centre upwards; between two centres it is read linearly. */
const rowOf = (/** @type {number[]} */ centres, /** @type {number} */ value) => {
  const above = centres.findIndex((centre) => centre >= value);
  if (above <= 0) return above === 0 ? 0 : centres.length - 1;
  return above - (centres[above] - value) / (centres[above] - centres[above - 1]);
};
const yOf = (/** @type {MusicRow} */ { centres }, /** @type {number} */ row, /** @type {number} */ height) =>
  GUTTER.top + innerHeight(height) * (1 - (row + 0.5) / centres.length);
const C1_HZ = 32.703;
const markRow = (/** @type {MusicRow} */ { axis, centres }, /** @type {Event} */ { low_hz: low, high_hz: high }) => {
  const hz = Math.sqrt(Math.max(1, low) * high);
  if (axis === "hz") return rowOf(centres, hz);
  return axis === "tempo" ? 0 : ((Math.round(12 * Math.log2(hz / C1_HZ)) % 12) + 12) % 12;
};
const drawTicks = (context, /** @type {MusicRow} */ answer, /** @type {number} */ height) => {
  const { colour, font } = player.axisStyle;
  Object.assign(context, { fillStyle: colour, font: `11px ${font}`, textAlign: "right", textBaseline: "middle" });
  let last = Infinity;
  for (const [row, label] of answer.ticks) {
    const y = yOf(answer, row, height);
    if (last - y < 9) continue;
    last = y;
    context.fillText(label, GUTTER.left - 8, y);
  }
};
const drawBeats = (context, /** @type {MusicRow} */ { beats_s: beats }, width, height) => {
  context.fillStyle = "rgba(255, 255, 255, .75)";
  beats.forEach((time) => context.fillRect(player.toX(time, width), GUTTER.top, 1, innerHeight(height)));
};
const drawCell = (context, /** @type {MusicRow} */ answer, /** @type {Event} */ mark, width, height) => {
  const x = player.toX((mark.start_s + mark.end_s) / 2, width), y = yOf(answer, markRow(answer, mark), height);
  context.beginPath();
  context.arc(x, y, 4, 0, 2 * Math.PI);
  Object.assign(context, { fillStyle: mark.relative < 0 ? "#c99bfd" : "#4ade80", strokeStyle: "#000", lineWidth: 1 });
  context.fill();
  context.stroke();
};
const drawRow = (/** @type {View} */ { canvas, answer }) => {
  if (!answer || !canvas.isConnected) return;
  const { context, width, height } = drawStrip(canvas, [answer.image], player.zoom.share);
  drawTicks(context, answer, height);
  drawTimeAxis(context, player.span, { width, height, style: player.axisStyle, duration: player.duration });
  clipped(context, width, height, () => {
    drawBeats(context, answer, width, height);
    marks.filter(isSomewhere).forEach((mark) => drawCell(context, answer, mark, width, height));
    context.fillStyle = "#fff";
    context.fillRect(player.toX(player.now(), width) - 1, GUTTER.top, 2, innerHeight(height));
  });
};
export const drawRows = () => views.forEach(drawRow);

/** Another recording or window is shown, or another tag asked about. */
export const updateRows = async () => {
  drawBar();
  marks = [];
  views.forEach((_, name) => ask(name));
};
export const markRows = async () => {
  if (!views.size || !state.recording) return;
  marks = await winningCells();
  drawRows();
};

// ---- reading values off
const rowWords = (/** @type {MusicRow} */ { axis, centres, values, ticks }, x, y, box) => {
  const row = centres.length - 1 - Math.floor(((y - GUTTER.top) / innerHeight(box.height)) * centres.length);
  const across = (x - GUTTER.left) / innerWidth(box.width);
  if (row < 0 || row >= centres.length || across < 0 || across > 1) return "";
  const [from, to] = player.zoom.share, column = Math.round((from + across * (to - from)) * (values.width - 1));
  const value = values.values[(centres.length - 1 - row) * values.width + column] / 255;
  const names = { hz: () => `${plain(centres[row], 0)} Hz · ${plain(80 * (value - 1), 0)} dB`,
    "pitch class": () => `${ticks[row][1]} · ${plain(value)}`,
    tempo: () => `${t("{tempo} a minute", { tempo: plain(centres[row], 0) })} · ${plain(value)}` };
  return `${fixed(player.toSeconds(x, box.width), 2)} s · ${names[axis]()}`;
};
stack.addEventListener("pointermove", (event) => {
  const canvas = /** @type {HTMLElement} */ (event.target).closest("canvas"), box = canvas?.getBoundingClientRect();
  const view = [...views.values()].find((one) => one.canvas === canvas), frame = stack.getBoundingClientRect();
  readout.textContent = box && view?.answer
    ? rowWords(view.answer, event.clientX - box.left, event.clientY - box.top, box) : "";
  placeBeside(readout, event.clientX - frame.left, event.clientY - frame.top, frame.width);
});
stack.addEventListener("pointerleave", () => { readout.textContent = ""; });
stack.addEventListener("click", (event) => {
  const canvas = /** @type {HTMLElement} */ (event.target).closest("canvas"), box = canvas?.getBoundingClientRect();
  if (box) player.seek(player.toSeconds(event.clientX - box.left, box.width));
});
player.zoom.listenTo(stack);
player.on("span tick", drawRows);
new ResizeObserver(drawRows).observe(place);

export const rowMounts = { "music-rows": place };
