// The microphone.

import { button } from "./dom.js";
import { clock } from "./format.js";
import { t } from "./language.js";
import { openMicrophone } from "./microphone.js";
import { idle, tell } from "./open.js";
import { offered } from "./state.js";

/** @type {MediaRecorder | null} */
let recorder = null;

/** Shows the time, and stops a second before the longest recording that the page takes. */
const keepTime = (/** @type {MediaRecorder} */ running) => {
  const began = performance.now();
  return setInterval(() => {
    const seconds = (performance.now() - began) / 1000;
    tell(t("Recording: {time}. {window} s fill the networks' window.",
      { time: clock(seconds), window: Math.floor(offered.window_s) }), "busy");
    if (seconds > offered.max_s - 1) running.stop();
  }, 200);
};

const start = async (/** @type {HTMLButtonElement} */ element, take) => {
  const stream = await openMicrophone(), running = (recorder = new MediaRecorder(stream));
  /** @type {Blob[]} */
  const parts = [];
  running.ondataavailable = (event) => parts.push(event.data);
  const ticking = keepTime(running);
  running.onstop = () => {
    clearInterval(ticking);
    stream.getTracks().forEach((track) => track.stop());
    recorder = null;
    show(element, false);
    const type = running.mimeType;
    take(new Blob(parts, { type }), `${t("recording")}.${type.includes("mp4") ? "m4a" : "webm"}`);
  };
  running.start();
  show(element, true);
};
const show = (/** @type {HTMLButtonElement} */ element, /** @type {boolean} */ recording) => {
  element.textContent = recording ? t("Stop and tag") : t("Record");
  element.classList.toggle("recording", recording);
};

/** Records, and hands the recording over: `take(blob, name)`. */
export const recordButton = (/** @type {(file: Blob, name: string) => void} */ take) => {
  const begin = () => start(element, take).catch((error) => idle(error.message, "error"));
  const press = () => (recorder ? recorder.stop() : begin());
  const element = button({ onclick: press }, t("Record"));
  return element;
};
