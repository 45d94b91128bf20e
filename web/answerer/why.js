// Why a tag: the exact part, at once. The events follow, for they are read off maps (saliency.js).

import { round, sigmoid } from "./numbers.js";
import { asked, marks, scaleParts, splitOf, winners } from "./split.js";

/** @import { Context } from "./types.d.ts" */

/** Channels that speak for the tag by having found less than in the average clip. */
const absences = (cells, /** @type {number} */ most) => cells
  .filter(({ relative, weight }) => relative > 0 && weight < 0).slice(0, most).map(({ scale, channel, relative }) => ({
    kind: "absence", scale, channel, share: relative,
    sentence: `little of what channel ${channel} of ${scale.replace("level", "level ")} listens for, anywhere`,
  }));

export const explain = (/** @type {Context} */ context, /** @type {any} */ request) => {
  const { model, k, tagged, output } = asked(context, request), { knowledge } = context;
  const { relative, base } = splitOf(model, k, output.features);
  const cells = winners(model, k, output), logit = output.logits[k];
  return {
    scales: model.scales, n_features: scaleParts(model).map(({ first, end }) => end - first),
    relative: relative.map((term) => round(term, 5)), base, logit, base_probability: sigmoid(base),
    probability: sigmoid(logit), mean_known: true, positive: [], negative: [],
    evidence_follows: true,
    absences: absences(cells, knowledge.n_absences), marks: marks(context, model, cells, tagged.start_s),
    measured: model.measured, sounds: { parts: knowledge.sounds, scales: model.scales.length > 1 ? model.scales : [] },
  };
};

export const winningCells = (/** @type {Context} */ context, /** @type {any} */ request) => {
  const { model, k, tagged, output } = asked(context, request);
  return { marks: marks(context, model, winners(model, k, output), tagged.start_s) };
};
