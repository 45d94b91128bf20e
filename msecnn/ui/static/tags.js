// Tags of two models on one aligned chart.

import { offer, offerAll, onChoice } from "./controls.js";
import { fill, h, isVisible, part, tagRow, warnUntrained } from "./dom.js";
import { familyRow, familyRows } from "./families.js";
import { figureTools } from "./figure_tools.js";
import { percent } from "./format.js";
import { t } from "./language.js";
import { explain } from "./navigation.js";
import { plot } from "./plotly.js";
import { call, isSuperseded } from "./rpc.js";
import { state, windowOf } from "./state.js";
import { timeline } from "./timeline.js";

const FEW = 16;
//: Models that differ by less agree.
const NOTABLE = 0.02;

const view = { sort: "mean", all: false, merge: true, scope: "recording" };
const head = h("div"), legendPlace = part("legend"), rowsPlace = h("div"), meaningPlace = h("div"), figure = h("div");
const timelinePlace = h("div");

// ---- rows: a tag or a family of synonyms, with a value for each model
const valueOf = (model, tag) =>
  (view.scope === "window" ? model.timeline[windowOf(model)] : model.probabilities)[model.tags.indexOf(tag)];

const rows = () => (view.merge ? familyRows(valueOf)
  : state.models[0].tags.map((tag) => familyRow(tag, [tag], valueOf)));
const difference = ({ values: [first, second = first] }) => Math.abs(first - second);
const ORDER = {
  mean: ({ values }) => values.reduce((a, b) => a + b),
  first: ({ values: [first] }) => first,
  second: ({ values: [, second] }) => second,
  difference,
};

// ---- sentences
/** The rows that differ most, at most two of them, as words; "" where none differs notably. */
export const mostDifferent = (list, gap, words, joint) =>
  [...list].sort((a, b) => gap(b) - gap(a)).slice(0, 2).filter((row) => gap(row) >= NOTABLE).map(words).join(joint);

/** What a visitor has chosen, for a link. */
export { view as tagsView };

const disagreement = (all) => {
  if (state.models.length < 2 || state.recording?.silent) return "";
  const [first, second] = state.models.map((model) => model.title);
  const words = ({ name, values: [a, b] }) => `${name} (${first} ${percent(a)}, ${second} ${percent(b)})`;
  const most = mostDifferent(all, difference, words, t(" and on "));
  return most ? t("They disagree most on {most}.", { most })
    : t("{first} and {second} agree: no tag differs by more than {n} points.", { first, second, n: 100 * NOTABLE });
};

// ---- what is seen
const row = ({ name, members, best, values }) => {
  const numbers = state.models.map((model, i) => `${model.title} ${percent(values[i])}`).join(", ");
  const which = Math.max(0, state.models.findIndex((model) => model.name === state.model));
  const attributes = {
    class: `mse-tag${members.includes(state.tag) ? " chosen" : ""}`, "data-tag": name,
    label: t("{tag}: {numbers}. Why?", { tag: name, numbers }),
    "data-hint": members.length > 1 ? members.join(", ") : null,
    onclick: () => explain(best[which]),
  };
  return tagRow(attributes, [name, members.length > 1 && h("small", {}, t("{n} words", { n: members.length }))],
    values.map((value, i) => h("span", { class: `mse-bar model-${i}`, style: { "--p": value } })),
    values.map((value, i) => h("b", { class: `model-${i}` }, percent(value))));
};
const change = (patch) => {
  Object.assign(view, patch);
  drawTags();
};
export const orderTags = (/** @type {string} */ sort) => change({ sort });
for (const key of ["sort", "merge", "scope"]) onChoice(key, (value) => change({ [key]: value }));
onChoice("all-tags", () => change({ all: !view.all }));

const offerOrders = () => {
  const [first, second] = state.models.map((model) => model.title);
  /** @type {[string, string][]} */
  const pair = [[t("both"), "mean"], [first, "first"], [second, "second"], [t("difference"), "difference"]];
  offer("sort", { choices: second ? pair : [[t("probability"), "mean"]], value: view.sort });
  offer("merge", { value: view.merge });
  offer("scope", { visible: state.windows.length > 1, value: view.scope });
};
const drawLegend = () => fill(legendPlace,
  state.models.map(({ title }, which) => h("span", { class: `model-${which}` }, h("i"), title)));

/** What a probability means; the figure below it is asked for, and Plotly fetched, when it is opened. */
const MEANING = t("A number estimates the probability that listeners would have given it this tag. It is not the truth "
  + "about the music. Choose a tag to see why.");
const COMPARED = t("Compared with the mean of three teacher networks, on the clips that also set the calibration: "
  + "agreement, not truth.");
/** @type {string} Whose calibration is drawn. */
let calibrated = "";
const drawCalibration = async () => {
  const names = state.models.map(({ name }) => name).join();
  if (calibrated === names) return;
  calibrated = names;
  try {
    fill(figure, plot((await call("calibration")).figure));
  } catch (error) {
    calibrated = "";
    if (!isSuperseded(error)) fill(figure, h("p", { class: "mse-status error" }, error.message));
  }
};
onChoice("calibration", drawCalibration);

export const drawTags = () => {
  if (!state.recording) return;
  if (state.covered) return [head, legendPlace, rowsPlace, timelinePlace].forEach((place) => fill(place));
  const all = rows().sort((a, b) => ORDER[view.sort](b) - ORDER[view.sort](a));
  const kinds = ["mse-tags", view.all && "all", state.recording.silent && "silent"].filter(Boolean).join(" ");
  fill(head, warnUntrained(state.models), h("p", { class: "mse-sentence" }, disagreement(all)));
  offerOrders();
  drawLegend();
  fill(rowsPlace, h("div", { class: kinds }, all.slice(0, view.all ? all.length : FEW).map(row)));
  offerAll("all-tags", view.all, all.length, FEW);
  fill(meaningPlace, h("p", { class: "mse-meaning" }, MEANING));
  if (calibrated && isVisible(figure)) drawCalibration();   // of other models
  offer("calibration", { visible: state.models.some((model) => model.calibrated) });
  fill(timelinePlace, timeline(view.all));
};

export const tagMounts = {
  "tags-sentence": head, "tags-legend": legendPlace,
  tags: [rowsPlace, figureTools(() => rowsPlace, () => t("Tags"))], "tags-meaning": meaningPlace,
  calibration: h("div", { class: "mse-meaning" }, h("p", {}, COMPARED), figure),
  timeline: [timelinePlace, figureTools(() => timelinePlace, () => t("Tags over time"))],
};
