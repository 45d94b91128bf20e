// Tags of two models on one aligned chart.

import { fill, h, segment, showAll, tagRow, toggle, warnUntrained } from "./dom.js";
import { familyRow, familyRows } from "./families.js";
import { percent } from "./format.js";
import { explain } from "./navigation.js";
import { plot } from "./plotly.js";
import { call, isSuperseded } from "./rpc.js";
import { state, windowOf } from "./state.js";
import { timeline } from "./timeline.js";

const FEW = 16;
//: Models that differ by less agree.
const NOTABLE = 0.02;

const place = h("div"), view = { sort: "mean", all: false, fold: true, scope: "recording", calibration: false };

// ---- rows: a tag or a family of synonyms, with a value for each model
const valueOf = (model, tag) =>
  (view.scope === "window" ? model.timeline[windowOf(model)] : model.probabilities)[model.tags.indexOf(tag)];

const rows = () => (view.fold ? familyRows(valueOf)
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

const disagreement = (all) => {
  if (state.models.length < 2 || state.recording?.silent) return "";
  const [first, second] = state.models.map((model) => model.title);
  const words = ({ name, values: [a, b] }) => `${name} (${first} ${percent(a)}, ${second} ${percent(b)})`;
  const most = mostDifferent(all, difference, words, " and on ");
  return most ? `They disagree most on ${most}.`
    : `${first} and ${second} agree: no tag differs by more than ${100 * NOTABLE} points.`;
};

// ---- what is seen
const row = ({ name, members, best, values }) => {
  const numbers = state.models.map((model, i) => `${model.title} ${percent(values[i])}`).join(", ");
  const which = Math.max(0, state.models.findIndex((model) => model.name === state.model));
  const attributes = {
    class: `mse-tag${members.includes(state.tag) ? " chosen" : ""}`, "data-tag": name,
    "aria-label": `${name}: ${numbers}. Why?`, title: members.length > 1 ? members.join(", ") : null,
    onclick: () => explain(best[which]),
  };
  return tagRow(attributes, [name, members.length > 1 && h("small", {}, `${members.length} words`)],
    values.map((value, i) => h("span", { class: `mse-bar model-${i}`, style: { "--p": value } })),
    values.map((value, i) => h("b", { class: `model-${i}` }, percent(value))));
};
const change = (patch) => {
  Object.assign(view, patch);
  drawTags();
};
const choice = (key, value, label) => toggle(label, view[key] === value, () => change({ [key]: value }));
const toolbar = () => {
  const [first, second] = state.models.map((model) => model.title);
  const names = second ? { mean: "both", first, second, difference: "difference" } : { mean: "probability" };
  return h("div", { class: "mse-toolbar" },
    segment("Sort by", h("em", {}, "sort by"), Object.entries(names).map(([key, name]) => choice("sort", key, name))),
    toggle("merge similar tags", view.fold, () => change({ fold: !view.fold })),
    state.windows.length > 1 && segment("Numbers for", choice("scope", "recording", "whole recording"),
      choice("scope", "window", "this window")), legend());
};
const legend = () => h("div", { class: "mse-legend", "aria-hidden": "true" },
  state.models.map(({ title }, which) => h("span", { class: `model-${which}` }, h("i"), title)));

/** What a probability means; the figure beside it is asked for, and Plotly fetched, when it is opened. */
const meaning = () => h("div", { class: "mse-meaning" }, h("p", {}, "A number estimates the probability that listeners "
  + "would have given it this tag. It is not the truth about the music. Choose a tag to see why."),
state.models.some((model) => model.calibrated) && calibration());
const calibration = () => {
  const figure = h("div");
  const show = () => {
    view.calibration = details.open;
    if (details.open && !figure.hasChildNodes()) drawCalibration(figure);
  };
  const details = h("details", { open: view.calibration, ontoggle: show },
    h("summary", {}, "How close are such numbers to the teachers' mean?"), h("p", {}, "Compared with the mean of three "
      + "teacher networks, on the clips that also set the calibration: agreement, not truth."), figure);
  return details;
};
const drawCalibration = async (/** @type {HTMLElement} */ figure) => {
  try {
    fill(figure, plot((await call("calibration")).figure));
  } catch (error) {
    if (!isSuperseded(error)) fill(figure, h("p", { class: "mse-status error" }, error.message));
  }
};

export const drawTags = () => {
  if (!state.recording) return;
  const all = rows().sort((a, b) => ORDER[view.sort](b) - ORDER[view.sort](a));
  const kinds = ["mse-tags", view.all && "all", state.recording.silent && "silent"].filter(Boolean).join(" ");
  fill(place, warnUntrained(state.models), h("p", { class: "mse-sentence" }, disagreement(all)), toolbar(),
    h("div", { class: kinds }, all.slice(0, view.all ? all.length : FEW).map(row)),
    showAll(view, all.length, FEW, drawTags), meaning(), timeline(view.all));
};

export const mountTags = (/** @type {HTMLElement} */ element) => element.append(place);
