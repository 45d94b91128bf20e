// Listening to an explanation: the strongest evidence, all but it, or one scale, in place of the recording.

import { offer, onChoice } from "./controls.js";
import { say, statusLine } from "./dom.js";
import { scaleTitle } from "./format.js";
import { t, told } from "./language.js";
import { player } from "./main_player.js";
import { call, isSuperseded } from "./rpc.js";
import { question, view, why, whyKey } from "./why_state.js";

export const status = statusLine();

export const drawSounds = () => {
  const { parts = {}, scales = [] } = why.answer?.sounds ?? {};
  const titles = Object.entries({ original: t("Original"), ...parts }).map(([what, title]) => [told(title), what]);
  const choices = [...titles, ...scales.map((scale) => [scaleTitle(scale), `scale:${scale}`])];
  offer("listen", { choices: /** @type {[string, string][]} */ (choices), value: view.sound, visible: true });
};

/** As it is named while it plays. */
const titleOf = (/** @type {string} */ what) => (what.startsWith("scale:")
  ? t("{scale} only", { scale: scaleTitle(what.slice(6)) })
  : told(why.answer?.sounds.parts[what] ?? what));
const render = async (/** @type {string} */ what) => {
  say(status, t("Rendering …"));
  const { sound, start_s: offset_s, duration_s } = await call("sonify", { ...question(), what });
  return { url: sound.url, offset_s, duration_s, title: titleOf(what) };
};
/** Plays another sound from where the recording is. */
export const playSound = async (/** @type {string} */ what) => {
  const asked = whyKey();
  view.sound = what;
  drawSounds();
  try {
    const sound = what === "original" ? player.sound.original : why.sounds.get(what) ?? await render(what);
    if (asked !== whyKey() || !sound) return;
    if (what !== "original") why.sounds.set(what, sound);
    say(status, "");
    if (view.sound === what) player.sound.use(sound);
  } catch (error) {
    if (!isSuperseded(error)) say(status, error.message);
  }
};
onChoice("listen", playSound);
player.sound.on("source", () => {   // ended beside the player
  if (player.sound.source !== player.sound.original || view.sound === "original") return;
  view.sound = "original";
  drawSounds();
});
