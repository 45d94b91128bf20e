// Every text of the tab "Live".

import { percent } from "./format.js";

export const WORDS = {
  intro: "Play, sing, or hold the microphone to a loudspeaker: both networks tag the last seconds, "
    + "four times a second.",
  start: "Start listening", stop: "Stop",
  none: "Live tags need a server of their own: this one lends its networks for seconds only.",
  asking: "The browser asks whether this page may use the microphone …",
  listening: (/** @type {number} */ tagged, /** @type {number} */ window) =>
    `Listening. The tags are of the last ${tagged.toFixed(1)} s, repeated until they fill the networks' window of `
    + `${window.toFixed(1)} s, as a short recording is.`,
  silent: "Hardly any sound arrives: the numbers mean nothing.",
  behind: (/** @type {number} */ seconds) => `The server is behind: ${seconds.toFixed(1)} s of sound were left out.`,
  stopped: "Stopped. Nothing of the sound was kept.",
  spectrogram: "Spectrogram of the last seconds, the newest on the right",
  scales: (/** @type {string} */ tag, /** @type {string} */ model) => `${tag}, by scale, in ${model}`,
  exact: "What each scale adds to the logit of the leading tag, from the average clip's; exact.",
  row: (/** @type {string} */ tag, /** @type {string[]} */ titles, /** @type {number[]} */ values) =>
    `${tag}: ${titles.map((title, i) => `${title} ${percent(values[i])}`).join(", ")}`,
};
