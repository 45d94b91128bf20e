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
 * @param {number} [phases] of places between two samples; by default as many as there are
 */
const design = (from, to, phases) => {
  const g = gcd(from, to), up = phases ?? to / g, down = from / g, lower = Math.min(from, to);
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

//: Places between two samples at which the coefficients of any other ratio are known; between these they are straight.
const PLACES = 512;

/** By a ratio that need be no fraction: so many times as many samples. */
export const resampleBy = (/** @type {Float32Array} */ samples, /** @type {number} */ ratio) => {
  const { half, taps } = design(PLACES, Math.max(1, Math.round(PLACES * Math.min(1, ratio))), PLACES), width = 2 * half;
  const result = new Float32Array(Math.ceil(samples.length * ratio));
  for (let i = 0; i < result.length; i++) {
    const place = i / ratio, first = Math.floor(place), at = (place - first) * PLACES, row = Math.floor(at);
    let sum = 0;
    for (let k = 0; k < width; k++) {
      const low = taps[row * width + k], high = row + 1 < PLACES ? taps[(row + 1) * width + k] : taps[k - 1] ?? 0;
      sum += (low + (at - row) * (high - low)) * (samples[first - half + 1 + k] ?? 0);
    }
    result[i] = sum;
  }
  return result;
};

/** The same of a sound that arrives in pieces; half a filter's length of it is still to come. */
export class StreamResampler {
  #waiting = new Float32Array(0);
  /** Of the next sample that is given: how far it lies behind the first that waits, in steps of 1 / up. */
  #place = 0;

  /**
   * @param {number} from Hz
   * @param {number} to Hz
   */
  constructor(from, to) {
    this.filter = from === to ? null : design(from, to);
    if (this.filter) {   // silence before the first
      this.#waiting = new Float32Array(this.filter.half);
      this.#place = this.filter.half * this.filter.up;
    }
  }

  /** @returns {Float32Array} */
  add(/** @type {Float32Array} */ samples) {
    if (!this.filter) return samples;
    const { up, down, half, taps } = this.filter, width = 2 * half;
    const sound = new Float32Array(this.#waiting.length + samples.length), result = [];
    sound.set(this.#waiting);
    sound.set(samples, this.#waiting.length);
    for (; Math.floor(this.#place / up) + half < sound.length; this.#place += down) {
      const phase = this.#place % up, first = Math.floor(this.#place / up) - half + 1, row = phase * width;
      let sum = 0;
      for (let k = 0; k < width; k++) sum += taps[row + k] * sound[first + k];
      result.push(sum);
    }
    const gone = Math.max(0, Math.floor(this.#place / up) - half);
    this.#waiting = sound.slice(gone);
    this.#place -= gone * up;
    return Float32Array.from(result);
  }
}
