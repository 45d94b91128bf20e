// The sanity check of a method: what it shows of the trained network beside what it shows of one that learnt nothing.

import { offer, onChoice } from "./controls.js";
import { fill, h } from "./dom.js";
import { plain, signed } from "./format.js";
import { t } from "./language.js";
import { network, networkKey, question, tag, view } from "./network_state.js";
import { paintSigned, read } from "./pictures.js";
import { call, isSuperseded } from "./rpc.js";
import { modelOf } from "./state.js";
import { drawMap } from "./strips.js";

//: Rank correlations from which on two maps look alike, or share something.
const ALIKE = 0.5, RELATED = 0.2;

export const place = h("div");

const verdict = (/** @type {number} */ correlation) => {
  const words = correlation > ALIKE ? t("They look alike, so this method shows the sound more than what was learnt.")
    : correlation > RELATED ? t("They share something that was not learnt.")
      : t("What this method shows does depend on what was learnt.");
  const value = Math.abs(correlation) < 0.005 ? plain(0) : signed(correlation);
  return `${t("Rank correlation of the two maps: {value}.", { value })} ${words}`;
};
onChoice("sanity-method", (method) => {
  view.method = method;
  drawSanity();
});
const addStrip = async (strips, title, map) => {
  const canvas = h("canvas", { role: "img", "aria-label": t("{what}: map of {tag}", { what: title, tag: tag() }) });
  strips.append(h("div", { class: "mse-strip" }, canvas, h("span", {}, title)));
  drawMap(canvas, paintSigned(await read(map.picture)));
};

export const drawSanity = async () => {
  offer("sanity-method", { value: view.method, visible: view.random && network.answer !== null });
  network.sanity = null;
  if (!view.random || !network.answer) return fill(place);
  const asked = networkKey(), { method } = view, strips = h("div", { class: "mse-sanity-strips" });
  const words = h("p", { class: "mse-sentence", role: "status" }, t("Drawing both maps …"));
  const title = t("Can a map of {tag} tell what was learnt from what was not?", { tag: tag() });
  fill(place, h("h3", {}, title), words, strips);
  try {
    const { correlation, trained, random } = await call("sanity", { ...question(), method });
    if (asked !== networkKey() || method !== view.method) return;
    network.sanity = correlation;
    words.textContent = verdict(correlation);
    await addStrip(strips, t("{model}, trained", { model: modelOf().title }), trained);
    await addStrip(strips, t("The same network, random weights"), random);
  } catch (error) {
    if (!isSuperseded(error)) words.textContent = error.message;
  }
};
