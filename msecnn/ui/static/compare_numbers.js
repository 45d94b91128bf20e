// Both recordings' tags on one chart, and for one tag what each scale adds to A and to B.

import { offer, offerAll, onChoice } from "./controls.js";
import { button, fill, h, part, tagRow, warnUntrained } from "./dom.js";
import { compare, rows, tag } from "./compare_state.js";
import { figureTools } from "./figure_tools.js";
import { percent, plain, scaleTitle, sigmoid, signed } from "./format.js";
import { t } from "./language.js";
import { explain } from "./navigation.js";
import { modelOf, set } from "./state.js";
import { mostDifferent } from "./tags.js";

const FEW = 12;

const view = { sort: "difference", all: false };
const sentencePlace = part("compare-sentence"), tagsPlace = part("compare-tags"), scales = part("compare-scales");
export const parts = [sentencePlace, h("div", { class: "mse-compare-columns" },
  h("div", {}, tagsPlace, figureTools(() => tagsPlace, () => t("Tags of A and B"))),
  h("div", {}, scales, figureTools(() => scales, () => t("Scales of A and B"))))];

// ---- tags
const gap = ({ values: [a, b] }) => Math.abs(a - b);
const ORDER = { difference: gap, first: ({ values: [a] }) => a, second: ({ values: [, b] }) => b };

const sentence = (list) => {
  const { title: model } = modelOf();
  const words = ({ name, values: [a, b] }) => `${name} (A ${percent(a)}, B ${percent(b)})`;
  const most = mostDifferent(list, gap, words, t(" and by "));
  return most ? t("{model} tells A and B apart most by {most}.", { model, most })
    : t("To {model} these two sound alike: no tag differs by more than 2 points.", { model });
};
/** What a visitor has chosen, for a link. */
export { view as comparisonView };

const row = ({ name, values }) => {
  const [a, b] = values.map(percent), label = t("{tag}: A {a}, B {b}. Show its scales", { tag: name, a, b });
  const attributes = { class: `mse-tag${name === tag() ? " chosen" : ""}`, "data-tag": name, label };
  return tagRow({ ...attributes, onclick: () => set({ tag: name }) }, name,
    values.map((value, i) => h("span", { class: `mse-bar side-${i}`, style: { "--p": value } })),
    [h("b", { class: "side-0" }, a), h("b", { class: "side-1" }, b)]);
};
const change = (patch) => {
  Object.assign(view, patch);
  drawTags();
};
onChoice("compare-sort", (sort) => change({ sort }));
onChoice("all-differences", () => change({ all: !view.all }));
export const drawTags = () => {
  const all = rows().sort((a, b) => ORDER[view.sort](b) - ORDER[view.sort](a));
  fill(sentencePlace, warnUntrained([modelOf()]), h("p", { class: "mse-sentence" }, sentence(all)));
  fill(tagsPlace, h("div", { class: "mse-tags mse-one-column" }, all.slice(0, view.all ? all.length : FEW).map(row)));
  offer("compare-sort", { value: view.sort, visible: true });
  offerAll("all-differences", view.all, all.length, FEW);
};

// ---- scales: both logits begin at the same average clip, so six differences are the whole difference
const bar = (/** @type {number} */ value, /** @type {number} */ side, /** @type {number} */ most) => {
  const left = `${50 + Math.min(0, (50 * value) / most)}%`, width = `${Math.max(0.4, (50 * Math.abs(value)) / most)}%`;
  return h("i", { class: `side-${side}`, style: { left, width } });
};
const scaleRow = (scale, a, b, most) => h("div", { class: "mse-pair" }, h("span", {}, scaleTitle(scale)),
  h("span", { class: "mse-pair-track", role: "img", "aria-label": `A ${signed(a)}, B ${signed(b)}`,
    "data-hint": `${scaleTitle(scale)}: A ${signed(a, 3)}, B ${signed(b, 3)}` },
    bar(a, 0, most), bar(b, 1, most)), h("b", { class: a < b ? "down" : "up" }, signed(a - b)));
const total = (/** @type {number[]} */ [a, b]) => {
  const side = (which, logit) =>
    h("em", { class: `side-${which}` }, `${"AB"[which]} ${plain(logit)} (${percent(sigmoid(logit))})`);
  return h("div", { class: "mse-pair total" }, h("span", {}, t("Logit")), h("span", {}, side(0, a), " ", side(1, b)),
    h("b", {}, signed(a - b)));
};
const axis = () => h("div", { class: "mse-pair mse-step-head" }, h("span"), h("span", { class: "mse-pair-axis" },
  h("span", {}, "−"), h("span", {}, t("against the average clip")), h("span", {}, "+")), h("b", {}, "A − B"));

/** The scales of the tag that is chosen; a sentence in their place while or because they are not there. */
export const drawScales = (words = "") => {
  const { splits } = compare;
  if (!splits) return fill(scales, words && h("p", { class: "mse-status" }, words));
  const k = modelOf().tags.indexOf(tag()), [a, b] = splits.map(({ relative }) => relative.map((terms) => terms[k]));
  const logits = [a, b].map((terms, i) => terms.reduce((sum, value) => sum + value, splits[i].base[k]));
  const most = Math.max(0.05, ...a.map(Math.abs), ...b.map(Math.abs));
  const exact = splits[0].mean_known
    ? t("Exact: both logits begin at the same average clip, so the differences of the scales add up to theirs.")
    : t("Exact: both logits begin at the same bias, so the differences of the scales add up to theirs.");
  const why = () => explain(tag(), modelOf().name);
  fill(scales, h("h3", {}, t("{tag}, scale by scale", { tag: tag() })), axis(),
    splits[0].scales.map((scale, s) => scaleRow(scale, a[s], b[s], most)), total(logits),
    h("p", { class: "mse-facts" }, exact),
    h("p", { class: "mse-toolbar" }, button({ onclick: why }, t("Why {tag} in A?", { tag: tag() }))));
};
