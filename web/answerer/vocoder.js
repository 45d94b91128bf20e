// Another tempo at the same pitch, and another pitch at the same tempo: librosa's phase vocoder again.

import { resampleBy } from "./resample.js";
import { BINS, HOP, SIZE, emptySpectrum, soundOf, spectrumOf } from "./stft.js";

const TURN = 2 * Math.PI;
/** To the nearest whole number, a half to the even one. */
const rounded = (/** @type {number} */ x) => {
  const low = Math.floor(x);
  return x - low === 0.5 ? low + (low % 2 ? 1 : 0) : Math.round(x);
};

export const speed = (/** @type {Float32Array} */ sound, /** @type {number} */ rate) => {
  if (rate === 1) return sound;   // the vocoder would change the phases
  const spectrum = spectrumOf(sound), stretched = emptySpectrum(Math.ceil(spectrum.frames / rate));
  const angles = spectrum.re.map((re, i) => Math.atan2(spectrum.im[i], re));
  const phases = angles.slice(0, BINS);   // of float32, as librosa's
  const magnitude = (/** @type {number} */ i) =>
    (i < angles.length ? Math.fround(Math.hypot(spectrum.re[i], spectrum.im[i])) : 0);
  for (let frame = 0; frame < stretched.frames; frame++) {
    const step = frame * rate, alpha = step % 1, first = Math.floor(step) * BINS;
    for (let bin = 0; bin < BINS; bin++) {
      const here = first + bin, next = here + BINS, advance = (HOP * TURN * bin) / SIZE;
      const size = (1 - alpha) * magnitude(here) + alpha * magnitude(next);
      stretched.re[frame * BINS + bin] = size * Math.cos(phases[bin]);
      stretched.im[frame * BINS + bin] = size * Math.sin(phases[bin]);
      const change = (angles[next] ?? 0) - (angles[here] ?? 0) - advance;
      phases[bin] += advance + change - TURN * rounded(change / TURN);
    }
  }
  return soundOf(stretched, rounded(sound.length / rate));
};

export const pitch = (/** @type {Float32Array} */ sound, /** @type {number} */ semitones) => {
  if (semitones === 0) return sound;
  const rate = 2 ** (-semitones / 12), shifted = resampleBy(speed(sound, rate), rate);
  return Float32Array.from(sound, (_, i) => shifted[i] ?? 0);
};
