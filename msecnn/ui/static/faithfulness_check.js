// The check of an explanation: the logit while what the map names is taken away, and put back.

import { offer, onChoice } from "./controls.js";
import { fill, h } from "./dom.js";
import { plain } from "./format.js";
import { plot } from "./plotly.js";
import { call, isSuperseded } from "./rpc.js";
import { modelOf } from "./state.js";
import { question, settings, why, whyKey } from "./why_state.js";
import { newToken, working } from "./working.js";

/** @import { Curve } from "./types.d.ts" */

const PROMISE = "Removes the cells the map names first, then in random order: "
  + "a faithful map makes the logit fall faster.";

export const place = h("div");

export const offerCheck = () => {
  why.checked = false;
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
    `${plain(map[area])} in the map's order, ${plain(random[area])} in random order, `
    + `${plain(loudest[area])} loudest first`;
  const figures = `Mean logit while cells are taken out: ${areas("deletion_area")}; while they are put in: `
    + `${areas("insertion_area")}.`;
  if (better === 0) return `No better than random here: do not trust this map. ${figures}`;
  if (better === 1) return `Better than random one way only: trust this map with care. ${figures}`;
  return `Better than random, ${BESIDE_LOUDEST[beats(loudest)]}. ${figures}`;
};
//: By how many of the two ways the map beats the loudest cells.
const BESIDE_LOUDEST = ["worse than simply taking the loudest cells",
  "and one way only better than simply taking the loudest cells", "and than simply taking the loudest cells"];
