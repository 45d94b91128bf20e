// A figure as a clip for a talk: its picture, the sound, and where in it the sound is. Made in this browser only.

import { clip as recordClip, clipType } from "./card_clip.js";
import { GUTTER } from "./axes.js";
import { button, h, saveBlob, say, statusLine } from "./dom.js";
import { bareName, fileName } from "./file_names.js";
import { figureSvg, painted } from "./figure_svg.js";
import { credit, onClip } from "./figure_tools.js";
import { fixed, t } from "./language.js";
import { player } from "./main_player.js";
import { state } from "./state.js";

//: Widest clip, pixels: what a beamer shows.
const WIDEST = 1200;
//: Height of the spectrogram below a figure that has no time axis, and the space round it, pixels.
const BAR = 96, SPACE = 12;
//: Of the lengths that are offered the short one, seconds; the other is all that the player shows.
const SHORT_S = 10;
//: What has the player's time axis.
const IN_TIME = ".mse-strip canvas, canvas.mse-base";

const canvas = h("canvas", { class: "mse-card-canvas", role: "img" }), status = statusLine();
const length = h("select", { "aria-label": t("Length"), onchange: () => draw(span()[0]) });
/** @type {AbortController | null} */
let recording = null;
/** @typedef {[number, number, number, number]} Box x, y, width, height in pixels of the page */
/** @type {{picture: OffscreenCanvas, heads: Box[], scale: number, title: string} | null} */
let shown = null;

/** What of the recording the clip has: from where the player stands. @returns {[number, number]} */
const span = () => {
  const [first, last] = player.span, end = Math.min(last, player.duration);
  if (length.value !== "short") return [first, end];
  const start = Math.max(first, Math.min(player.now(), end - SHORT_S));
  return [start, Math.min(end, start + SHORT_S)];
};

// ---- drawing
/** Where a position in time stands: over each canvas with a time axis. */
const drawHeads = (context, /** @type {number} */ time) => {
  const { heads, scale } = /** @type {NonNullable<typeof shown>} */ (shown);
  for (const [x, y, width, height] of heads) {
    const at = scale * (x + player.toX(time, width));
    context.fillRect(at - 1.5, scale * (y + GUTTER.top), 3, scale * (height - GUTTER.top - GUTTER.bottom));
  }
};
const drawBar = (context, /** @type {number} */ time) => {
  const image = player.decoded?.image, top = canvas.height - BAR + SPACE / 2, tall = BAR - SPACE;
  if (!image) return;
  const [from, to] = player.zoom.share.map((part) => part * image.width), width = canvas.width - 2 * SPACE;
  context.imageSmoothingEnabled = false;
  context.drawImage(image, from, 0, to - from, image.height, SPACE, top, width, tall);
  const [first, last] = player.span;
  context.fillRect(SPACE + ((time - first) / (last - first)) * width - 1.5, top, 3, tall);
};
const draw = (/** @type {number} */ time) => {
  if (!shown) return;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.fillStyle = getComputedStyle(document.body).backgroundColor;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(shown.picture, 0, 0);
  context.fillStyle = "#fff";
  context.shadowColor = "#000";
  context.shadowBlur = 4;
  if (shown.heads.length > 0) drawHeads(context, time);
  else drawBar(context, time);
  context.shadowBlur = 0;
};

// ---- saving
const save = async () => {
  if (recording) return recording.abort();
  const [start, end] = span(), { title = "" } = shown ?? {};
  recording = new AbortController();
  player.pause();
  saveButton.textContent = t("Stop");
  length.disabled = true;
  try {
    const made = await recordClip(canvas, player.sound.original?.url ?? "", [start, end], recording.signal, (time) => {
      draw(time);
      say(status, t("Recording the clip: {done} of {length} s", { done: fixed(time - start, 0),
        length: fixed(end - start, 0) }), "busy");
    });
    const type = made?.type.includes("mp4") ? ".mp4" : ".webm";
    if (made) saveBlob(made, fileName([bareName(state.recording?.name ?? ""), title], type));
    say(status, "");
  } catch (error) {
    say(status, error.message, "error");
  }
  recording = null;
  saveButton.textContent = t("Save clip");
  length.disabled = false;
  return draw(start);
};
const saveButton = button({ class: "mse-button primary", onclick: save }, t("Save clip"));

// ---- the dialog
const heading = h("strong");
const dialog = h("dialog", { class: "mse mse-dialog mse-card-dialog", "aria-label": t("A figure as a clip"),
  onclose: () => recording?.abort() },
h("div", { class: "mse-dialog-head" }, heading,
  button({ class: "mse-quiet", "aria-label": t("Close"), onclick: () => dialog.close() }, "×")), canvas,
h("div", { class: "mse-toolbar" }, length, saveButton), status,
h("p", { class: "mse-facts" }, t("It is recorded while it plays, without a sound from the speakers. Made in your "
  + "browser: nothing is sent.")));

const open = async (/** @type {HTMLElement} */ element, /** @type {string} */ title) => {
  if (!state.recording || !player.decoded) return;
  const svg = await figureSvg(element, title, credit()), scale = Math.min(2, WIDEST / svg.width);
  const box = element.getBoundingClientRect(), [left, top] = svg.inside;
  const canvases = [...element.querySelectorAll(IN_TIME)].map((one) => one.getBoundingClientRect());
  const heads = canvases.map(({ x, y, width, height }) =>
    /** @type {Box} */ ([left + x - box.x, top + y - box.y, width, height]));
  shown = { picture: await painted(svg, scale), heads, scale, title };
  const even = (/** @type {number} */ size) => 2 * Math.ceil(size / 2);   // some codecs take no odd size
  canvas.width = even(shown.picture.width);
  canvas.height = even(shown.picture.height + (heads.length > 0 ? 0 : BAR));
  canvas.setAttribute("aria-label", title);
  heading.textContent = title;
  length.replaceChildren(h("option", { value: "short" }, t("{n} s from the playhead", { n: SHORT_S })),
    h("option", { value: "all" }, t("all that the player shows")));
  if (!dialog.isConnected) (document.querySelector(".gradio-container") ?? document.body).append(dialog);
  say(status, "");
  dialog.showModal();
  draw(span()[0]);
};
if (clipType()) onClip(open);
