// Calibration: predicted probabilities beside the teachers' mean.

import { h, svg } from "./dom.js";
import { percent } from "./format.js";

/** @import { Model } from "./types.d.ts" */

const SIZE = 132, MARGIN = 6;
const at = (p) => MARGIN + p * (SIZE - 2 * MARGIN);

/** Predicted probability against the teachers' mean; null where it was not measured. */
export const reliability = (/** @type {Model} */ model, /** @type {number} */ which) => {
  const bins = Array.isArray(model.calibration) ? model.calibration : model.calibration?.bins;
  if (!bins?.length) return null;
  const most = Math.max(...bins.map((bin) => bin.n));
  const words = bins.map((bin) => `predicted ${percent(bin.claimed)}, teachers' mean ${percent(bin.true)}`).join("; ");
  const point = (bin) =>
    svg("circle", { cx: at(bin.claimed), cy: at(1 - bin.true), r: 2 + 4 * Math.sqrt(bin.n / most) });
  return h("figure", { class: `mse-reliability model-${which}` },
    svg("svg", { viewBox: `0 0 ${SIZE} ${SIZE}`, role: "img", "aria-label": `${model.title}: ${words}` },
      svg("path", { d: `M${at(0)} ${at(1)}L${at(1)} ${at(0)}`, class: "diagonal" }), bins.map(point)),
    h("figcaption", {}, model.title, h("br"), "predicted → / teachers' mean ↑"));
};
