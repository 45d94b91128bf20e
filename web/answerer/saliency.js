// Maps of each scale by the one method that needs no gradient, and the events that are read off them.

import { blockEvents } from "./blocks.js";
import { shapleyMultipliers } from "./multipliers.js";
import { round } from "./numbers.js";
import { signedMap } from "./pictures.js";
import { asked } from "./split.js";

/** @import { Context, Knowledge, Tagged } from "./types.d.ts" */
/** @typedef {{maps: Float32Array[], reference: Float32Array, delta: number}} Shapley */

const METHOD = "shapley", FIRST = "clip_mean";

/**
 * What was computed last, and of what.
 * @type {{tagged: Tagged | null, key: string, found: Shapley | null}}
 */
let kept = { tagged: null, key: "", found: null };

/** The spectrogram that stands for "nothing there"; explain/baselines.py. @returns {Float32Array} */
const reference = (/** @type {Float32Array} */ mel, baseline, model, /** @type {Knowledge} */ knowledge) => {
  const { n_frames: columns, floor_db: floor } = knowledge.front_end;
  if (baseline === "floor") return mel.map(() => floor);
  if (baseline === "training_mean") return mel.map((_, i) => model.training_mean.values[Math.floor(i / columns)]);
  if (baseline !== FIRST) throw new Error(`There is no baseline ${String(baseline).slice(0, 60)}.`);
  const means = Array.from({ length: mel.length / columns }, (_, row) =>
    mel.subarray(row * columns, (row + 1) * columns).reduce((sum, value) => sum + value, 0) / columns);
  return mel.map((_, i) => means[Math.floor(i / columns)]);
};

/** @returns {Promise<Shapley>} */
const shapley = async (/** @type {Context} */ context, /** @type {any} */ request, /** @type {string} */ baseline) => {
  const { model, k, tagged } = asked(context, request), key = [model.name, k, baseline].join();
  if (kept.found && kept.tagged === tagged && kept.key === key) return kept.found;
  const from = reference(tagged.mel, baseline, model, context.knowledge);
  const step = (/** @type {number} */ share) => context.step(request, share);
  const { multipliers, change } = await shapleyMultipliers(context, model, k, [tagged.mel, from], step);
  const maps = multipliers.map((worth) => worth.map((value, i) => value * (tagged.mel[i] - from[i])));
  const total = maps.reduce((sum, map) => sum + map.reduce((part, value) => part + value, 0), 0);
  const found = { maps, reference: from, delta: total - change };
  kept = { tagged, key, found };
  return found;
};

export const showMaps = async (/** @type {Context} */ context, /** @type {any} */ request) => {
  const { method = METHOD, baseline = FIRST } = request, { knowledge } = context;
  if (method !== METHOD) throw new Error(knowledge.refused.maps);
  const { model } = asked(context, request), { maps, delta } = await shapley(context, request, baseline);
  const { n_mels: rows, n_frames: columns } = knowledge.front_end;
  const pictures = maps.map((values, s) => ({ scale: model.scales[s], ...signedMap({ values, rows, columns }) }));
  return { method, baseline, delta, maps: pictures };
};

/** The complete maps where something is there: above the clip's mean; (F, L) a scale. */
export const presenceOf = async (/** @type {Context} */ context, /** @type {any} */ request) => {
  const { tagged: { mel } } = asked(context, request);
  const { maps, reference: from } = await shapley(context, request, FIRST);
  return maps.map((map) => map.map((value, i) => (mel[i] > from[i] ? value : 0)));
};

/** What is there and counts for the tag, and against it. */
export const showEvidence = async (/** @type {Context} */ context, /** @type {any} */ request) => {
  const { model, tagged } = asked(context, request), presence = await presenceOf(context, request);
  const { front_end: config, events: facts } = context.knowledge;
  const told = (/** @type {1 | -1} */ sign, /** @type {number} */ most) =>
    blockEvents(presence, model.scales, sign, facts, config).slice(0, most).map((event) => ({
      scale: event.scale, relative: round(event.share, 5),
      start_s: round(tagged.start_s + event.start_s, 3), end_s: round(tagged.start_s + event.end_s, 3),
      low_hz: Math.round(event.low_hz), high_hz: Math.round(event.high_hz) }));
  return { positive: told(1, facts.n_for), negative: told(-1, facts.n_against) };
};
