// What a worksheet needs: the window's sound, with the page's edits if there are any, and which weights answered.

import { opened, windowNumber } from "./open.js";
import { windowOf } from "./sound.js";
import { wavAddress } from "./wav.js";
import { whatIf } from "./what_if.js";

/** @import { Context } from "./types.d.ts" */

/** One sound: a browser has no encoder, and two WAV files would be larger than a worksheet may be. */
export const tellWorksheet = async (/** @type {Context} */ context, /** @type {any} */ request) => {
  const { models, front_end: config, versions } = context.knowledge;
  const weights = Object.fromEntries(models.map(({ title, sha256 }) => [title, sha256]));
  if (request.edits) {
    const { edited, rate } = await whatIf({ ...context, step: async () => {} }, request);
    return { clip: null, edited: { url: wavAddress(edited, rate) }, weights, versions };
  }
  const open = opened(context, "first"), { sound } = open, { sample_rate: rate, window_samples: most } = config;
  const { start_s: start } = open.windows[windowNumber(open, request)];
  const clip = windowOf(sound, Math.round(start * rate), Math.min(most, sound.waveform.length));
  return { clip: { url: wavAddress(clip, rate) }, edited: null, weights, versions };
};
