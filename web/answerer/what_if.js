// What if the sound were another: the open window edited, and what both networks make of it.

import { applyChain, parse, strengthened } from "./edits.js";
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

/** What is asked about: the window's sound, and the edits that a request's text names. */
const askedEdits = (/** @type {Context} */ context, /** @type {any} */ request) => {
  const { knowledge } = context, opening = opened(context, "first");
  const before = opening.windows[windowNumber(opening, request)];
  const texts = String(request.edits ?? "").split(/\s+/).filter(Boolean), most = knowledge.most_edits;
  if (texts.length > most) throw new Error(`Ask for at most ${most} edits at once, not ${texts.length}.`);
  const { sample_rate: rate, window_samples } = knowledge.front_end;
  const chain = texts.map((text) => parse(text, knowledge));
  const length = Math.min(window_samples, opening.sound.waveform.length);
  const part = windowOf(opening.sound, Math.round(before.start_s * rate), length);
  return { before, texts, chain, part, rate };
};

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

/** The edited window, and what the networks say of it; the zip and the worksheet tell it, too. */
export const whatIf = async (/** @type {Context} */ context, /** @type {any} */ request, n_tags = Infinity) => {
  const { knowledge } = context, { before, texts, chain, part, rate } = askedEdits(context, request);
  const edited = applyChain(chain, part, rate, before.start_s);
  const after = await tagWindows(context, cut(edited, knowledge));
  const duration_s = part.length / rate, end_s = chain.reduce((length, { stretch }) => length * stretch, duration_s);
  const isBackwards = chain.filter(({ name }) => name === "reverse").length % 2 === 1;
  return { edits: texts, edited, rate, start_s: before.start_s, duration_s,
    ends_s: isBackwards ? [end_s, 0] : [0, end_s],
    models: knowledge.models.map((model, which) => changeOf(model, which, [before], after, n_tags)) };
};

export const editWindow = async (/** @type {Context} */ context, /** @type {any} */ request) => {
  const { edited, rate, ...answer } = await whatIf(context, request, context.knowledge.n_edited_tags);
  return { ...answer, sound: { url: wavAddress(edited, rate) } };
};

// ---- response curves
/** The edit and the strengths of `NAME=FROM:TO:POINTS`. */
const parseCurve = (/** @type {Context} */ { knowledge }, /** @type {string} */ text) => {
  const [name, along = ""] = text.split("="), [low, high, points] = along.split(":").map(Number);
  const kind = knowledge.edits.find((other) => other.name === name && other.curve);
  if (!kind || ![low, high].every(Number.isFinite) || !(points >= 2 && points <= knowledge.most_points)) {
    const most = knowledge.most_points;
    throw new Error(`A curve is NAME=FROM:TO:POINTS, with 2 to ${most} points, not '${text.slice(0, 60)}'.`);
  }
  const strengths = Array.from({ length: points }, (_, i) =>
    Number((low + ((high - low) * i) / (points - 1)).toPrecision(6)));
  return { name, unit: kind.parameters[0].unit ?? "", strengths };
};
/** One more edit after the chain at several strengths: what is said at each of them. */
export const response = async (/** @type {Context} */ context, /** @type {any} */ request) => {
  const { name, unit, strengths } = parseCurve(context, String(request.curve)), windows = [];
  const { before, chain, part, rate } = askedEdits(context, request);
  for (const [i, strength] of strengths.entries()) {
    const edits = [...chain, strengthened(name, strength, context.knowledge)];
    const sound = cut(applyChain(edits, part, rate, before.start_s), context.knowledge);
    windows.push(await tagWindows(context, sound));
    await context.step(request, (i + 1) / strengths.length);
  }
  const models = context.knowledge.models.map((model, which) => {
    const terms = (/** @type {Tagged[]} */ of, /** @type {number} */ k) => meanTerms(model, which, k, of);
    return { model, before: meanRow(probabilities([before], which)),
      after: windows.map((of) => meanRow(probabilities(of, which))),
      terms: (/** @type {number} */ k) => windows.map((of) =>
        terms(of, k).map((term, s) => term - terms([before], k)[s])) };
  });
  return { edit: name, unit, strengths, models };
};
