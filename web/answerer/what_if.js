// What if the sound were another: the open window edited, and what both networks make of it.

import { parse } from "./edits.js";
import { meanRow, sortedBy } from "./numbers.js";
import { opened, windowNumber } from "./open.js";
import { cut, windowOf } from "./sound.js";
import { splitOf } from "./split.js";
import { probabilities, tagWindows } from "./tagging.js";
import { wavAddress } from "./wav.js";

/** @import { Context, NetworkFacts, Tagged } from "./types.d.ts" */

const meanTerms = (/** @type {NetworkFacts} */ model, which, k, /** @type {Tagged[]} */ windows) =>
  meanRow(windows.map(({ outputs }) => splitOf(model, k, outputs[which].features).relative));
const meanLogits = (/** @type {Tagged[]} */ windows, /** @type {number} */ which) =>
  meanRow(windows.map(({ outputs }) => outputs[which].logits));

const changeOf = (/** @type {NetworkFacts} */ model, which, /** @type {Tagged[]} */ before, after, most) => {
  const [p, q] = [before, after].map((windows) => meanRow(probabilities(windows, which)));
  const [x, y] = [before, after].map((windows) => meanLogits(windows, which));
  const order = sortedBy(p.length, (k) => -Math.max(p[k], q[k])).slice(0, most);
  const tags = order.map((k) => {
    const [was, is] = [before, after].map((windows) => meanTerms(model, which, k, windows));
    const terms = is.map((term, s) => term - was[s]);
    return { tag: model.tags[k], before: p[k], after: q[k], change: y[k] - x[k], terms };
  });
  return { name: model.name, title: model.title, scales: model.scales, tags };
};

export const editWindow = async (/** @type {Context} */ context, /** @type {any} */ request) => {
  const { knowledge } = context, opening = opened(context, "first"), number = windowNumber(opening, request);
  const edits = String(request.edits ?? "").split(/\s+/).filter(Boolean);
  const chain = edits.map((text) => parse(text, knowledge.refused["what-if"]));
  const { sample_rate: rate, window_samples } = knowledge.front_end, before = opening.windows[number];
  const length = Math.min(window_samples, opening.sound.waveform.length);
  const part = windowOf(opening.sound, Math.round(before.start_s * rate), length);
  const edited = chain.reduce((waveform, edit) => edit(waveform, rate, before.start_s), part);
  const after = await tagWindows(context, cut(edited, knowledge)), duration_s = edited.length / rate;
  const isBackwards = edits.filter((text) => text.startsWith("reverse")).length % 2 === 1;
  return {
    edits, ends_s: isBackwards ? [duration_s, 0] : [0, duration_s],
    models: knowledge.models.map((model, which) => changeOf(model, which, [before], after, knowledge.n_edited_tags)),
    sound: { url: wavAddress(edited, rate) }, start_s: before.start_s, duration_s,
  };
};
