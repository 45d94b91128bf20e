// The page's own player: of the recording that is open.

import { t } from "./language.js";
import { nowPlaying } from "./now_playing.js";
import { Player } from "./player.js";
import { keepInView } from "./stuck.js";
import { call } from "./rpc.js";

/** @import { State } from "./types.d.ts" */

export const player = new Player({
  name: t("Player"), pictureOf: async (window) => (await call("window", { window })).picture,
});

export const mountPlayer = (/** @type {HTMLElement} */ place) => {
  player.controls.time.after(nowPlaying);
  place.append(player.element);
  keepInView(player.element, place);
};

export const openInPlayer = (/** @type {State} */ state) => {
  const { recording, mel, windows, window, picture, overview } = state;
  player.open({ recording, mel, windows, window, picture, overview });
};

/** Some formats only the server can decode: it sends what it has heard, through the endpoint of this name. */
export const decodeOnServer = async (/** @type {Player} */ which, /** @type {string} */ endpoint) => {
  const answer = await call(endpoint).catch(() => null);   // the tags are unaffected
  if (answer) which.sound.replaceOriginal(answer.sound.url);
};

/** Plays a place in the open recording, at least a second of it, and marks it in the picture. */
export const playPlace = (/** @type {import("./types.d.ts").Field} */ place, /** @type {number} */ sign) => {
  player.mark([{ ...place, sign, strong: true }]);
  player.play(...stretch(place));
};

/** @returns {[number, number]} */
export const stretch = ({ start_s: start, end_s: end }) => {
  const middle = (start + end) / 2, half = Math.max(0.5, (end - start) / 2);
  return [Math.max(0, middle - half), middle + half];
};
