// A card to share: a picture, or a clip of ten seconds, of what made a network decide. Made in this browser only.

import { clip as recordClip, clipType } from "./card_clip.js";
import { CARD, drawCard } from "./card_picture.js";
import { button, h, saveBlob, say, statusLine } from "./dom.js";
import { savePng } from "./figure_tools.js";
import { bareName, fileName } from "./file_names.js";
import { fixed, t } from "./language.js";
import { player } from "./main_player.js";
import { pageLink } from "./share.js";
import { modelOf, state } from "./state.js";
import { cellsQuestion, isSomewhere, winningCells } from "./winning_cells.js";

/** @import { Event } from "./types.d.ts" */

//: Length of a clip, and so of what a card shows, seconds; cells that a card boxes.
const CLIP_S = 10, BOXES = 6;

const canvas = h("canvas", { class: "mse-card-canvas", width: CARD.width, height: CARD.height, role: "img" });
const status = statusLine(), from = h("input", { type: "range", step: 0.1, "aria-label": t("The card begins at"),
  oninput: () => draw() });
const fromWords = h("output", { class: "mse-facts" });
/** @type {Event[]} */
let marks = [];
/** @type {AbortController | null} */
let recording = null;

/** How much of the recording the card shows. @returns {[number, number]} */
const stretch = () => {
  const start = from.valueAsNumber;
  return [start, Math.min(start + CLIP_S, Math.min(player.windowSpan[1], player.duration))];
};
/** The ten seconds in which the cells that won add most. */
const strongest = (/** @type {number} */ first, /** @type {number} */ last) => {
  const starts = [first, last, ...marks.map(({ start_s: start }) => Math.max(first, Math.min(last, start - 1)))];
  const inside = (start) => marks.filter((mark) => mark.start_s >= start && mark.end_s <= start + CLIP_S)
    .reduce((sum, { relative }) => sum + Math.max(0, relative), 0);
  return starts.reduce((best, start) => (inside(start) > inside(best) ? start : best));
};

/** What the card says and shows. */
const content = () => {
  const { model: name, tag } = cellsQuestion(), model = modelOf(name), span = stretch();
  const boxes = marks.filter((mark) => mark.start_s >= span[0] && mark.end_s <= span[1] && mark.relative > 0);
  const p = model.timeline[state.window]?.[model.tags.indexOf(tag)] ?? model.probabilities[model.tags.indexOf(tag)];
  return { tag, model, p, span, boxes: boxes.slice(0, BOXES), link: state.recording?.example ? pageLink() : origin() };
};
/** Of an own recording there is no link, only one to the page. */
const origin = () => new URL("./", location.href).href;

const draw = () => {
  const words = content();
  drawCard(canvas, words, null);
  canvas.setAttribute("aria-label", t("{model} gives {tag}", { model: words.model.title, tag: words.tag }));
  fromWords.textContent = t("{from} to {to} s", { from: fixed(words.span[0], 1), to: fixed(words.span[1], 1) });
};

// ---- saving
const name = (/** @type {string} */ end) => fileName([bareName(state.recording?.name ?? ""), content().tag], end);
const savePicture = () => canvas.toBlob((blob) => blob && savePng(blob, content().tag));
const saveClip = async () => {
  if (recording) return recording.abort();
  const words = content(), url = player.sound.original?.url ?? "";
  recording = new AbortController();
  player.pause();
  clipButton.textContent = t("Stop");
  try {
    const made = await recordClip(canvas, url, words.span, recording.signal, (time) => {
      drawCard(canvas, words, time);
      say(status, t("Recording the clip: {done} of {length} s", { done: fixed(time - words.span[0], 0),
        length: fixed(words.span[1] - words.span[0], 0) }), "busy");
    });
    if (made) saveBlob(made, name(made.type.includes("mp4") ? ".mp4" : ".webm"));
    say(status, "");
  } catch (error) {
    say(status, error.message, "error");
  }
  recording = null;
  clipButton.textContent = t("Save clip");
  return draw();
};
const clipButton = button({ onclick: saveClip }, t("Save clip"));

// ---- the dialog
const dialog = h("dialog", { class: "mse mse-dialog mse-card-dialog", "aria-label": t("A card to share"),
  onclose: () => recording?.abort() },
h("div", { class: "mse-dialog-head" }, h("strong", {}, t("A card to share")),
  button({ class: "mse-quiet", "aria-label": t("Close"), onclick: () => dialog.close() }, "×")), canvas,
h("div", { class: "mse-toolbar" }, from, fromWords, button({ class: "mse-button primary", onclick: savePicture },
  t("Save PNG")), clipType() && clipButton), status,
h("p", { class: "mse-facts" }, t("Made in your browser: nothing is sent. Keep the credit where you post it.")));

const open = async () => {
  if (!state.recording || !player.decoded) return;
  if (!dialog.isConnected) (document.querySelector(".gradio-container") ?? document.body).append(dialog);
  marks = (await winningCells()).filter(isSomewhere);
  const [first, end] = player.windowSpan, last = Math.max(first, Math.min(end, player.duration) - CLIP_S);
  Object.assign(from, { min: String(first), max: String(last), value: String(strongest(first, last)) });
  dialog.showModal();
  draw();
};

export const cardButton = () => button({ class: "mse-quiet mse-share-card", onclick: open }, t("Share card"));
