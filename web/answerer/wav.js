// A waveform as a WAV file that the page can play.

/** The whole file: one channel of 16 bits. */
export const wavBytes = (/** @type {Float32Array} */ waveform, /** @type {number} */ rate) => {
  const view = new DataView(new ArrayBuffer(44 + 2 * waveform.length));
  [..."RIFF____WAVEfmt ____________________data"].forEach((letter, i) => view.setUint8(i, letter.charCodeAt(0)));
  [[4, 36 + 2 * waveform.length], [16, 16], [20, 1 | (1 << 16)], [24, rate], [28, 2 * rate], [32, 2 | (16 << 16)],
    [40, 2 * waveform.length]].forEach(([at, value]) => view.setUint32(at, value, true));
  waveform.forEach((value, i) =>
    view.setInt16(44 + 2 * i, Math.max(-32_768, Math.min(32_767, Math.round(32_768 * value))), true));
  return new Uint8Array(view.buffer);
};
/** Where the file is, as long as this page is open. */
export const wavAddress = (/** @type {Float32Array} */ waveform, /** @type {number} */ rate) =>
  URL.createObjectURL(new Blob([wavBytes(waveform, rate)], { type: "audio/wav" }));
