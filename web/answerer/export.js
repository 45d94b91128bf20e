// All that is known of the open recording, by the names and schemas of the full app's; the page makes one zip of it.

import { meanRow, round, sigmoid } from "./numbers.js";
import { opened } from "./open.js";
import { showEvidence } from "./saliency.js";
import { soundOfPart } from "./sonify.js";
import { windowOf } from "./sound.js";
import { asked, scaleParts, splitOf, winners } from "./split.js";
import { fieldOfCell } from "./geometry.js";
import { probabilities, spans } from "./tagging.js";
import { wavBytes } from "./wav.js";
import { response, whatIf } from "./what_if.js";

/** @import { Context, Opened } from "./types.d.ts" */
/** @typedef {{name: string, bytes: Uint8Array}} NamedFile */

const encoded = (/** @type {string} */ text) => new TextEncoder().encode(text);
/** @returns {NamedFile} */
const json = (/** @type {string} */ name, /** @type {unknown} */ value) =>
  ({ name, bytes: encoded(`${JSON.stringify(value, null, 2)}\n`) });
const cell = (/** @type {string | number} */ value) => (/[",\n]/.test(String(value))
  ? `"${String(value).replaceAll('"', '""')}"` : String(value));

const tagFiles = (/** @type {Context} */ { knowledge }, /** @type {Opened} */ { decoded, sound, windows, notes }) => {
  const duration_s = round(sound.duration_s, 3), { models, schemas } = knowledge;
  const told = models.map((model, which) => {
    const timeline = probabilities(windows, which).map((row) => row.map((p) => round(p, 6)));
    return { tags: Object.fromEntries(meanRow(timeline).map((p, k) => [model.tags[k], round(p, 6)])), timeline };
  });
  const answer = { schema: schemas.tags, file: decoded.name, duration_s, notes, windows: spans(windows, sound),
    models: Object.fromEntries(models.map(({ name }, which) => [name, told[which]])) };
  const rows = [["file", "model", "duration_s", "error", ...models[0].tags], ...models.map(({ name }, which) =>
    [decoded.name, name, duration_s, "", ...Object.values(told[which].tags)])];
  const csv = rows.map((row) => `${row.map(cell).join(",")}\n`).join("");
  return [json("tags.json", [answer]), { name: "tags.csv", bytes: encoded(csv) },
    json("settings.json", { page: "without a server", recording: decoded.name, example: decoded.example,
      models: Object.fromEntries(models.map(({ name, sha256 }) => [name, { sha256 }])) })];
};

const explanationFile = async (/** @type {Context} */ context, /** @type {any} */ request) => {
  const { opening, model, k, tagged, output } = asked(context, request), { knowledge } = context;
  const { relative, base } = splitOf(model, k, output.features), logit = output.logits[k];
  const { positive, negative } = await showEvidence(context, request);
  const cells = winners(model, k, output).map(({ scale, level, channel, row, column, weight, relative: own }) =>
    ({ scale, channel, ...fieldOfCell(model, level, row, column, knowledge.front_end, tagged.start_s), weight,
      relative: own }));
  const scales = scaleParts(model).map(({ scale, first, end }, s) =>
    ({ name: scale, features: end - first, relative: relative[s] }));
  return json("explanation.json", { file: opening.decoded.name, model: model.name, tag: model.tags[k],
    window: [tagged.start_s, tagged.start_s + opening.sound.window_s], logit, probability: sigmoid(logit),
    bias: model.bias[k], base_value: base, scales, cells,
    evidence: [...positive, ...negative].map(({ relative: share, ...place }) =>
      ({ kind: "presence", ...place, share })) });
};

/** @returns {Promise<NamedFile[]>} */
const soundFiles = async (/** @type {Context} */ context, /** @type {any} */ request) => {
  const { opening: { sound }, tagged, model } = asked(context, request), { front_end: config } = context.knowledge;
  const start = Math.round(tagged.start_s * config.sample_rate), rate = config.sample_rate;
  const length = Math.min(config.window_samples, sound.waveform.length);
  const files = [{ name: "sounds/window.wav", bytes: wavBytes(windowOf(sound, start, length), rate) }];
  for (const part of ["evidence", "rest", ...model.scales.map((scale) => `scale:${scale}`)]) {
    const heard = await soundOfPart(context, request, part).catch(() => null);   // nothing of it speaks for the tag
    if (heard) files.push({ name: `sounds/${part.replace(":", "-")}.wav`, bytes: wavBytes(heard, rate) });
  }
  return files;
};

/** @returns {Promise<NamedFile[]>} */
const editFiles = async (/** @type {Context} */ context, /** @type {any} */ request) => {
  if (!request.edits && !request.curve) return [];
  const { edited, rate, ...answer } = await whatIf(context, request);
  const curve = request.curve ? await response(context, request) : null;
  const curves = curve && [{ ...curve, models: Object.fromEntries(curve.models.map(({ model, before, after }) =>
    [model.name, { tags: model.tags, before, after }])) }];
  return [json("what-if/what_if.json", { ...answer, curves: curves ?? [] }),
    { name: "what-if/sounds/edited.wav", bytes: wavBytes(edited, rate) }];
};

export const saveAll = async (/** @type {Context} */ context, /** @type {any} */ request) => {
  const files = tagFiles(context, opened(context, "first"));
  await context.step(request, 0.1);
  if (request.tag) {
    const quiet = { ...context, step: async () => {} };
    files.push(await explanationFile(quiet, request));
    await context.step(request, 0.5);
    files.push(...await soundFiles(quiet, request));
    await context.step(request, 0.8);
  }
  files.push(...await editFiles({ ...context, step: async () => {} }, request));
  return { files, names: files.map(({ name }) => name) };
};
