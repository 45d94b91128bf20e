// The check of an explanation: the logit while what the map names is taken away, and put back.

import { offer, onChoice } from "./controls.js";
import { fill, h } from "./dom.js";
import { plain } from "./format.js";
import { plot } from "./plotly.js";
import { call, isSuperseded } from "./rpc.js";
import { question, settings, why, whyKey } from "./why_state.js";
import { newToken, working } from "./working.js";

/** @import { Curve } from "./types.d.ts" */

const PROMISE = "Removes the cells the map names first, then in random order: "
  + "a faithful map makes the logit fall faster.";

export const place = h("div");

export const offerCheck = () => {
  why.checked = false;
  offer("check", { visible: true });
  fill(place, h("span", { class: "mse-facts" }, PROMISE));
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

// The first curve is of the map's order, the second of a random one
const verdict = (/** @type {Curve[]} */ [map, random]) => {
  const falls = map.deletion_area < random.deletion_area, rises = map.insertion_area > random.insertion_area;
  const figures = `Mean logit while cells are taken out: ${plain(map.deletion_area)} in the map's order, `
    + `${plain(random.deletion_area)} in random order; while they are put in: ${plain(map.insertion_area)} and `
    + `${plain(random.insertion_area)}.`;
  if (falls && rises) return `Both ways this map beats chance: it names cells that matter. ${figures}`;
  if (falls || rises) return `This map beats chance one way only: trust it with care. ${figures}`;
  return `This map is no better than chance here: do not trust it. ${figures}`;
};
