// From a recording's sample rate to the networks': a Kaiser-windowed sinc, one row of coefficients a phase.
// The server resamples with soxr; its passband and its attenuation are what these constants repeat, so that the same
// file gives the same tags (tests/browser/test_web.py).

//: Of half the lower rate: what passes unchanged, and from where on nothing does; and how much less than that, dB.
const PASS = 0.913, STOP = 1, ATTENUATION_DB = 125;

/** @returns {number} */
const gcd = (/** @type {number} */ a, /** @type {number} */ b) => (b ? gcd(b, a % b) : a);

/** Modified Bessel function of the first kind, order 0, by its power series. */
const bessel0 = (/** @type {number} */ x) => {
  let sum = 1, term = 1;
  for (let k = 1; term > 1e-17 * sum; k++) sum += term *= (x / (2 * k)) ** 2;
  return sum;
};

/**
 * What is multiplied with the samples around each place between two samples.
 * @param {number} from Hz
 * @param {number} to Hz
 */
const design = (from, to) => {
  const g = gcd(from, to), up = to / g, down = from / g, lower = Math.min(from, to);
  const cutoff = (0.5 * (PASS + STOP) * lower) / from;   // of half the source's rate
  const transition = (Math.PI * (STOP - PASS) * lower) / from;
  const half = Math.ceil((ATTENUATION_DB - 8) / (2.285 * transition) / 2);
  const beta = 0.1102 * (ATTENUATION_DB - 8.7), peak = bessel0(beta), taps = new Float64Array(up * 2 * half);
  for (let phase = 0; phase < up; phase++) {
    for (let k = 0; k < 2 * half; k++) {
      const x = k - half + 1 - phase / up, edge = 1 - (x / half) ** 2;
      const sinc = x === 0 ? cutoff : Math.sin(Math.PI * cutoff * x) / (Math.PI * x);
      taps[phase * 2 * half + k] = edge > 0 ? (sinc * bessel0(beta * Math.sqrt(edge))) / peak : 0;
    }
  }
  return { up, down, half, taps };
};

/**
 * @param {Float32Array} samples
 * @param {number} from Hz
 * @param {number} to Hz
 */
export const resample = (samples, from, to) => {
  if (from === to) return samples;
  const { up, down, half, taps } = design(from, to), width = 2 * half;
  const result = new Float32Array(Math.floor((samples.length * up) / down + 0.5));
  const padded = new Float32Array(samples.length + 2 * width);
  padded.set(samples, width);
  for (let i = 0; i < result.length; i++) {
    const place = i * down, phase = place % up, first = (place - phase) / up - half + 1 + width, row = phase * width;
    let sum = 0;
    for (let k = 0; k < width; k++) sum += taps[row + k] * padded[first + k];
    result[i] = sum;
  }
  return result;
};
