// The check of an explanation: the logit while what the map names is taken away, and put back.

import { button, fill, h, part, svg } from "./dom.js";
import { plain } from "./format.js";
import { call, isSuperseded } from "./rpc.js";
import { question, settings, why, whyKey } from "./why_state.js";
import { newToken, working } from "./working.js";

/** @import { Curve } from "./types.d.ts" */

const WIDTH = 540, HEIGHT = 220, LEFT = 40, BOTTOM = 26, TOP = 8, RIGHT = 8;
const PROMISE = "Removes the cells the map names first, then in random order: "
  + "a faithful map makes the logit fall faster.";

export const place = part("why-check");

export const drawCheckButton = () => {
  why.checked = false;
  fill(place, button({ onclick: check }, "Check this explanation"), h("span", { class: "mse-facts" }, PROMISE));
};
const check = async () => {
  const asked = whyKey(), token = newToken(), { method, baseline } = settings();
  const progress = (share) => fill(place, working(share, token, "faithfulness-check"));
  progress(null);
  try {
    const request = { ...question(), method, baseline, token };
    const { curves, tag } = await call("faithfulness-check", request, { progress });
    if (asked !== whyKey()) return;
    why.checked = true;
    fill(place, figure(curves, tag));
  } catch (error) {
    if (asked !== whyKey() || isSuperseded(error)) return;
    fill(place, h("p", { class: "mse-status error" }, error.message));
  }
};

// ---- the curves: the first is of the map's order, the second of a random one
const figure = (/** @type {Curve[]} */ curves, /** @type {string} */ tag) => h("div", { class: "mse-curves" },
  h("p", {}, verdict(curves)),
  h("div", { class: "mse-legend" }, curves.map(({ title }, i) => h("span", { class: `order-${i}` }, h("i"), title))),
  h("div", { class: "mse-curve-panels" }, panel(curves, "deletion", `Logit of ${tag} while cells are taken out`),
    panel(curves, "insertion", "while they are put back in")));

const verdict = (/** @type {Curve[]} */ [map, random]) => {
  const falls = map.deletion_area < random.deletion_area, rises = map.insertion_area > random.insertion_area;
  const figures = `Mean logit while cells are taken out: ${plain(map.deletion_area)} in the map's order, `
    + `${plain(random.deletion_area)} in random order; while they are put in: ${plain(map.insertion_area)} and `
    + `${plain(random.insertion_area)}.`;
  if (falls && rises) return `Both ways this map beats chance: it names cells that matter. ${figures}`;
  if (falls || rises) return `This map beats chance one way only: trust it with care. ${figures}`;
  return `This map is no better than chance here: do not trust it. ${figures}`;
};

const axes = (/** @type {number[]} */ values) => {
  const low = Math.min(...values), high = Math.max(...values), margin = (high - low) * 0.06 || 1;
  return {
    ends: [low, high],
    x: (fraction) => LEFT + fraction * (WIDTH - LEFT - RIGHT),
    y: (logit) => TOP + (1 - (logit - low + margin) / (high - low + 2 * margin)) * (HEIGHT - TOP - BOTTOM),
  };
};
const text = (x, y, anchor, words) => svg("text", { x, y, "text-anchor": anchor }, words);
const panel = (/** @type {Curve[]} */ curves, /** @type {"deletion" | "insertion"} */ which, title) => {
  const { ends, x, y } = axes(curves.flatMap((curve) => curve[which]));
  const means = curves.map((curve) => `${curve.title}, mean logit ${curve[`${which}_area`].toFixed(2)}`).join("; ");
  const points = (curve) => curve.fractions.map((fraction, n) => `${x(fraction)},${y(curve[which][n])}`).join(" ");
  return h("figure", {}, h("figcaption", {}, title),
    svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": `${title}: ${means}` },
      [0, 0.25, 0.5, 0.75, 1].map((fraction) =>
        text(x(fraction), HEIGHT - 8, fraction === 1 ? "end" : "middle", `${100 * fraction} %`)),
      ends.map((logit) => text(LEFT - 6, y(logit) + 4, "end", plain(logit, 1))),
      curves.map((curve, i) => svg("polyline", { class: `order-${i}`, points: points(curve) }))));
};
