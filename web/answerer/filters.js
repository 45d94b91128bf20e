// Bands cut away: second-order Butterworth filters, as torchaudio's biquads, which clip at full scale.

//: Of the filters' slope; of a telephone line, each side of which is filtered twice.
const QUALITY = 0.707, TELEPHONE_HZ = [300, 3_400];

const biquad = (/** @type {Float32Array} */ waveform, [b0, b1, b2, a0, a1, a2]) => {
  let x1 = 0, x2 = 0, y1 = 0, y2 = 0;
  return waveform.map((x) => {
    const y = (b0 * x + b1 * x1 + b2 * x2 - a1 * y1 - a2 * y2) / a0;
    [x2, x1, y2, y1] = [x1, x, y1, y];
    return Math.max(-1, Math.min(1, y));
  });
};
const turnOf = (/** @type {number} */ rate, /** @type {number} */ hz, /** @type {string} */ name) => {
  if (hz < rate / 2) return (2 * Math.PI * hz) / rate;
  throw new Error(`${name} at ${hz} Hz needs sound that reaches higher than ${rate / 2} Hz.`);
};
const pass = (/** @type {Float32Array} */ waveform, rate, hz, /** @type {1 | -1} */ sign, name) => {
  const w = turnOf(rate, hz, name), cos = Math.cos(w), alpha = Math.sin(w) / 2 / QUALITY, edge = 1 - sign * cos;
  return biquad(waveform, [edge / 2, sign * edge, edge / 2, 1 + alpha, -2 * cos, 1 - alpha]);
};

export const lowCut = (/** @type {Float32Array} */ waveform, /** @type {number} */ rate, hz, name = "low_cut") =>
  pass(waveform, rate, hz, -1, name);
export const highCut = (/** @type {Float32Array} */ waveform, /** @type {number} */ rate, hz, name = "high_cut") =>
  pass(waveform, rate, hz, 1, name);
/** `quality` is the centre over the width of the band. */
export const bandCut = (/** @type {Float32Array} */ waveform, rate, hz, /** @type {number} */ quality) => {
  const w = turnOf(rate, hz, "band_cut"), cos = Math.cos(w), alpha = Math.sin(w) / 2 / quality;
  return biquad(waveform, [1, -2 * cos, 1, 1 + alpha, -2 * cos, 1 - alpha]);
};
export const telephone = (/** @type {Float32Array} */ waveform, /** @type {number} */ rate) => {
  const [low, high] = TELEPHONE_HZ;
  const once = (/** @type {Float32Array} */ sound) =>
    highCut(lowCut(sound, rate, low, "telephone"), rate, high, "telephone");
  return once(once(waveform));
};
