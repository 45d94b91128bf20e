// Greyscale pictures from the server to values and to colours.

/** @import { Picture } from "./types.d.ts" */

// Stops of perceptually even scales that survive colour blindness: dark violet to pale yellow, and purple to green.
const STOPS = {
  mel: ["#000004", "#150e37", "#3b0f70", "#641a80", "#8c2981", "#b73779", "#de4968", "#f7705c", "#fe9f6d", "#fecf92",
    "#fcfdbf"],
  signed: ["#a23ff0", "#b266f5", "#c99bfd", "#e6d2fe", "#f3f3f1", "#c2f3d1", "#4ade80", "#22c55e", "#16a34a"],
};
const channel = (hex, i) => parseInt(hex.slice(1 + 2 * i, 3 + 2 * i), 16);
const ramp = (stops) => {
  const table = new Uint8ClampedArray(256 * 3);
  for (let value = 0; value < 256; value++) {
    const place = (value / 255) * (stops.length - 1), low = Math.min(Math.floor(place), stops.length - 2);
    for (let i = 0; i < 3; i++) {
      const from = channel(stops[low], i);
      table[3 * value + i] = from + (place - low) * (channel(stops[low + 1], i) - from);
    }
  }
  return table;
};
const MEL = ramp(STOPS.mel), SIGNED = ramp(STOPS.signed);

/**
 * @param {OffscreenCanvas} canvas
 * @param {CanvasRenderingContext2DSettings} [settings]
 */
const context2d = (canvas, settings) =>
  /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext("2d", settings));

/** A data URI's grey values: one byte a pixel, row 0 on top. @returns {Promise<Picture>} */
export const read = async (/** @type {string} */ uri) => {
  const image = new Image();
  image.src = uri;
  await image.decode();
  const canvas = new OffscreenCanvas(image.width, image.height);
  const context = context2d(canvas, { willReadFrequently: true });
  context.drawImage(image, 0, 0);
  const rgba = context.getImageData(0, 0, image.width, image.height).data;
  const values = new Uint8Array(image.width * image.height);
  for (let i = 0; i < values.length; i++) values[i] = rgba[4 * i];
  return { width: image.width, height: image.height, values };
};

// Contrast: the range between the picture's 2nd and 99.8th percentile takes the whole colour scale.
export const range = (/** @type {Picture} */ picture) => {
  const counts = new Uint32Array(256);
  picture.values.forEach((value) => counts[value]++);
  const at = (fraction) => {
    let seen = 0;
    return counts.findIndex((count) => (seen += count) > fraction * picture.values.length);
  };
  const low = at(0.02), high = at(0.998);
  return high > low ? [low, high] : [low, low + 1];
};

const paint = (/** @type {Picture} */ picture, colour) => {
  const canvas = new OffscreenCanvas(picture.width, picture.height);
  const context = context2d(canvas);
  const image = context.createImageData(picture.width, picture.height);
  for (let i = 0; i < picture.values.length; i++) colour(picture.values[i], image.data, 4 * i);
  context.putImageData(image, 0, 0);
  return canvas;
};
export const paintMel = (/** @type {Picture} */ picture, [low, high] = range(picture)) =>
  paint(picture, (value, out, at) => {
  const index = 3 * Math.max(0, Math.min(255, Math.round(((value - low) / (high - low)) * 255)));
  out[at] = MEL[index]; out[at + 1] = MEL[index + 1]; out[at + 2] = MEL[index + 2]; out[at + 3] = 255;
});
/** A level of the mel scale, 0 to 255, as a pixel. */
export const melColour = (/** @type {number} */ value, out, /** @type {number} */ at) => {
  for (let i = 0; i < 3; i++) out[at + i] = MEL[3 * value + i];
  out[at + 3] = 255;
};
// 128 is zero and is transparent, so that what lies below stays visible where nothing is said. `gain` weakens a map
// that is shown on the scale of a stronger one.
export const paintSigned = (/** @type {Picture} */ picture, gain = 1, gamma = 0.6) =>
  paint(picture, (value, out, at) => {
  const amount = Math.min(1, gain * Math.abs(value - 128) / 127);
  const index = 3 * (value < 128 ? Math.round(40 * (1 - amount)) : 255 - Math.round(60 * (1 - amount)));
  out[at] = SIGNED[index]; out[at + 1] = SIGNED[index + 1]; out[at + 2] = SIGNED[index + 2];
  out[at + 3] = value === 128 ? 0 : Math.round(255 * amount ** gamma);
});

// Dim and without colour: the ground on which signed maps are laid.
export const paintGrey = (/** @type {Picture} */ picture, [low, high] = range(picture)) =>
  paint(picture, (value, out, at) => {
  out[at] = out[at + 1] = out[at + 2] = 18 + 92 * Math.max(0, Math.min(1, (value - low) / (high - low)));
  out[at + 3] = 255;
});
