// One strip of saliency a scale, as wide as the player's picture above, with the cells that won.

import { GUTTER, cellAt, drawHzAxis, drawTimeAxis, innerHeight, innerWidth } from "./axes.js";
import { clipped, drawStrip, hatch } from "./canvas.js";
import { fill, h, isVisible, part, placeBeside } from "./dom.js";
import { placeWords } from "./evidence.js";
import { fly } from "./flight.js";
import { scaleTitle, signed } from "./format.js";
import { fixed, precise, t } from "./language.js";
import { player } from "./main_player.js";
import { paintGrey, paintSigned } from "./pictures.js";
import { modelOf, state } from "./state.js";
import { view, why } from "./why_state.js";

/** @import { Event } from "./types.d.ts" */

//: A winner this near to the pointer is meant, pixels.
const REACH = 10;

const strips = part("why-strips"), playhead = h("i", { class: "mse-strip-head" });
const readout = h("output", { class: "mse-readout", "aria-live": "off" });
const stack = h("div", { class: "mse-strip-stack" }, strips, playhead, readout);
export const parts = [stack];
player.zoom.listenTo(stack);

/** Colours the maps: each on its own scale, or all on that of the strongest. */
export const paintMaps = () => {
  const { maps } = why, most = Math.max(...maps?.maps.map(({ limit }) => limit) ?? []);
  if (!maps) return;
  const gain = (s) => (view.shared && most ? maps.maps[s].limit / most : 1);
  maps.read = maps.pictures.map((picture, s) => paintSigned(picture, gain(s)));
};

/** A signed map, if there is one yet, over the player's picture in grey, with the player's axes. */
export const drawMap = (/** @type {HTMLCanvasElement} */ canvas, /** @type {OffscreenCanvas | undefined} */ map) => {
  const { decoded, span, duration, axisStyle: style, view: { mel } } = player;
  if (!decoded) return null;
  decoded.grey ??= paintGrey(decoded.picture);
  const drawn = drawStrip(canvas, map ? [decoded.grey, map] : [decoded.grey], player.zoom.share);
  const { context, width, height } = drawn;
  drawHzAxis(context, mel.bands_hz, { height, style });
  drawTimeAxis(context, span, { width, height, style, duration });
  return drawn;
};

export const drawStrips = () => {
  const { answer } = why;
  if (!answer || !isVisible(strips)) return;
  if (strips.children.length !== answer.scales.length) {
    fill(strips, answer.scales.map(() => h("div", { class: "mse-strip" }, h("span"),
      h("canvas", { "aria-hidden": "true" }), h("small"))));
  }
  answer.scales.forEach((scale, s) => drawOne(/** @type {HTMLElement} */ (strips.children[s]), scale, s));
  moveHead(player.now());
};
const drawOne = (/** @type {HTMLElement} */ strip, /** @type {string} */ scale, /** @type {number} */ s) => {
  const [title, canvas, note] = strip.children, map = why.maps?.maps[s];
  const drawn = drawMap(/** @type {HTMLCanvasElement} */ (canvas), why.maps?.read[s]);
  const adds = why.answer?.cannot ? "" : `  ${signed(why.answer?.relative[s] ?? 0)}`;
  title.textContent = `${scaleTitle(scale)}${adds}`;
  note.textContent = map ? `±${precise(map.limit)}${map.thickened ? ` · ${t("small cells enlarged")}` : ""}` : "";
  if (!drawn) return;
  const { context, width, height } = drawn, right = GUTTER.left + innerWidth(width);
  const blind = player.toX(player.windowSpan[0] + (modelOf().receptive_ends_s[scale] ?? state.mel.window_s), width);
  clipped(context, width, height, () => {
    hatch(context, blind, GUTTER.top, right - blind, innerHeight(height));   // this scale sees nothing of it
    if (view.marks) winnersOf(scale).forEach((mark) => drawWinner(context, mark, width, height));
  });
};

// ---- winning cells
const winnersOf = (/** @type {string} */ scale) => why.answer?.marks.filter((mark) => mark.scale === scale) ?? [];
const winnerPlace = (/** @type {Event} */ mark, /** @type {number} */ width, /** @type {number} */ height) => {
  const [[, lowest]] = state.mel.bands_hz, centre = Math.sqrt(Math.max(lowest, mark.low_hz) * mark.high_hz);
  return [player.toX((mark.start_s + mark.end_s) / 2, width), player.toY(centre, height)];
};
const drawWinner = (context, /** @type {Event} */ mark, width, height) => {
  const [x, y] = winnerPlace(mark, width, height);
  const most = Math.max(...(why.answer?.marks ?? []).map((other) => Math.abs(other.relative)));
  context.beginPath();
  context.arc(x, y, 2.5 + 4.5 * Math.sqrt(Math.abs(mark.relative) / most), 0, 2 * Math.PI);
  context.fillStyle = mark.relative < 0 ? "#c99bfd" : "#4ade80";
  context.fill();
  context.lineWidth = 1.5;
  context.strokeStyle = "rgba(0, 0, 0, .75)";
  context.stroke();
};
const nearestWinner = (event, /** @type {HTMLCanvasElement} */ canvas) => {
  const box = canvas.getBoundingClientRect(), strip = [...strips.children].indexOf(canvas.parentElement ?? canvas);
  const distances = winnersOf(why.answer?.scales[strip] ?? "").map((mark) => {
    const [x, y] = winnerPlace(mark, box.width, box.height);
    return { mark, distance: Math.hypot(event.clientX - box.left - x, event.clientY - box.top - y) };
  });
  const [nearest] = distances.sort((a, b) => a.distance - b.distance);
  return nearest?.distance < REACH ? nearest.mark : null;
};
const channelWords = (/** @type {number[]} */ channels) => {
  if (channels.length > 3) return t("{n} channels", { n: channels.length });
  const names = channels.map((channel) => channel + 1).join(", ");
  return channels.length > 1 ? t("channels {names}", { names }) : t("channel {n}", { n: names });
};
const winnerWords = (/** @type {Event} */ winner) => `${scaleTitle(winner.scale)}, `
  + `${channelWords(winner.channels ?? [])}: ${placeWords(winner)}, ${signed(winner.relative, 3)}`;

/** Time, band and value of the map at the pointer. */
const cellWords = (event, /** @type {HTMLCanvasElement} */ canvas) => {
  const { maps } = why, s = [...strips.children].indexOf(canvas.parentElement ?? canvas);
  const box = canvas.getBoundingClientRect();
  const map = maps?.maps[s], picture = maps?.pictures[s];
  const cell = picture && cellAt(picture, event.clientX - box.left, event.clientY - box.top, box, player.zoom.share);
  if (!map || !cell) return "";
  const value = ((picture.values[cell.row * picture.width + cell.column] - 128) / 127) * map.limit;
  const [low, , high] = state.mel.bands_hz[picture.height - 1 - cell.row].map(Math.round);
  const time = player.toSeconds(event.clientX - box.left, box.width), digits = map.limit < 0.01 ? 5 : 3;
  return `${fixed(time, 2)} s · ${low}–${high} Hz · ${value ? signed(value, digits) : "0"}`;
};

strips.addEventListener("click", (event) => {
  const canvas = canvasOf(event);
  if (!canvas) return;
  const winner = nearestWinner(event, canvas), box = canvas.getBoundingClientRect();
  if (winner) fly(winner);
  else player.seek(player.toSeconds(event.clientX - box.left, box.width));
});
strips.addEventListener("pointermove", (event) => {
  const canvas = canvasOf(event), winner = canvas && nearestWinner(event, canvas);
  readout.textContent = winner ? winnerWords(winner) : canvas ? cellWords(event, canvas) : "";
  const box = stack.getBoundingClientRect();
  placeBeside(readout, event.clientX - box.left, event.clientY - box.top, box.width);
});
strips.addEventListener("pointerleave", () => { readout.textContent = ""; });
const canvasOf = (event) => /** @type {HTMLElement} */ (event.target).closest("canvas");

// ---- the sound
/** Where a winning cell lies in its strip, for what is laid over it; null where that is not in view. */
export const placeOf = (/** @type {Event} */ mark) => {
  const strip = strips.children[why.answer?.scales.indexOf(mark.scale) ?? -1], canvas = strip?.querySelector("canvas");
  if (!canvas || !isVisible(strips)) return null;
  const [x, y] = winnerPlace(mark, canvas.clientWidth, canvas.clientHeight);
  if (x < GUTTER.left || x > canvas.clientWidth - GUTTER.right) return null;   // zoomed away
  return { over: /** @type {HTMLElement} */ (strip), x, y };
};
player.on("state", () => stack.classList.toggle("sounding", !player.audio.paused));
export const moveHead = (/** @type {number} */ time) => {
  const canvas = strips.querySelector("canvas");
  if (!canvas || !isVisible(strips)) return;
  const x = player.toX(time, canvas.clientWidth), right = GUTTER.left + innerWidth(canvas.clientWidth);
  playhead.style.opacity = x >= GUTTER.left && x <= right ? "1" : "0";
  playhead.style.transform = `translateX(${x}px)`;
};
