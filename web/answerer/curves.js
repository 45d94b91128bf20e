// Response curves for Plotly, as plots/response.py defines them.

import { sortedBy } from "./numbers.js";
import { response } from "./what_if.js";

/** @import { Context } from "./types.d.ts" */

const percent = (/** @type {number} */ p) => `${(100 * p).toFixed(0)}%`;
const signed = (/** @type {number} */ value) => `${value < 0 ? "-" : "+"}${Math.abs(value).toFixed(2)}`;

const lines = (curve, { model, before, after, terms }, /** @type {number} */ k, /** @type {string} */ color) => {
  const { strengths } = curve, ends = [strengths[0], strengths.at(-1)];
  const words = terms(k).map((/** @type {number[]} */ row) =>
    row.map((term, s) => `${model.scales[s]} ${signed(term)}`).join(", "));
  return [
    { type: "scatter", x: strengths, y: after.map((row) => row[k]), name: model.tags[k], mode: "lines+markers",
      line: { color }, hovertext: words },
    { type: "scatter", x: ends, y: [before[k], before[k]], mode: "lines", line: { color, width: 1, dash: "dot" },
      showlegend: false, hoverinfo: "skip" },
  ];
};

const figureOf = (/** @type {string[]} */ colours, /** @type {any} */ curve, /** @type {any} */ answers) => {
  const { model, before, after } = answers, order = sortedBy(before.length, (k) => -before[k]), [first] = order;
  const values = after.map((/** @type {number[]} */ row) => row[first]), { edit, unit, strengths } = curve;
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const at = (/** @type {number} */ value) => strengths[values.indexOf(value)];
  return { title: model.title, figure: {
    data: colours.flatMap((colour, i) => lines(curve, answers, order[i], colour)),
    layout: { height: 380, xaxis: { title: { text: unit ? `${edit} (${unit})` : edit } },
      yaxis: { title: { text: "probability" }, range: [0, 1] } },
    label: `${model.title}: ${model.tags[first]} is ${percent(high)} at ${at(high)} ${unit}, ${percent(low)} at `
      + `${at(low)}, and ${percent(before[first])} without this edit.`,
  } };
};

export const drawCurve = async (/** @type {Context} */ context, /** @type {any} */ request) => {
  const curve = await response(context, request);
  return { figures: curve.models.map((answers) => figureOf(context.knowledge.order_colours, curve, answers)) };
};
