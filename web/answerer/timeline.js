// Tags over the windows of a long recording: the heat map that `plots/tags.py` defines, for Plotly.

import { sortedBy } from "./numbers.js";
import { opened } from "./open.js";
import { probabilities } from "./tagging.js";

/** @import { Context, NetworkFacts, Opened } from "./types.d.ts" */

const FEW = 16;

const figure = (/** @type {NetworkFacts} */ model, which, /** @type {Opened} */ { windows, sound }, n_tags) => {
  const rows = probabilities(windows, which), starts = windows.map(({ start_s: start }) => start);
  const peaks = model.tags.map((_, k) => Math.max(...rows.map((row) => row[k])));
  const order = sortedBy(peaks.length, (k) => -peaks[k]).slice(0, n_tags), [best] = order;
  const w = rows.findIndex((row) => row[best] === peaks[best]);
  const words = (/** @type {number} */ k) => rows.map((row, i) =>
    `${model.tags[k]} ${(100 * row[k]).toFixed(1)}%, from ${starts[i].toFixed(1)} s`);
  return {
    data: [{ type: "heatmap", z: order.map((k) => rows.map((row) => row[k])), x: [...starts, sound.duration_s],
      y: Array.from({ length: order.length + 1 }, (_, i) => i - 0.5), zmin: 0, zmax: 1, colorscale: "Viridis",
      colorbar: { title: { text: "probability" } }, text: order.map(words), hoverinfo: "text" }],
    layout: { height: 120 + 28 * order.length, xaxis: { title: { text: "seconds" } },
      yaxis: { tickvals: order.map((_, i) => i), ticktext: order.map((k) => model.tags[k]), autorange: "reversed" } },
    label: `${model.title}: tags over ${rows.length} windows, highest ${model.tags[best]} `
      + `(${(100 * peaks[best]).toFixed(0)}%) from ${starts[w].toFixed(0)} s.`,
  };
};

export const showTimeline = (/** @type {Context} */ context, /** @type {any} */ request) => {
  const opening = opened(context, "first"), { models } = context.knowledge;
  const n_tags = request.all ? Infinity : FEW;
  return { figures: models.map((model, which) => figure(model, which, opening, n_tags)) };
};
