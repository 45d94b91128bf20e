// The channels of one level, and one channel: where it won in this clip, and what it hears best in the examples.

import { button, fill, h, part } from "./dom.js";
import { placeWords } from "./evidence.js";
import { figureTools } from "./figure_tools.js";
import { plain, scaleTitle, signed } from "./format.js";
import { fixed, plural, t, told } from "./language.js";
import { playPlace, stretch } from "./main_player.js";
import { picture, showOpenLevel } from "./network_figure.js";
import { networkKey, question, tag, view } from "./network_state.js";
import { paintMel, read } from "./pictures.js";
import { call, isSuperseded } from "./rpc.js";
import { Sound } from "./sound.js";

/** @import { Moment } from "./types.d.ts" */

//: A map of fewer columns gets a small tile.
const NARROW = 8;

const list = part("network-channels"), one = part("network-channel"), sound = new Sound();
export const parts = [list, figureTools(() => list, () => t("Channels")), one,
  figureTools(() => one, () => t("A channel"))];

/** Asks, and draws the answer with its picture unless something else is asked about by then. */
const show = async (place, endpoint, request, isWanted, draw) => {
  try {
    const answer = await call(endpoint, { ...question(), ...request });
    const image = paintMel(await read(answer.picture), [0, 255]);
    if (isWanted()) fill(place, draw(answer, image));
  } catch (error) {
    if (isWanted() && !isSuperseded(error)) fill(place, h("p", { class: "mse-status error" }, error.message));
  }
};

// ---- all channels of a level
export const openLevel = async (/** @type {string | null} */ level) => {
  const asked = networkKey();
  Object.assign(view, { level, channel: null });
  showOpenLevel();
  fill(one);
  if (!level) return fill(list);
  const isWanted = () => asked === networkKey() && view.level === level;
  await show(list, "channels", { level }, isWanted, (answer, sprite) => channels(level, answer, sprite));
};
const channels = (level, { values, relative, rows, columns }, sprite) => {
  const order = values.map((_, channel) => channel);
  if (relative) order.sort((a, b) => Math.abs(relative[b]) - Math.abs(relative[a]));
  const tiles = order.map((channel) => tile(level, channel, relative?.[channel], { sprite, rows, columns }));
  const n = plural(values.length, "{n} channel", "{n} channels");
  const ranked = relative ? t("{scale}: {channels}, those that move {tag} most come first",
    { scale: scaleTitle(level), channels: n, tag: tag() }) : `${scaleTitle(level)}: ${n}`;
  return [h("h3", {}, ranked),
    h("div", { class: `mse-channel-grid${columns < NARROW ? " small" : ""}` }, tiles)];
};
const tile = (level, channel, relative, { sprite, rows, columns }) => {
  const canvas = h("canvas", { class: "mse-cells", width: columns, height: rows, "aria-hidden": "true" });
  canvas.getContext("2d")?.drawImage(sprite, 0, -channel * rows);
  const adds = relative === undefined ? "" : signed(relative);
  const attributes = {
    class: "mse-channel-tile", "data-channel": channel, onclick: () => openChannel(level, channel),
    "aria-label": adds ? t("{n}: channel that adds {adds} to {tag}", { n: channel + 1, adds, tag: tag() })
      : t("{n}: channel", { n: channel + 1 }),
  };
  return button(attributes, canvas,
    h("span", {}, `${channel + 1}`, adds && h("b", { class: relative < 0 ? "down" : "up" }, adds)));
};

// ---- one channel
export const openChannel = async (/** @type {string} */ level, /** @type {number} */ channel) => {
  const asked = networkKey();
  view.channel = channel;
  const isWanted = () => asked === networkKey() && view.level === level && view.channel === channel;
  await show(one, "channel", { level, channel }, isWanted, (answer, image) => [
    h("h3", {}, t("{scale}, channel {channel}", { scale: scaleTitle(level), channel: channel + 1 })),
    enlarged(answer, image, channel), winner(answer),
    h("h3", {}, t("What it hears best in the examples")), moments(answer.moments)]);
  one.scrollIntoView({ block: "nearest" });
};
const enlarged = ({ row, rows, column, columns }, image, channel) => {
  const where = { left: `${(100 * (column + 0.5)) / columns}%`, top: `${100 * (1 - (row + 0.5) / rows)}%` };
  return h("div", { class: "mse-enlarged" }, picture(image, t("Map of channel {n}", { n: channel + 1 })),
    h("i", { style: where, title: t("the cell that won") }));
};
const winner = (answer) => {
  const { value, weight, relative } = answer;
  const counts = weight === undefined ? t("This model's classifier does not see this level.")
    : t("Value {value}; its weight to {tag} is {weight}, so against the average clip it adds {adds}.",
      { value: plain(value), tag: tag(), weight: signed(weight, 3), adds: signed(relative, 3) });
  return h("p", {}, t("The winning cell hears {place}.", { place: placeWords(answer) }), ` ${counts} `,
    button({ onclick: () => playPlace(answer, relative ?? 1) }, t("Play that moment")));
};
const moments = (/** @type {Moment[] | string} */ found) => {
  if (typeof found === "string") return h("p", { class: "mse-facts" }, told(found));
  const item = (/** @type {Moment} */ moment) => {
    const { title, start_s: start, end_s: end, value } = moment;
    return h("li", {}, button({ class: "mse-evidence", onclick: () => play(moment) },
      h("i", { class: "mse-mini-play", "aria-hidden": "true" }),
      h("span", {}, h("strong", {}, title), " ",
        t("{from} to {to} s", { from: fixed(start, 1), to: fixed(end, 1) })), h("b", {}, plain(value))));
  };
  return h("ol", { class: "mse-moments" }, found.map(item));
};
const play = async (/** @type {Moment} */ moment) => {
  const answer = await call("moment", { example: moment.example }).catch(() => null);   // it can be chosen again
  if (!answer) return;
  const [from, until] = stretch(moment), { url } = answer.sound;
  if (sound.source?.url !== url) sound.open(url, until + 1, moment.title);
  sound.play(from, until);
};
