// The sanity check of a method: what it shows of the trained network beside what it shows of one that learnt nothing.

import { offer, onChoice } from "./controls.js";
import { fill, h } from "./dom.js";
import { signed } from "./format.js";
import { network, networkKey, question, tag, view } from "./network_state.js";
import { paintSigned, read } from "./pictures.js";
import { call, isSuperseded } from "./rpc.js";
import { modelOf } from "./state.js";
import { drawMap } from "./strips.js";

//: Rank correlations from which on two maps look alike, or share something.
const ALIKE = 0.5, RELATED = 0.2;

export const place = h("div");

const verdict = (/** @type {number} */ correlation) => {
  const words = correlation > ALIKE ? "They look alike, so this method shows the sound more than what was learnt."
    : correlation > RELATED ? "They share something that was not learnt."
      : "What this method shows does depend on what was learnt.";
  return `Rank correlation of the two maps: ${Math.abs(correlation) < 0.005 ? "0.00" : signed(correlation)}. ${words}`;
};
onChoice("sanity-method", (method) => {
  view.method = method;
  drawSanity();
});
const addStrip = async (strips, title, map) => {
  const canvas = h("canvas", { role: "img", "aria-label": `${title}: map of ${tag()}` });
  strips.append(h("div", { class: "mse-strip" }, canvas, h("span", {}, title)));
  drawMap(canvas, paintSigned(await read(map.picture)));
};

export const drawSanity = async () => {
  offer("sanity-method", { value: view.method, visible: view.random && network.answer !== null });
  if (!view.random || !network.answer) return fill(place);
  const asked = networkKey(), { method } = view, strips = h("div", { class: "mse-sanity-strips" });
  const words = h("p", { class: "mse-sentence", role: "status" }, "Drawing both maps …");
  const title = `Can a map of ${tag()} tell what was learnt from what was not?`;
  fill(place, h("h3", {}, title), words, strips);
  try {
    const { correlation, trained, random } = await call("sanity", { ...question(), method });
    if (asked !== networkKey() || method !== view.method) return;
    words.textContent = verdict(correlation);
    await addStrip(strips, `${modelOf().title}, trained`, trained);
    await addStrip(strips, "The same network, random weights", random);
  } catch (error) {
    if (!isSuperseded(error)) words.textContent = error.message;
  }
};
