// What a recording's first bytes say of it, so that the browser decodes it at its own rate and resamples nothing.

/** @typedef {{codec: string, rate: number | null}} Facts */

//: Of MPEG audio by version and index, Hz; of AAC by index.
const MPEG = { 3: [44_100, 48_000, 32_000], 2: [22_050, 24_000, 16_000], 0: [11_025, 12_000, 8_000] };
const AAC = [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350];
//: How far the headers are searched, bytes.
const REACH = 2 ** 16;

const find = (/** @type {Uint8Array} */ bytes, /** @type {string} */ word) => {
  const codes = [...word].map((letter) => letter.charCodeAt(0));
  for (let i = 0; i + codes.length <= Math.min(bytes.length, REACH); i++) {
    if (codes.every((code, k) => bytes[i + k] === code)) return i;
  }
  return -1;
};

const wav = (/** @type {DataView} */ view, /** @type {Uint8Array} */ bytes) => {
  const at = find(bytes, "fmt ");
  if (at < 0 || at + 34 > bytes.length) return null;
  const own = view.getUint16(at + 8, true), kind = own === 0xfffe ? view.getUint16(at + 32, true) : own;
  const bits = view.getUint16(at + 22, true), name = { 1: bits === 8 ? "u" : "s", 3: "f" }[kind];
  return { codec: name ? `pcm_${name}${bits}${bits > 8 ? "le" : ""}` : "wav", rate: view.getUint32(at + 12, true) };
};
const ogg = (/** @type {DataView} */ view, /** @type {Uint8Array} */ bytes) => {
  const vorbis = find(bytes, "\x01vorbis"), flac = find(bytes, "fLaC");
  if (find(bytes, "OpusHead") >= 0) return { codec: "opus", rate: 48_000 };
  if (vorbis >= 0) return { codec: "vorbis", rate: view.getUint32(vorbis + 12, true) };
  return flac >= 0 ? flacFacts(view, flac) : null;
};
const flacFacts = (/** @type {DataView} */ view, at = 0) => ({ codec: "flac", rate: view.getUint32(at + 18) >>> 12 });

/** Sample rate in the entry of a track; its length comes last in a file that was not made for the network. */
const mp4 = (/** @type {DataView} */ view, /** @type {Uint8Array} */ bytes) => {
  const moov = find(bytes, "mp4a") >= 0 ? 0 : Math.max(0, bytes.length - REACH), part = bytes.subarray(moov);
  for (const [word, codec] of [["mp4a", "aac"], ["alac", "alac"], ["Opus", "opus"], ["fLaC", "flac"]]) {
    const at = find(part, word);
    if (at >= 0 && moov + at + 30 < bytes.length) return { codec, rate: view.getUint16(moov + at + 28) || null };
  }
  return null;
};
const webm = (/** @type {DataView} */ view, /** @type {Uint8Array} */ bytes) => {
  if (find(bytes, "A_OPUS") >= 0) return { codec: "opus", rate: 48_000 };
  const at = find(bytes, "\xb5\x88");   // SamplingFrequency, eight bytes
  return { codec: "vorbis", rate: at >= 0 ? view.getFloat64(at + 2) : null };
};

/** The first frame of MPEG audio or of raw AAC, after a tag at the beginning. @returns {Facts | null} */
const frames = (/** @type {Uint8Array} */ bytes) => {
  const tagged = find(bytes.subarray(0, 3), "ID3") === 0;
  const size = tagged ? 10 + bytes.subarray(6, 10).reduce((sum, byte) => sum * 128 + byte, 0) : 0;
  for (let i = size; i + 4 < Math.min(bytes.length, size + REACH); i++) {
    if (bytes[i] !== 0xff || (bytes[i + 1] & 0xe0) !== 0xe0) continue;
    const version = (bytes[i + 1] >> 3) & 3, layer = (bytes[i + 1] >> 1) & 3, index = (bytes[i + 2] >> 2) & 3;
    if ((bytes[i + 1] & 0xf6) === 0xf0) return { codec: "aac", rate: AAC[(bytes[i + 2] >> 2) & 15] ?? null };
    if (layer > 0 && index < 3 && version !== 1) return { codec: `mp${4 - layer}`, rate: MPEG[version][index] };
  }
  return null;
};

/** @returns {Facts} */
export const readHeader = (/** @type {ArrayBuffer} */ buffer) => {
  const bytes = new Uint8Array(buffer), view = new DataView(buffer), nothing = { codec: "", rate: null };
  if (bytes.length < 64) return nothing;
  const word = (/** @type {number} */ at) => String.fromCharCode(...bytes.subarray(at, at + 4));
  if (word(0) === "RIFF" && word(8) === "WAVE") return wav(view, bytes) ?? nothing;
  if (word(0) === "fLaC") return flacFacts(view);
  if (word(0) === "OggS") return ogg(view, bytes) ?? nothing;
  if (word(4) === "ftyp") return mp4(view, bytes) ?? nothing;
  if (view.getUint32(0) === 0x1a45dfa3) return webm(view, bytes);
  return frames(bytes) ?? nothing;
};
