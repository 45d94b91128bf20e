// The exact split of logits over scales, and the cells that won: arithmetic on what one run of a network has left.

import { fieldOfCell } from "./geometry.js";
import { round } from "./numbers.js";
import { opened, windowNumber } from "./open.js";

/** @import { Context, NetworkFacts, Tagged } from "./types.d.ts" */

/** What is asked about: a network, its output for a window, and a tag. */
export const asked = (/** @type {Context} */ context, /** @type {any} */ request, slot = "first") => {
  const opening = opened(context, slot), { models } = context.knowledge, window = windowNumber(opening, request);
  const which = models.findIndex(({ name }) => name === request.model), model = models[which];
  if (!model) throw new Error(`This recording has not been tagged by ${String(request.model).slice(0, 60)}.`);
  const k = model.tags.indexOf(request.tag);
  if (k < 0) throw new Error(`${model.name} knows no tag ${String(request.tag).slice(0, 60)}.`);
  const tagged = opening.windows[window];
  return { opening, model, which, k, tagged, output: tagged.outputs[which] };
};

/** A scale's map number and where its features begin and end. */
export const scaleParts = (/** @type {NetworkFacts} */ { scales, maps, channels }) => {
  let begin = 0;
  return scales.map((scale) => {
    const level = maps.indexOf(scale), first = begin;
    begin += channels[level];
    return { scale, level, first, end: begin };
  });
};

/** Each scale's sum of weight times value: of features, of their means, or of the difference. */
const terms = (/** @type {NetworkFacts} */ model, k, /** @type {(c: number) => number} */ value) => {
  const { classifier: { values: weights, shape: [, width] } } = model;
  return scaleParts(model).map(({ first, end }) => {
    let sum = 0;
    for (let c = first; c < end; c++) sum += weights[k * width + c] * value(c);
    return sum;
  });
};
const total = (/** @type {number[]} */ values) => values.reduce((sum, value) => sum + value, 0);

/** Of one tag: what each scale adds to the average clip's logit, and that. */
export const splitOf = (/** @type {NetworkFacts} */ model, k, /** @type {ArrayLike<number>} */ features) => {
  const mean = model.mean_features.values;
  return { relative: terms(model, k, (c) => features[c] - mean[c]),
    base: model.bias[k] + total(terms(model, k, (c) => mean[c])) };
};

/** What the browser needs to switch scales off by itself. */
export const splitAnswer = (/** @type {Context} */ context, /** @type {any} */ request, /** @type {string} */ slot) => {
  const { model, output } = asked(context, request, slot);
  const splits = model.tags.map((_, k) => splitOf(model, k, output.features));
  return {
    scales: model.scales, n_features: scaleParts(model).map(({ first, end }) => end - first),
    relative: model.scales.map((_, s) => splits.map(({ relative }) => round(relative[s], 4))),
    base: splits.map(({ base }) => round(base, 4)), mean_known: true,
  };
};

// ---- winning cells
/** All winners of a tag, from the most in favour to the most against. */
export const winners = (/** @type {NetworkFacts} */ model, k, /** @type {Tagged["outputs"][0]} */ output) => {
  const { classifier: { values: weights, shape: [, width] }, mean_features: { values: mean }, crops } = model;
  const cells = scaleParts(model).flatMap(({ scale, level, first, end }) =>
    Array.from({ length: end - first }, (_, channel) => {
      const c = first + channel, weight = weights[k * width + c], columns = crops[level][1], cell = output.cells[c];
      return { scale, level, channel, weight, relative: weight * (output.features[c] - mean[c]),
        row: Math.floor(cell / columns), column: cell % columns };
    }));
  return cells.sort((a, b) => b.relative - a.relative);
};

/** The winning cells of one scale that weigh most; a cell often wins for several channels, whose terms it sums. */
const marksOf = (/** @type {Context} */ { knowledge }, model, cells, /** @type {number} */ start_s) => {
  const groups = Map.groupBy(cells, ({ row, column }) => `${row},${column}`);
  const marks = [...groups.values()].map((group) => {
    const [{ scale, level, row, column }] = group;
    const field = fieldOfCell(model, level, row, column, knowledge.front_end, start_s);
    return {
      scale, relative: round(total(group.map(({ relative }) => relative)), 5), start_s: round(field.start_s, 3),
      end_s: round(field.end_s, 3), low_hz: Math.round(field.low_hz), high_hz: Math.round(field.high_hz),
      channels: group.map(({ channel }) => channel),
    };
  });
  return marks.sort((a, b) => Math.abs(b.relative) - Math.abs(a.relative)).slice(0, knowledge.n_marks);
};

export const marks = (/** @type {Context} */ context, model, cells, /** @type {number} */ start_s) =>
  model.scales.flatMap((/** @type {string} */ scale) =>
    marksOf(context, model, cells.filter((cell) => cell.scale === scale), start_s));
