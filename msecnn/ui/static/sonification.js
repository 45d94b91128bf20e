// Listening to an explanation: the strongest evidence, all but it, or one scale, in place of the recording.

import { fill, h, part, say, segment, statusLine, toggle } from "./dom.js";
import { scaleTitle } from "./format.js";
import { player } from "./main_player.js";
import { call, isSuperseded } from "./rpc.js";
import { question, view, why, whyKey } from "./why_state.js";

export const place = part("why-listen");
const status = statusLine("span");

export const drawSounds = () => {
  const { parts = {}, scales = [] } = why.answer?.sounds ?? {};
  const titles = { original: "Original", ...parts };
  scales.forEach((scale) => { titles[`scale:${scale}`] = scaleTitle(scale); });
  const choice = ([what, title]) => toggle(title, view.sound === what, () => playSound(what), { "data-listen": what });
  fill(place, segment("Listen to", h("em", {}, "listen to"), Object.entries(titles).map(choice)), status);
};

/** As it is named while it plays. */
const titleOf = (/** @type {string} */ what) => (what.startsWith("scale:") ? `${scaleTitle(what.slice(6))} only`
  : why.answer?.sounds.parts[what] ?? what);
const render = async (/** @type {string} */ what) => {
  say(status, "Rendering …");
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
player.sound.on("source", () => {   // ended beside the player
  if (player.sound.source !== player.sound.original || view.sound === "original") return;
  view.sound = "original";
  drawSounds();
});
