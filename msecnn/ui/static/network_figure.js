// The network of the paper's Figure 1: a column for each level, with a switch on its way to the classifier.

import { button, fill, h, onOff, part } from "./dom.js";
import { plural, scaleTitle } from "./format.js";
import { network, view } from "./network_state.js";
import { modelOf } from "./state.js";

/** @import { Level, Network } from "./types.d.ts" */

export const place = part("network-figure");

export const picture = (/** @type {OffscreenCanvas} */ image, /** @type {string} */ label) => {
  const canvas = h("canvas", { class: "mse-cells", role: "img", "aria-label": label });
  Object.assign(canvas, { width: image.width, height: image.height });
  canvas.getContext("2d")?.drawImage(image, 0, 0);
  return canvas;
};

const card = (/** @type {Level} */ level, image, openLevel) => {
  const { name, channels, rows, columns, field_s: seconds, field_bands } = level;
  const title = scaleTitle(name), bands = plural(field_bands, "band");
  const attributes = {
    class: "mse-level-card", "data-level": name, "aria-expanded": String(view.level === name),
    title: `One cell of this map depends on ${bands} and ${seconds.toFixed(2)} s of sound`,
    onclick: () => openLevel(view.level === name ? null : name),
  };
  return button(attributes, picture(image, `${title}: mean of its channels over time and frequency`),
    h("strong", {}, title), h("small", {}, `${channels} × ${rows}×${columns}`),
    h("small", {}, `sees ${seconds.toFixed(seconds < 1 ? 2 : 1)} s × ${bands}`));
};
const skip = (/** @type {Network} */ answer, /** @type {number} */ scale, drawNumbers) => {
  if (scale < 0) return h("div", { class: "mse-skip none" }, h("span", {}, "not carried on"));
  const name = answer.scales[scale];
  const flip = () => {
    network.kept[scale] = !network.kept[scale];
    element.setAttribute("aria-checked", String(network.kept[scale]));
    drawNumbers();
  };
  const label = `${scaleTitle(name)} reaches the classifier`;
  const element = onOff(label, network.kept[scale], flip, { "data-scale": name });
  return h("div", { class: "mse-skip" }, element,
    h("span", {}, plural(answer.n_features[scale], "maximum", "maxima")));
};

/**
 * @param {(name: string | null) => void} openLevel
 * @param {() => void} drawNumbers after a switch
 */
export const drawFigure = (openLevel, drawNumbers) => {
  const { answer } = network;
  if (!answer) return;
  let carried = 0;
  const columns = answer.levels.map((level, i) => {
    const scale = answer.scales.indexOf(level.name);
    carried += answer.n_features[scale] ?? 0;
    return h("div", { class: `mse-level${view.level === level.name ? " chosen" : ""}` },
      card(level, answer.pictures[i], openLevel), skip(answer, scale, drawNumbers),
      h("div", { class: `mse-bus${carried ? "" : " none"}` }, carried ? plural(carried, "feature") : ""));
  });
  const classifier = h("div", { class: "mse-classifier" }, h("strong", {}, `${modelOf().tags.length} tags`),
    h("small", {}, `one linear layer over ${carried} features`));
  fill(place, h("div", { class: "mse-figure", role: "group", "aria-label": "The network of the paper's Figure 1" },
    columns, h("div", { class: "mse-level mse-end" }, classifier)));
};

/** Which level is open. */
export const showOpenLevel = () => place.querySelectorAll(".mse-level-card").forEach((element) => element.setAttribute(
  "aria-expanded", String(/** @type {HTMLElement} */ (element).dataset.level === view.level)));
