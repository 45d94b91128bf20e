// The microphone's stream, for a recording and for live tags, as it is: what helps in a call would change the music.

import { t } from "./language.js";

const UNCHANGED = { audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false } };
const REFUSED = t("The microphone may not be used: allow it in the browser and try again.");

export const openMicrophone = async () => {
  if (!navigator.mediaDevices?.getUserMedia) {
    throw new Error(t("The browser gives the microphone only to pages on HTTPS or on this machine."));
  }
  return navigator.mediaDevices.getUserMedia(UNCHANGED).catch((error) => {
    throw new Error(error.name === "NotFoundError" ? t("No microphone was found.") : REFUSED);
  });
};
