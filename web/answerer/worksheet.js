// A worksheet: one tag of one clip on one HTML page that needs nothing else, with a lesson's questions and answers.

import { sigmoid, sortedBy } from "./numbers.js";
import { grey, picture, base64 } from "./pictures.js";
import { showEvidence } from "./saliency.js";
import { windowOf } from "./sound.js";
import { asked, splitOf } from "./split.js";
import { wavBytes } from "./wav.js";
import { whatIf } from "./what_if.js";

/** @import { Context } from "./types.d.ts" */

const SAFE = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
const escape = (/** @type {unknown} */ text) => String(text).replace(/[&<>"]/g, (letter) => SAFE[letter]);
const signed = (/** @type {number} */ value) => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(2)}`;
const percent = (/** @type {number} */ p) => `${(100 * p).toFixed(1)}%`;
const table = (/** @type {(string | number)[][]} */ [head, ...rows]) => {
  const line = (/** @type {(string | number)[]} */ [first, ...rest], /** @type {string} */ tag) =>
    `<tr><th>${escape(first)}</th>${rest.map((value) => `<${tag}>${escape(value)}</${tag}>`).join("")}</tr>`;
  return `<table>${line(head, "th")}${rows.map((row) => line(row, "td")).join("")}</table>`;
};
const audio = (/** @type {Float32Array} */ waveform, /** @type {number} */ rate) =>
  `<audio controls src="data:audio/wav;base64,${base64(wavBytes(waveform, rate))}"></audio>`;

const clip = (/** @type {Context} */ { knowledge }, /** @type {any} */ { opening, tagged }) => {
  const { front_end: config, low_db, high_db, examples } = knowledge, { decoded, sound } = opening;
  const rate = config.sample_rate;
  const length = Math.min(config.window_samples, sound.waveform.length), known = examples[decoded.example ?? ""];
  const mel = grey({ values: tagged.mel, rows: config.n_mels, columns: config.n_frames }, low_db, high_db);
  const credit = known ? `${known.title}, ${known.credit}.` : decoded.name, end = tagged.start_s + length / rate;
  const span = `${tagged.start_s.toFixed(1)} to ${end.toFixed(1)} s`;
  return [`<h2>The clip</h2><p>${escape(credit)} ${span}, as the networks hear it:</p>`,
    audio(windowOf(sound, Math.round(tagged.start_s * rate), length), rate),
    `<img alt="Mel spectrogram" src="${picture(mel, config.n_mels, config.n_frames)}">`,
    "<p class=soft>Time from left to right, frequency upwards; the lighter, the louder.</p>"];
};
const tags = (/** @type {Context} */ { knowledge }, /** @type {any} */ { tagged, model, which }) => {
  const { models, n_sheet_tags: most } = knowledge;
  const p = models.map((_, i) => Array.from(tagged.outputs[i].logits, sigmoid));
  const order = sortedBy(model.tags.length, (k) => -p[which][k]).slice(0, most);
  return ["<h2>Tags</h2>", table([["", ...models.map(({ title }) => title)],
    ...order.map((k) => [model.tags[k], ...p.map((row) => percent(row[k]))])])];
};
const contributions = (/** @type {Context} */ { knowledge }, { model, output, k }, /** @type {string[]} */ off) => {
  const order = sortedBy(model.tags.length, (i) => -output.logits[i]).slice(0, knowledge.n_sheet_tags);
  const rows = [...new Set([k, ...order])].map((i) => {
    const { relative, base } = splitOf(model, i, output.features);
    return [model.tags[i], ...[base, ...relative, output.logits[i]].map(signed)];
  });
  const { relative, base } = splitOf(model, k, output.features);
  const left = relative.reduce((sum, term, s) => sum + (off.includes(model.scales[s]) ? 0 : term), base);
  const without = `Without ${off.join(", ")}, ${model.tags[k]} gets ${percent(sigmoid(left))}.`;
  return ["<h2>How much each level adds, per tag</h2>", table([["", "average", ...model.scales, "this clip"], ...rows]),
    off.length ? `<p>${escape(without)}</p>` : ""];
};
const evidence = async (/** @type {Context} */ context, /** @type {any} */ request) => {
  const { positive, negative } = await showEvidence(context, request);
  const rows = [...positive, ...negative].map(({ scale, start_s: start, end_s: end, low_hz: low, ...event }) =>
    [scale, `${start.toFixed(1)} to ${end.toFixed(1)}`, `${low} to ${event.high_hz}`, signed(event.relative)]);
  return ["<h2>What is there and counts</h2>", table([["scale", "seconds", "Hz", "adds"], ...rows])];
};
const edited = async (/** @type {Context} */ context, /** @type {any} */ request) => {
  if (!request.edits) return [];
  const answer = await whatIf(context, request, context.knowledge.n_sheet_tags);
  const rows = (/** @type {any} */ model) => model.tags.map((row) =>
    [row.tag, percent(row.before), percent(row.after), ...[...row.terms, row.change].map(signed)]);
  return [`<h2>What if: ${escape(answer.edits.join(", then "))}</h2>`, audio(answer.edited, answer.rate),
    ...answer.models.map((model) => `<h3>${escape(model.title)}</h3>${
      table([["", "before", "after", ...model.scales, "logit"], ...rows(model)])}`)];
};
const questions = (/** @type {{text: string, question: string, answer: string}[]} */ exercises) =>
  exercises.map(({ text, question, answer }, i) => `<section><h2>Question ${i + 1}</h2><p class=soft>${escape(text)}</p>
<p>${escape(question)}</p><div class=answer>${escape(answer)}</div></section>`);

/** `exercises` and the lesson's `title` come with the request, in the visitor's language. */
export const printWorksheet = async (/** @type {Context} */ context, /** @type {any} */ request) => {
  const question = asked(context, request), { model, k, opening, tagged } = question, { knowledge } = context;
  const title = request.title ?? `${model.tags[k]} in ${model.title}`, quiet = { ...context, step: async () => {} };
  const settings = [["model", model.title], ["weights (sha256)", model.sha256], ["tag", model.tags[k]],
    ["window", `${opening.windows.indexOf(tagged) + 1} of ${opening.windows.length}`], ["page", "without a server"]];
  const parts = [`<h1>${escape(title)}</h1>`,
    '<p class=soft>Name <span class="name"></span> Date <span class="name"></span></p>', ...clip(context, question),
    ...tags(context, question), ...contributions(context, question, request.off ?? []),
    ...await evidence(quiet, request), ...await edited(quiet, request), ...questions(request.exercises ?? []),
    "<h2>Settings</h2>", table([["", ""], ...settings])];
  const head = `<!doctype html><html lang="en"><meta charset="utf-8"><title>${escape(title)}</title>`;
  const page = `${head}<style>${knowledge.sheet_style}</style>\n${parts.join("\n")}</html>\n`;
  return { file: { url: URL.createObjectURL(new Blob([page], { type: "text/html" })) } };
};
