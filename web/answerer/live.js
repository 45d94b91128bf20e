// Tags of the microphone's last seconds while it runs; msecnn/live.py again, which tells what the networks are given.

import { frameMaker } from "./log_mel.js";
import { GrowingNetwork } from "./growing.js";
import { round, sigmoid } from "./numbers.js";
import { base64, grey } from "./pictures.js";
import { StreamResampler } from "./resample.js";
import { windowOf } from "./sound.js";
import { splitOf } from "./split.js";

/** @import { Context, NetworkFacts } from "./types.d.ts" */

const FULL_SCALE = 32_768;

/** 16-bit samples in base64, lowest byte first. */
const decoded = (/** @type {string} */ samples) => {
  const bytes = Uint8Array.from(atob(samples), (letter) => letter.charCodeAt(0)), view = new DataView(bytes.buffer);
  return Float32Array.from({ length: bytes.length / 2 }, (_, i) => view.getInt16(2 * i, true) / FULL_SCALE);
};

/** Takes a sound as it comes, and says what the networks make of its last seconds; its memory does not grow. */
class LiveTagger {
  /** Samples before what is tagged, frames that were answered, samples at the last answer. */
  #dropped = 0;
  #told = 0;
  #before = 0;
  #sound = new Float32Array(0);
  /** @type {Float32Array} (F, L) of the last answer. */
  #mel;
  /** Whether frames before the last answer's new ones stand where they were computed. */
  #begun = false;
  #moved = false;

  /** @param {Context} context */
  constructor(context) {
    const { front_end: config, models } = context.knowledge;
    this.context = context;
    this.frames = frameMaker(context.knowledge);
    this.networks = models.map((model) => new GrowingNetwork(context, model));
    this.#mel = new Float32Array(config.n_mels * config.n_frames);
  }

  add(/** @type {Float32Array} */ samples) {
    const { live: { frames, step }, front_end: { hop_length: hop } } = this.context.knowledge;
    const sound = new Float32Array(this.#sound.length + samples.length);
    sound.set(this.#sound);
    sound.set(samples, this.#sound.length);
    const steps = Math.max(0, Math.ceil((sound.length - frames * hop) / (step * hop)));
    this.#sound = sound.slice(steps * step * hop);
    if (steps) this.#moveOn(steps * step);
  }
  #moveOn(/** @type {number} */ frames) {
    const { n_frames: columns, n_mels: rows, hop_length: hop } = this.context.knowledge.front_end;
    this.#dropped += frames * hop;
    this.#before -= frames * hop;
    this.#moved = true;
    for (let row = 0; row < rows * columns; row += columns) this.#mel.copyWithin(row, row + frames, row + columns);
    this.networks.forEach((network) => network.moveOn(frames));
  }

  /** The changed frames of the spectrogram, computed. @returns {[number, number][]} */
  #hear() {
    const { n_frames: columns, n_mels: rows, hop_length: hop, n_fft, ...config } = this.context.knowledge.front_end;
    const first = this.#begun ? Math.max(0, Math.floor((this.#before - n_fft / 2) / hop)) : 0;
    const window = windowOf({ waveform: this.#sound }, 0, config.window_samples);
    /** @type {[number, number][]} The first frame has silence before it, which it had not before the last move. */
    const changed = this.#moved && first > 1 ? [[0, 1], [first, columns]] : [[first, columns]];
    for (const [from, to] of changed) {
      const frames = this.frames(window, from, to), n = to - from;
      for (let row = 0; row < rows; row++) this.#mel.set(frames.subarray(row * n, (row + 1) * n), row * columns + from);
    }
    this.#before = this.#sound.length;
    this.#begun = true;
    this.#moved = false;
    return changed;
  }

  async answer() {
    const { front_end: { sample_rate: rate }, models } = this.context.knowledge;
    if (!this.#sound.length) throw new Error("Nothing was heard yet.");
    const changed = this.#hear();
    for (const network of this.networks) await network.update(this.#mel, changed);
    const tagged_s = this.#sound.length / rate, heard_s = this.#dropped / rate + tagged_s;
    return { heard_s: round(heard_s, 3), tagged_s: round(tagged_s, 3), columns: this.#newColumns(),
      models: models.map((model, i) => told(model, this.networks[i].features)) };
  }
  /** The frames whose samples have all been heard by now, as the bytes of a picture. */
  #newColumns() {
    const { front_end: config, low_db, high_db } = this.context.knowledge;
    const { n_frames, n_mels: rows, hop_length: hop, n_fft } = config;
    const heard = this.#dropped + this.#sound.length, before = this.#dropped / hop;
    const first = Math.max(0, this.#told - before);
    this.#told = Math.max(this.#told, Math.floor((heard - n_fft / 2) / hop) + 1);
    const columns = this.#told - before - first, values = new Float32Array(rows * columns);
    for (let row = 0; row < rows; row++) {
      const at = row * n_frames + first;
      values.set(this.#mel.subarray(at, at + columns), row * columns);
    }
    return base64(grey({ values, rows, columns }, low_db, high_db));
  }
}

const told = (/** @type {NetworkFacts} */ model, /** @type {Float32Array} */ features) => {
  const logits = model.tags.map((_, k) => {
    const { relative, base } = splitOf(model, k, features);
    return relative.reduce((sum, term) => sum + term, base);
  });
  const leading = logits.indexOf(Math.max(...logits));
  const { relative } = splitOf(model, leading, features);
  return { name: model.name, probabilities: logits.map((logit) => round(sigmoid(logit), 4)),
    leading: model.tags[leading], scales: model.scales, relative: relative.map((term) => round(term, 4)) };
};

/**
 * The one microphone that is heard, by the name of its stream.
 * @type {{name: string, resampler: StreamResampler, tagger: LiveTagger} | null}
 */
let stream = null;

export const hear = async (/** @type {Context} */ context, /** @type {any} */ request) => {
  const { stream: name, sample_rate, samples } = request, { sample_rate: to } = context.knowledge.front_end;
  const heard = stream?.name === name && stream ? stream
    : { name, resampler: new StreamResampler(sample_rate, to), tagger: new LiveTagger(context) };
  stream = heard;
  heard.tagger.add(heard.resampler.add(decoded(samples)));
  return heard.tagger.answer();
};

export const end = () => {
  stream = null;
  return {};
};
