// Opening a recording: both networks' tags, the spectrogram that the player shows, and what is to be known.

import { meanRow, round } from "./numbers.js";
import { grey, picture } from "./pictures.js";
import { prepare } from "./sound.js";
import { notesOf, probabilities, spans, tagWindows } from "./tagging.js";

/** @import { Context, Knowledge, NetworkFacts, Opened } from "./types.d.ts" */

/** The open recording of a slot, or the sentence for who has none. */
export const opened = (/** @type {Context} */ { slots }, /** @type {string} */ slot) => {
  if (!slots[slot]) throw new Error("No recording is open: open one again.");
  return slots[slot];
};

export const windowNumber = (/** @type {Opened} */ { windows }, /** @type {any} */ { window }) => {
  if (Number.isInteger(window) && windows[window]) return Number(window);
  throw new Error(`This recording has windows 0 to ${windows.length - 1}, not ${window}.`);
};

const melPicture = (/** @type {Float32Array} */ values, columns, /** @type {Knowledge} */ knowledge) => {
  const rows = knowledge.front_end.n_mels;
  return picture(grey({ values, rows, columns }, knowledge.low_db, knowledge.high_db), rows, columns);
};

/** The whole recording's mel, a column the loudest of its frames; of two windows over each other the later counts. */
const overview = (/** @type {Opened} */ { windows, sound }, /** @type {Knowledge} */ knowledge) => {
  const { n_mels: rows, n_frames: length } = knowledge.front_end, frame_s = sound.window_s / (length - 1);
  const total = Math.max(Math.round(sound.duration_s / frame_s) + 1, length);
  const width = Math.min(knowledge.overview_columns, total);
  const whole = new Float32Array(rows * total).fill(knowledge.low_db);
  for (const { mel, start_s: start } of windows) {
    const first = Math.min(Math.round(start / frame_s), total - length);
    for (let row = 0; row < rows; row++) whole.set(mel.subarray(row * length, (row + 1) * length), row * total + first);
  }
  const loudest = new Float32Array(rows * width), edge = (/** @type {number} */ c) => Math.floor((c * total) / width);
  for (let row = 0; row < rows; row++) {
    for (let c = 0; c < width; c++) {
      loudest[row * width + c] = Math.max(...whole.subarray(row * total + edge(c), row * total + edge(c + 1)));
    }
  }
  return melPicture(loudest, width, knowledge);
};

const modelAnswer = (/** @type {NetworkFacts} */ model, which, /** @type {Opened} */ { windows, sound }) => {
  const timeline = probabilities(windows, which);
  const { name, title, tags, receptive_ends_s, untrained, calibrated } = model;
  return { name, title, tags, probabilities: meanRow(timeline).map((p) => round(p, 6)),
    windows: rounded(spans(windows, sound)), timeline: timeline.map((row) => row.map((p) => round(p, 6))),
    receptive_ends_s, untrained, calibrated, methods: [] };
};
const rounded = (/** @type {[number, number][]} */ windows) =>
  windows.map((span) => span.map((second) => round(second, 3)));

const recordingAnswer = (/** @type {Opened} */ { decoded, sound, notes }, /** @type {Knowledge} */ knowledge) => {
  const { name, example, rate, codec, n_channels: channels } = decoded, known = knowledge.examples[example ?? ""];
  return { name, example, credit: known?.credit ?? "", duration_s: sound.duration_s, sample_rate: rate, channels, codec,
    notes, silent: notes.includes(knowledge.notes.silent), audio: known ? { url: known.file } : null };
};

const answer = (/** @type {Opened} */ opening, /** @type {Knowledge} */ knowledge) => {
  const { front_end: config, low_db, high_db, families, models } = knowledge, { windows, sound } = opening;
  return {
    recording: recordingAnswer(opening, knowledge),
    mel: { low_db, high_db, hop_s: config.hop_length / config.sample_rate, n_frames: config.n_frames,
      window_s: config.window_s, bands_hz: config.bands_hz.map((hz) => hz.map((edge) => round(edge, 1))),
      crop_s: config.crop_s },
    windows: rounded(spans(windows, sound)), window: 0, picture: melPicture(windows[0].mel, config.n_frames, knowledge),
    overview: windows.length > 1 ? overview(opening, knowledge) : null, families,
    models: models.map((model, which) => modelAnswer(model, which, opening)),
  };
};

/** A request without a sound asks for the open one again. */
export const open = async (/** @type {Context} */ context, /** @type {any} */ request, /** @type {string} */ slot) => {
  const { decoded } = request, { knowledge } = context;
  if (decoded) {
    const sound = prepare(decoded, knowledge);
    const windows = await tagWindows(context, sound, (share) => context.progress(request, share));
    const { channels, ...facts } = decoded, notes = [...new Set([...sound.notes, ...notesOf(windows, knowledge)])];
    context.slots[slot] = { decoded: { ...facts, n_channels: channels.length }, sound, windows, notes };
  }
  return answer(opened(context, slot), knowledge);
};

export const showWindow = (/** @type {Context} */ context, /** @type {any} */ request, /** @type {string} */ slot) => {
  const opening = opened(context, slot), window = windowNumber(opening, request);
  const { mel } = opening.windows[window];
  return { window, picture: melPicture(mel, context.knowledge.front_end.n_frames, context.knowledge) };
};
