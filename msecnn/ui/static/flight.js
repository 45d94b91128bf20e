// Fly through a feature: from the classifier's weight, level by level, down to a cell of the mel, with the arithmetic.

import { drawCrop } from "./field_picture.js";
import { button, fill, h, part, say, statusLine, toggle } from "./dom.js";
import { placeWords } from "./evidence.js";
import { figureTools } from "./figure_tools.js";
import { hertz, plain, scaleTitle, signed } from "./format.js";
import { withTerms } from "./glossary.js";
import { fixed, plural, t } from "./language.js";
import { playPlace, player } from "./main_player.js";
import { call, isSuperseded } from "./rpc.js";
import { state } from "./state.js";
import { question, why, whyKey } from "./why_state.js";

/** @import { Event, FeaturePath, Field, FilterStep, MelCell } from "./types.d.ts" */

//: Cells in the list for the keyboard, and channels of one cell that are offered.
const LISTED = 12, CHANNELS = 6;

const list = h("details", { class: "mse-cell-list", hidden: true }), status = statusLine();
const panel = part("flight-panel");
/** @type {FeaturePath | null} */
let path = null;
/** @type {Event | null} */
let cell = null;
/** How many levels are open. */
let depth = 0;

// ---- the cells, as a list
const item = (/** @type {Event} */ mark) => h("li", {}, button({ class: "mse-evidence", onclick: () => fly(mark) },
  h("i", { class: "mse-mini-play", "aria-hidden": "true" }),
  h("span", {}, h("strong", {}, scaleTitle(mark.scale)), ` ${placeWords(mark)}`),
  h("b", { class: mark.relative < 0 ? "down" : "up" }, signed(mark.relative))));

/** Offers the cells of another answer. */
export const offerFlights = () => {
  const marks = [...why.answer?.marks ?? []].sort((a, b) => Math.abs(b.relative) - Math.abs(a.relative));
  list.hidden = marks.length === 0;
  land();
  fill(list, h("summary", {}, t("Fly through a feature: choose a cell that won")),
    h("p", { class: "mse-facts" }, withTerms(t("A winning cell is drawn as a dot in its strip. Its way leads from the "
      + "classifier down to the sound, with every number on the way."))),
    h("ol", {}, marks.slice(0, LISTED).map(item)));
};

// ---- asking
/** A cell may win for several channels: the one that adds most, for or against, comes first. */
const strongest = (/** @type {Event} */ { relative, channels = [0] }) =>
  /** @type {number} */ (relative < 0 ? channels.at(-1) : channels[0]);

export const fly = async (/** @type {Event} */ mark, channel = strongest(mark)) => {
  const asked = whyKey();
  say(status, t("Following the feature …"), "busy");
  try {
    const answer = await call("feature-path", { ...question(), scale: mark.scale, channel });
    if (asked !== whyKey()) return;
    path = answer;
    cell = mark;
    depth = 1;
    say(status, "");
    draw();
    panel.querySelector("h3")?.focus({ preventScroll: true });
    panel.scrollIntoView({ block: "start", behavior: "auto" });
    playPlace(mark, mark.relative);
  } catch (error) {
    if (!isSuperseded(error)) say(status, error.message, "error");
  }
};
const land = () => {
  path = cell = null;
  fill(panel);
};
const go = (/** @type {number} */ to) => {
  if (!path) return;
  depth = Math.max(1, Math.min(path.steps.length + 2, to));
  draw();
  const field = [cell, ...path.steps, path.cell][depth - 1];
  if (field) player.mark([{ ...field, sign: path.relative, strong: true }]);
  panel.querySelector("li:last-child")?.scrollIntoView({ block: "nearest" });
};

// ---- what is seen
const number = (/** @type {number} */ value) => plain(value, Math.abs(value) < 0.095 ? 3 : 2);
/** Numbers in rows and columns; `marked` is the one that counts. */
const grid = (/** @type {number[][]} */ rows, /** @type {number[]} */ [u, v], /** @type {string} */ label) =>
  h("table", { class: "mse-grid", "aria-label": label }, h("tbody", {}, rows.map((row, i) =>
    h("tr", {}, row.map((value, j) => h("td", { class: i === u && j === v ? "chosen" : null }, number(value)))))));

const classifierStep = (/** @type {FeaturePath} */ { weight, value, average, relative, channel, scale }) => {
  const words = { scale: scaleTitle(scale), channel: channel + 1, value: number(value), tag: state.tag,
    weight: signed(weight, 3) };
  return [h("h4", {}, t("The classifier")), h("p", {}, average === null
    ? t("{scale}, channel {channel} has the value {value}; its weight to {tag} is {weight}.", words)
    : t("{scale}, channel {channel} has the value {value}, {average} in the average clip; its weight to {tag} is "
      + "{weight}.", { ...words, average: number(average) })),
  h("p", { class: "mse-sum" }, `${plain(weight, 3)} × (${number(value)} − ${number(average ?? 0)}) = `,
    h("b", { class: relative < 0 ? "down" : "up" }, signed(relative, 3)))];
};

const fieldWords = (/** @type {Field} */ field) => t("It sees {place}.", { place: placeWords(field) });
const filterWords = (/** @type {FilterStep} */ step) => {
  const own = step.channel_sums[step.input_channel], all = step.channel_sums.reduce((sum, value) => sum + value, 0);
  const others = step.channel_sums.length - 1;
  return h("p", { class: "mse-sum" }, `${number(own)}`,
    others > 0 && ` ${plus(all - own)} (${plural(others, "{n} other channel", "{n} other channels")})`,
    ` ${plus(step.bias)} (${t("bias")}) = ${number(step.filter_sum)};  × ${number(step.norm_scale)} `
    + `${plus(step.norm_shift)} (${t("normalised")}) = ${number(step.normalised)};  ELU → `,
    h("b", {}, number(step.value)));
};
const plus = (/** @type {number} */ value) => `${value < 0 ? "−" : "+"} ${number(Math.abs(value))}`;
const levelStep = (/** @type {FilterStep} */ step) => {
  const products = step.patch.map((row, i) => row.map((value, j) => value * step.weights[i][j]));
  const place = turned(step.input_place), total = products.flat().reduce((sum, value) => sum + value, 0);
  return [h("h4", {}, channelWords(step.level, step.channel)), picture(step),
    h("p", {}, fieldWords(step), " ", t("Pooling keeps the largest of {n} values: {value}.",
      { n: step.block.flat().length, value: number(step.value) })),
    grid(flip(step.block), [step.block.length - 1 - step.winner[0], step.winner[1]],
      t("Values that pooling joins")),
    h("p", {}, t("The 3×3 filter that gave it, at the input that gives most: {input}.",
      { input: channelWords(step.input_level, step.input_channel) })),
    h("div", { class: "mse-products" }, grid(flip(step.patch), place, t("Inputs")), "×",
      grid(flip(step.weights), place, t("Weights")), "=", grid(flip(products), place, t("Products")), "Σ",
      h("b", {}, number(total))), filterWords(step)];
};
const channelWords = (/** @type {string} */ scale, /** @type {number} */ channel) =>
  t("{scale}, channel {channel}", { scale: scaleTitle(scale), channel: channel + 1 });
/** High frequencies lie on top, as in every picture here. */
const flip = (/** @type {number[][]} */ rows) => [...rows].reverse();
const turned = (/** @type {number[]} */ [row, column]) => [2 - row, column];
const melStep = (/** @type {MelCell} */ end) => [h("h4", {}, t("The sound")), picture(end),
  h("p", {}, t("Band {band} ({low} to {high}) at {time} s: {decibels} dB.", { band: end.band + 1,
    low: hertz(end.low_hz),
    high: hertz(end.high_hz), time: fixed((end.start_s + end.end_s) / 2, 2), decibels: plain(end.decibels, 1) })),
  h("p", { class: "mse-sum" }, `${plain(end.decibels, 1)} × ${plain(end.norm_scale, 4)} ${plus(end.norm_shift)} (`,
    t("normalised"), ") = ", h("b", {}, number(end.value)))];
const picture = (/** @type {Field} */ field) => {
  const canvas = h("canvas", { class: "mse-field", role: "img", "aria-label": fieldWords(field) });
  requestAnimationFrame(() => drawCrop(canvas, field));
  return h("div", { class: "mse-field-place" }, canvas,
    button({ class: "mse-toggle mse-no-picture", onclick: () => playPlace(field, path?.relative ?? 1) },
      t("Play these seconds")));
};

const tools = (/** @type {number} */ last) => h("div", { class: "mse-toolbar" },
  button({ class: "mse-button primary", disabled: depth === last, onclick: () => go(depth + 1) },
    t("One level deeper")),
  button({ disabled: depth === 1, onclick: () => go(depth - 1) }, t("Back up")),
  button({ disabled: depth === last, onclick: () => go(last) }, t("All levels")), channelChoice(),
  button({ class: "mse-quiet", "aria-label": t("Close the feature"), onclick: land }, "×"));
const channelChoice = () => {
  const channels = cell?.channels ?? [];
  if (!path || !cell || channels.length < 2) return null;
  const shown = (cell.relative < 0 ? [...channels].reverse() : channels).slice(0, CHANNELS);
  return h("span", { class: "mse-segment", role: "group", "aria-label": t("Channels that this cell won for") },
    shown.map((channel) => toggle(t("channel {n}", { n: channel + 1 }), channel === path?.channel,
      () => cell && fly(cell, channel))));
};
const draw = () => {
  if (!path) return;
  const { steps, cell: end } = path, whole = path, title = t("How one feature of {tag} came to be", state);
  const pages = [() => classifierStep(whole), ...steps.map((step) => () => levelStep(step)), () => melStep(end)];
  const ways = h("ol", { class: "mse-flight-steps" }, pages.slice(0, depth).map((page) => h("li", {}, page())));
  const exact = t("Exact: each value is the network's own; of each filter the input that gave most is followed.");
  fill(panel, h("h3", { tabindex: -1 }, title), tools(pages.length), ways, h("p", { class: "mse-facts" }, exact),
    figureTools(() => ways, () => title));
};

export const flightMounts = { flight: [list, status, panel] };
