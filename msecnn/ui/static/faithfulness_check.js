// The check of an explanation: the logit while what the map names is taken away, and put back.

import { offer, onChoice } from "./controls.js";
import { fill, h } from "./dom.js";
import { plain } from "./format.js";
import { t } from "./language.js";
import { plot } from "./plotly.js";
import { call, isSuperseded } from "./rpc.js";
import { modelOf } from "./state.js";
import { question, settings, why, whyKey } from "./why_state.js";
import { newToken, working } from "./working.js";

/** @import { Curve } from "./types.d.ts" */

const PROMISE = t("Removes the cells the map names first, then in random order: a faithful map makes the logit fall "
  + "faster.");

export const place = h("div");

export const offerCheck = () => {
  why.checked = false;
  why.curves = null;
  const can = modelOf().methods.length === 0;   // of a model without scales nothing is there to be checked by
  offer("check", { visible: can });
  fill(place, can && h("span", { class: "mse-facts" }, PROMISE));
};
const check = async () => {
  const asked = whyKey(), token = newToken(), { method, baseline } = settings();
  const progress = (share) => fill(place, working(share, token, "faithfulness-check"));
  offer("check", { visible: false });
  progress(null);
  try {
    const request = { ...question(), method, baseline, token };
    const { curves, figure } = await call("faithfulness-check", request, { progress });
    if (asked !== whyKey()) return;
    why.checked = true;
    why.curves = curves;
    fill(place, h("div", { class: "mse-curves" }, h("p", {}, verdict(curves)), plot(figure)));
  } catch (error) {
    if (asked !== whyKey() || isSuperseded(error)) return;
    fill(place, h("p", { class: "mse-status error" }, error.message));
  }
};
onChoice("check", check);

/** What the curves say, the first of the map's order, then of a random one and of the loudest cells first. */
const verdict = (/** @type {Curve[]} */ [map, random, loudest]) => {
  const beats = (/** @type {Curve} */ other) =>
    [map.deletion_area < other.deletion_area, map.insertion_area > other.insertion_area].filter(Boolean).length;
  const better = beats(random), areas = (/** @type {"deletion_area" | "insertion_area"} */ area) =>
    t("{map} in the map's order, {random} in random order, {loudest} loudest first",
      { map: plain(map[area]), random: plain(random[area]), loudest: plain(loudest[area]) });
  const figures = t("Mean logit while cells are taken out: {out}; while they are put in: {into}.",
    { out: areas("deletion_area"), into: areas("insertion_area") });
  return `${better < 2 ? BESIDE_RANDOM[better] : BESIDE_LOUDEST[beats(loudest)]} ${figures}`;
};
//: By how many of the two ways the map beats a random order, and, where by both, the loudest cells.
const BESIDE_RANDOM = [t("No better than random here: do not trust this map."),
  t("Better than random one way only: trust this map with care.")];
const BESIDE_LOUDEST = [t("Better than random, worse than simply taking the loudest cells."),
  t("Better than random, and one way only better than simply taking the loudest cells."),
  t("Better than random, and than simply taking the loudest cells.")];
