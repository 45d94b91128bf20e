// All tags with the network as it is switched, and the table of how much each level adds to each tag.

import { offerAll, onChoice } from "./controls.js";
import { button, fill, h, part, tagRow } from "./dom.js";
import { figureTools } from "./figure_tools.js";
import { percent, plain, scaleTitle, sigmoid, signed } from "./format.js";
import { withTerms } from "./glossary.js";
import { t } from "./language.js";
import { explain } from "./navigation.js";
import { logit, network, rival, view } from "./network_state.js";
import { modelOf, state, windowOf } from "./state.js";

/** @import { Network } from "./types.d.ts" */

const FEW = 12;

const bars = part("network-bars"), table = part("network-table");
export const parts = [
  h("div", {}, bars, figureTools(() => bars, () => t("Tags with these connections"))),
  h("div", {}, table, figureTools(() => table, () => t("How much each level adds, per tag")))];

const rows = (/** @type {Network} */ answer) => {
  const whole = answer.scales.map(() => true), { tags } = modelOf();
  const all = tags.map((name, k) => ({
    name, k, full: sigmoid(logit(answer, k, whole)), now: sigmoid(logit(answer, k)),
  })).sort((a, b) => b.full - a.full);
  return view.all ? all : all.slice(0, FEW);
};

// ---- bars
const ownColour = () => (view.random ? "model-none" : `model-${Math.max(0, state.models.indexOf(modelOf()))}`);
const otherColour = () => `model-${state.models.findIndex((model) => model === rival())}`;

const sentence = (/** @type {Network} */ { scales, mean_known: meanKnown }) => {
  const { title } = modelOf(), off = scales.filter((_, s) => !network.kept[s]).map(scaleTitle);
  if (off.length === scales.length) return t("Nothing is connected: every clip gets these numbers.");
  if (off.length) return t("{model} without: {scales}.", { model: title, scales: off.join(", ") });
  return meanKnown
    ? t("{model}, whole. Switch a connection off and its scale is replaced by the average clip's.", { model: title })
    : t("{model}, whole. Switch a connection off and its scale adds nothing.", { model: title });
};
const legend = () => {
  const { title } = modelOf(), other = rival();
  const own = view.random ? t("{model} with random weights, with your switches; line = all on", { model: title })
    : t("{model} with your switches; line = all on", { model: title });
  return h("div", { class: "mse-legend" }, h("span", { class: ownColour() }, h("i"), own),
    other && h("span", { class: otherColour() }, h("i"),
      view.random ? t("{model}, trained", { model: title }) : other.title));
};
/** What the other network says of a tag in the same window; null where it does not know the tag. */
const compared = (/** @type {string} */ tag) => {
  const other = rival(), k = other ? other.tags.indexOf(tag) : -1;
  return other && k >= 0 ? other.timeline[windowOf(other)][k] : null;
};
const bar = (value, colour, /** @type {import("./dom.js").Child} */ line = null) =>
  h("span", { class: `mse-bar ${colour}`, style: { "--p": value } }, line);
const row = ({ name, full, now }) => {
  const beside = compared(name), whole = h("i", { style: { left: `${100 * full}%` } });
  const attributes = {
    class: `mse-tag${name === state.tag ? " chosen" : ""}`, "data-tag": name,
    onclick: () => explain(name, modelOf().name),
    label: t("{tag}: {now}, whole network {full}. Why?", { tag: name, now: percent(now), full: percent(full) }),
  };
  return tagRow(attributes, name,
    [bar(now, ownColour(), whole), beside !== null && bar(beside, otherColour())],
    [h("b", { class: ownColour() }, percent(now)),
      beside !== null && h("b", { class: otherColour() }, percent(beside))]);
};
const drawBars = (/** @type {Network} */ answer, list) => fill(bars,
  h("p", { class: "mse-sentence" }, `${view.random ? `${t("Random weights.")} ` : ""}${sentence(answer)}`), legend(),
  h("div", { class: "mse-tags all mse-one-column" }, list.map(row)));

// ---- table
const value = (/** @type {number} */ number) =>
  h("td", { class: "plain" }, Math.abs(number) < 0.05 ? plain(0, 1) : plain(number, 1));
const term = (/** @type {number} */ number, { name, scale, most, kept }) => h("td",
  { class: `${number < 0 ? "down" : "up"}${kept ? "" : " off"}`, style: { "--p": Math.abs(number) / most },
    "data-hint": t("{scale} adds {value} to {tag}",
      { scale: scaleTitle(scale), value: signed(number, 3), tag: name }) },
  signed(number));
const drawTable = (/** @type {Network} */ answer, list) => {
  const { scales, relative, base } = answer, heads = [t("logit"), answer.mean_known ? t("average") : t("bias")];
  const most = Math.max(1e-6, ...list.flatMap(({ k }) => relative.map((terms) => Math.abs(terms[k]))));
  const line = ({ name, k }) => h("tr", { class: name === state.tag ? "chosen" : "" },
    h("th", { scope: "row" }, button({ class: null, onclick: () => explain(name, modelOf().name) }, name)),
    value(base[k]), relative.map((terms, s) =>
      term(terms[k], { name, scale: scales[s], most, kept: network.kept[s] })), value(logit(answer, k)));
  const titles = [...heads, ...scales.map(scaleTitle), t("this clip")];
  fill(table, h("h3", {}, t("How much each level adds, per tag")),
    h("div", { class: "mse-scroll" }, h("table", { class: "mse-leans", style: { "--n": scales.length + 2 } },
      h("thead", {}, h("tr", {}, titles.map((title) => h("th", {}, withTerms(title))))),
      h("tbody", {}, list.map(line)))));
  offerAll("all-splits", view.all, modelOf().tags.length, FEW);
};
onChoice("all-splits", () => {
  view.all = !view.all;
  drawNumbers();
});

export const drawNumbers = () => {
  const { answer } = network;
  if (!answer) return;
  const list = rows(answer);
  drawBars(answer, list);
  drawTable(answer, list);
};
