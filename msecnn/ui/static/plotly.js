// Figures that Python defines, drawn by Plotly. Its script is large: it is fetched when the first figure is shown.

import { h } from "./dom.js";
import { t, told } from "./language.js";
import { offered } from "./state.js";

/** @import { Figure } from "./types.d.ts" */

//: Below this width subplots stand one above the other, pixels.
const NARROW = 560;

/** @type {Promise<any> | null} */
let script = null;
const load = () => {
  script ??= new Promise((resolve, reject) => {
    const failed = () => {
      script = null;   // the next figure tries again
      reject(new Error(t("The figure's script could not be fetched: try again in a moment.")));
    };
    const src = new URL(offered.plotly, document.baseURI).href;
    document.head.append(h("script", { src, onload: () => resolve(window.Plotly), onerror: failed }));
  });
  return script;
};

/** Colours are written for a light page; on the dark one each has a lighter brother. */
const coloured = (/** @type {Figure} */ figure) => {
  const pairs = document.body.classList.contains("dark") ? Object.entries(offered.on_dark) : [];
  const text = pairs.reduce((json, [light, dark]) => json.replaceAll(light, dark), JSON.stringify(figure));
  return JSON.parse(text, inWords);
};
/** Titles, legends and annotations are Python's, in English. */
const inWords = (/** @type {string} */ key, /** @type {unknown} */ value) =>
  (["text", "name", "title", "label"].includes(key) && typeof value === "string" ? told(value) : value);
const stacked = (layout) => Object.assign(layout, {
  height: 1.6 * layout.height,
  xaxis: { ...layout.xaxis, domain: [0, 1] }, yaxis: { ...layout.yaxis, domain: [0.58, 1] },
  xaxis2: { ...layout.xaxis2, domain: [0, 1], anchor: "y2" },
  yaxis2: { ...layout.yaxis2, domain: [0, 0.42], anchor: "x2", showticklabels: true },
});
const themed = (place, layout) => {
  const style = getComputedStyle(place), colour = (name) => style.getPropertyValue(name).trim();
  const plain = { gridcolor: colour("--mse-line"), zerolinecolor: colour("--mse-line"), automargin: true };
  if (layout.xaxis2 && place.clientWidth < NARROW) stacked(layout);
  for (const key of Object.keys(layout).filter((name) => /^[xy]axis/.test(name))) Object.assign(layout[key], plain);
  const clear = "rgba(0,0,0,0)", dragmode = matchMedia("(hover: hover)").matches && "zoom";   // a finger scrolls
  const font = { family: style.fontFamily, size: 13, color: colour("--mse-ink") };
  return { ...layout, font, paper_bgcolor: clear, plot_bgcolor: clear, margin: { l: 48, r: 12, t: 34, b: 44 },
    autosize: true, legend: { orientation: "h", y: 1, yanchor: "bottom" }, dragmode };
};
const config = (Plotly, /** @type {string} */ label) => ({
  responsive: true, displaylogo: false, modeBarButtonsToRemove: ["toImage", "select2d", "lasso2d", "autoScale2d"],
  modeBarButtonsToAdd: [{ name: t("Save PNG"), icon: Plotly.Icons.camera,
    click: (graph) => Plotly.downloadImage(graph, { format: "png", scale: 2, filename: label.split(":")[0] }) }],
});

/** @type {Map<HTMLElement, Figure>} */
const shown = new Map();
const draw = async (/** @type {HTMLElement} */ place, /** @type {Figure} */ figure) => {
  const Plotly = await load(), { data, layout } = coloured(figure);
  if (place.isConnected) await Plotly.react(place, data, themed(place, layout), config(Plotly, figure.label));
};
new MutationObserver(() => shown.forEach((figure, place) => {
  if (place.isConnected) draw(place, figure);
  else shown.delete(place);
})).observe(document.body, { attributes: true, attributeFilter: ["class"] });

/**
 * A place in which the figure is drawn as soon as it is on the page; `choose` gets the point that is clicked.
 * @param {Figure} figure
 * @param {(point: any) => void} [choose]
 */
export const plot = (figure, choose) => {
  const height = `${figure.layout.height}px`;
  const place = h("figure", { class: "mse-plot", "aria-label": told(figure.label), style: { "min-height": height } });
  shown.set(place, figure);
  setTimeout(() => draw(place, figure).then(() => {
    if (choose) /** @type {any} */ (place).on?.("plotly_click", ({ points: [point] }) => choose(point));
  }).catch((error) => place.replaceChildren(h("p", { class: "mse-status error" }, error.message))));
  return place;
};
