// A file to samples, by the browser's own decoder, at the file's own sample rate.

import { readHeader } from "./header.js";

/** @import { Decoded } from "../answerer/types.d.ts" */

//: Hz, where a header does not say, and what browsers promise to decode at.
const USUAL = 48_000, LEAST = 8_000, MOST = 96_000;

const decodeAt = async (/** @type {ArrayBuffer} */ bytes, /** @type {number} */ rate, /** @type {string} */ name) => {
  try {
    return await new OfflineAudioContext(1, 1, rate).decodeAudioData(bytes);
  } catch {
    throw new Error(`This browser cannot decode “${name}”. The full app reads more formats: python -m msecnn serve.`);
  }
};

/**
 * @param {Blob} file
 * @param {{name: string, example: string | null, max_s: number}} about
 * @returns {Promise<Decoded>}
 */
export const decode = async (file, { name, example, max_s: most }) => {
  const bytes = await file.arrayBuffer(), { codec, rate } = readHeader(bytes);
  const audio = await decodeAt(bytes, rate && rate >= LEAST && rate <= MOST ? rate : USUAL, name);
  if (!audio.length) throw new Error(`“${name}” holds no samples.`);
  if (audio.duration > most) {
    const minutes = `${most / 60} minute${most === 60 ? "" : "s"}`;
    const length = `${(audio.duration / 60).toFixed(1)} minutes`;
    throw new Error(`This recording lasts ${length}; this page takes up to ${minutes}.`);
  }
  const channels = Array.from({ length: audio.numberOfChannels }, (_, i) => audio.getChannelData(i).slice());
  return { name, example, rate: audio.sampleRate, codec, channels };
};
