// The picture of a card: spectrogram, boxes round the cells that won, the tag, the credit and a link.

import { hzToRow } from "./axes.js";
import { percent } from "./format.js";
import { t } from "./language.js";
import { player } from "./main_player.js";
import { state } from "./state.js";

/** @import { Event, Model } from "./types.d.ts" */
/**
 * @typedef {{tag: string, model: Model, p: number, span: [number, number], boxes: Event[], link: string}} Words
 */

export const CARD = { width: 1200, height: 630 };
//: Where the spectrogram lies on it, and the margin of the words.
const PICTURE = { x: 0, y: 150, width: 1200, height: 370 }, MARGIN = 44;

/** Words that end with … where they are too wide. */
const write = (context, /** @type {string} */ words, x, y, width) => {
  let shown = words;
  while (shown.length > 1 && context.measureText(shown).width > width) shown = `${shown.slice(0, -2)}…`;
  context.fillText(shown, x, y);
};
const xOf = (/** @type {[number, number]} */ [from, to], /** @type {number} */ time) =>
  PICTURE.x + ((time - from) / (to - from)) * PICTURE.width;
const yOf = (/** @type {number} */ hz) => {
  const bands = player.view.mel.bands_hz;
  return PICTURE.y + PICTURE.height * (1 - (hzToRow(bands, hz) + 0.5) / bands.length);
};

const drawSpectrogram = (context, /** @type {[number, number]} */ span) => {
  const image = player.decoded?.image, [first, last] = player.windowSpan;
  if (!image) return;
  const [left, right] = span.map((time) => ((time - first) / (last - first)) * image.width);
  context.imageSmoothingEnabled = false;
  context.drawImage(image, left, 0, right - left, image.height, PICTURE.x, PICTURE.y, PICTURE.width, PICTURE.height);
};
const drawBoxes = (context, /** @type {Words} */ { boxes, span }, /** @type {number | null} */ time) => {
  for (const box of boxes) {
    const isHeard = time !== null && time >= box.start_s && time <= box.end_s + 0.2;
    Object.assign(context, { strokeStyle: "#4ade80", lineWidth: isHeard ? 8 : 4 });
    const x = xOf(span, box.start_s), y = yOf(box.high_hz);
    context.strokeRect(x - 3, y - 3, Math.max(8, xOf(span, box.end_s) - x) + 6, Math.max(8, yOf(box.low_hz) - y) + 6);
  }
};

/**
 * @param {HTMLCanvasElement} canvas
 * @param {Words} words
 * @param {number | null} time where the playhead is, in a clip
 */
export const drawCard = (canvas, words, time) => {
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const font = getComputedStyle(document.body).fontFamily, width = CARD.width - 2 * MARGIN;
  Object.assign(context, { fillStyle: "#151311", textBaseline: "alphabetic", textAlign: "left" });
  context.fillRect(0, 0, CARD.width, CARD.height);
  drawSpectrogram(context, words.span);
  drawBoxes(context, words, time);
  if (time !== null) {
    context.fillStyle = "#fff";
    context.fillRect(xOf(words.span, time) - 2, PICTURE.y, 4, PICTURE.height);
  }
  Object.assign(context, { fillStyle: "#f1ece6", font: `700 60px ${font}` });
  write(context, `${words.tag} ${percent(words.p)}`, MARGIN, 78, width);
  Object.assign(context, { fillStyle: "#d6cec4", font: `26px ${font}` });
  const why = words.boxes.length > 0 ? t("boxed: what made {model} decide", { model: words.model.title })
    : t("tagged by {model}", { model: words.model.title });
  write(context, `${state.recording?.name} · ${why}`, MARGIN, 122, width);
  Object.assign(context, { fillStyle: "#d6cec4", font: `22px ${font}` });
  write(context, state.recording?.credit || t("an own recording"), MARGIN, 562, width);
  Object.assign(context, { fillStyle: "#f59e42", font: `22px ${font}` });
  write(context, words.link, MARGIN, 600, width);
};
