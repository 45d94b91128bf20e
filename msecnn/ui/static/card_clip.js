// A canvas as a clip: what is drawn and the sound, recorded while they play, without a sound from the speakers.

import { t } from "./language.js";

const FRAMES = 30, TYPES = ["video/mp4;codecs=avc1.42E01E,mp4a.40.2", "video/webm;codecs=vp9,opus", "video/webm"];

/** The first kind of video that this browser can make; nothing where it makes none. */
export const clipType = () => (typeof MediaRecorder === "undefined" || !HTMLCanvasElement.prototype.captureStream
  ? undefined : TYPES.find((type) => MediaRecorder.isTypeSupported(type)));

const ready = (/** @type {HTMLAudioElement} */ audio, /** @type {number} */ start) => new Promise((resolve, reject) => {
  audio.addEventListener("error", () => reject(new Error(t("This browser cannot play the recording."))));
  audio.addEventListener("seeked", resolve, { once: true });
  audio.addEventListener("loadedmetadata", () => { audio.currentTime = start; }, { once: true });
  audio.load();
});

/**
 * @param {HTMLCanvasElement} canvas
 * @param {string} url of the recording
 * @param {[number, number]} span what of it, seconds
 * @param {AbortSignal} signal
 * @param {(time: number) => void} show draws the canvas as it is at that time
 * @returns {Promise<Blob | null>} null where it was stopped
 */
export const clip = async (canvas, url, [start, end], signal, show) => {
  const audio = new Audio(url), sounds = new AudioContext(), out = sounds.createMediaStreamDestination();
  sounds.createMediaElementSource(audio).connect(out);
  await Promise.all([sounds.resume(), ready(audio, start)]);
  const tracks = [...canvas.captureStream(FRAMES).getTracks(), ...out.stream.getTracks()];
  const recorder = new MediaRecorder(new MediaStream(tracks), { mimeType: clipType() });
  /** @type {Blob[]} */
  const parts = [];
  recorder.ondataavailable = ({ data }) => parts.push(data);
  try {
    recorder.start();
    await audio.play();
    await playThrough(audio, end, signal, show);
    await new Promise((resolve) => {
      recorder.onstop = resolve;
      recorder.stop();
    });
  } finally {
    audio.pause();
    tracks.forEach((track) => track.stop());
    sounds.close();
  }
  return signal.aborted ? null : new Blob(parts, { type: recorder.mimeType });
};
const playThrough = (audio, end, /** @type {AbortSignal} */ signal, show) => new Promise((resolve) => {
  const step = () => {
    if (signal.aborted || audio.ended || audio.currentTime >= end) return resolve(null);
    show(audio.currentTime);
    return setTimeout(step, 1000 / FRAMES);
  };
  step();
});
