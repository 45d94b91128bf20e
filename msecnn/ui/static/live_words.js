// Every text of the tab "Live".

import { percent } from "./format.js";
import { fixed, t } from "./language.js";

export const WORDS = {
  intro: (/** @type {number} */ n) =>
    t("Play, sing, or hold the microphone to a loudspeaker: both networks tag the last seconds, up to {n} times a "
      + "second.", { n }),
  start: t("Start listening"), stop: t("Stop"),
  none: t("Live tags need a server of their own: this one lends its networks for seconds only."),
  asking: t("The browser asks whether this page may use the microphone …"),
  listening: (/** @type {number} */ tagged, /** @type {number} */ window) =>
    t("Listening. The tags are of the last {tagged} s, repeated until they fill the networks' window of {window} s, as "
      + "a short recording is.", { tagged: fixed(tagged, 1), window: fixed(window, 1) }),
  silent: t("Hardly any sound arrives: the numbers mean nothing."),
  behind: (/** @type {number} */ seconds) =>
    t("The networks are behind: {seconds} s of sound were left out.", { seconds: fixed(seconds, 1) }),
  stopped: t("Stopped. Nothing of the sound was kept."),
  spectrogram: t("Spectrogram of the last seconds, the newest on the right"),
  scales: (/** @type {string} */ tag, /** @type {string} */ model) => t("{tag}, by scale, in {model}", { tag, model }),
  exact: t("What each scale adds to the logit of the leading tag, from the average clip's; exact."),
  row: (/** @type {string} */ tag, /** @type {string[]} */ titles, /** @type {number[]} */ values) =>
    `${tag}: ${titles.map((title, i) => `${title} ${percent(values[i])}`).join(", ")}`,
};
