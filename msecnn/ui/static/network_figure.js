// The network of the paper's Figure 1: a column for each level, with a switch on its way to the classifier.

import { button, fill, h, onOff, part } from "./dom.js";
import { scaleTitle } from "./format.js";
import { fixed, plural, t } from "./language.js";
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
  const title = scaleTitle(name), bands = plural(field_bands, "{n} band", "{n} bands");
  const attributes = {
    class: "mse-level-card", "data-level": name, "aria-expanded": String(view.level === name),
    "data-hint": t("One cell of this map depends on {bands} and {seconds} s of sound",
      { bands, seconds: fixed(seconds, 2) }),
    onclick: () => openLevel(view.level === name ? null : name),
  };
  return button(attributes, picture(image, t("{scale}: mean of its channels over time and frequency",
    { scale: title })),
    h("strong", {}, title), h("small", {}, `${channels} × ${rows}×${columns}`),
    h("small", {}, t("sees {seconds} s × {bands}", { seconds: fixed(seconds, seconds < 1 ? 2 : 1), bands })));
};
const skip = (/** @type {Network} */ answer, /** @type {number} */ scale, drawNumbers) => {
  if (scale < 0) return h("div", { class: "mse-skip none" }, h("span", {}, t("not carried on")));
  const name = answer.scales[scale];
  const flip = () => {
    network.kept[scale] = !network.kept[scale];
    element.setAttribute("aria-checked", String(network.kept[scale]));
    drawNumbers();
  };
  const label = t("{scale} reaches the classifier", { scale: scaleTitle(name) });
  const element = onOff(label, network.kept[scale], flip, { "data-scale": name });
  return h("div", { class: "mse-skip" }, element,
    h("span", {}, plural(answer.n_features[scale], "{n} maximum", "{n} maxima")));
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
      h("div", { class: `mse-bus${carried ? "" : " none"}` },
        carried ? plural(carried, "{n} feature", "{n} features") : ""));
  });
  const classifier = h("div", { class: "mse-classifier" }, h("strong", {}, t("{n} tags", { n: modelOf().tags.length })),
    h("small", {}, t("one linear layer over {n} features", { n: carried })));
  fill(place, h("div", { class: "mse-figure", role: "group", "aria-label": t("The network of the paper's Figure 1") },
    columns, h("div", { class: "mse-level mse-end" }, classifier)));
};

/** Which level is open. */
export const showOpenLevel = () => place.querySelectorAll(".mse-level-card").forEach((element) => element.setAttribute(
  "aria-expanded", String(/** @type {HTMLElement} */ (element).dataset.level === view.level)));
