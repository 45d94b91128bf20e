// What plays is named beside the player, wherever it was started, with a button that ends it.

import { button, fill, h } from "./dom.js";
import { t } from "./language.js";
import { onSounds, shownSound } from "./sound.js";

export const nowPlaying = h("span", { class: "mse-playing", role: "status" });

onSounds(() => {
  const sound = shownSound();
  if (!sound?.title) return fill(nowPlaying);
  const { title, isPart } = sound;
  const words = sound.audio.paused ? t("Ready: {title}", { title }) : t("Playing: {title}", { title });
  if (nowPlaying.dataset.words === words && nowPlaying.hasChildNodes()) return undefined;
  nowPlaying.dataset.words = words;
  return fill(nowPlaying, h("span", {}, words), isPart && button(
    { class: "mse-quiet", "aria-label": t("Stop {title}", { title }), onclick: () => sound.leave() }, "×"));
});
