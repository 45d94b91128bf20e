// White noise at a ratio of signal to noise; its random numbers are others than the server's, of the same spread.

/** Numbers from 0 to 1, the same from the same seed: mulberry32. */
const uniform = (/** @type {number} */ seed) => {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
};
const energy = (/** @type {Float32Array} */ sound) => sound.reduce((sum, value) => sum + value * value, 0);

/** `ratio` in dB by power over the whole sound. */
export const noise = (/** @type {Float32Array} */ waveform, _rate, ratio, /** @type {number} */ seed) => {
  const draw = uniform(seed);   // Box and Muller's two normal numbers of two uniform ones, of which one is taken
  const drawn = waveform.map(() => Math.sqrt(-2 * Math.log(1 - draw())) * Math.cos(2 * Math.PI * draw()));
  const scale = Math.sqrt(energy(waveform) / energy(drawn)) * 10 ** (-ratio / 20);
  return waveform.map((value, i) => value + scale * drawn[i]);
};
