// The header, with the switch between dark and light.

import { button, h, svg } from "./dom.js";
import { copyLink } from "./share.js";

const KEPT = "msecnn-theme";
const BARS = [9, 17, 24, 13, 20, 6];

const switchTheme = () => {
  const dark = document.body.classList.toggle("dark");
  try { localStorage.setItem(KEPT, dark ? "dark" : "light"); } catch { /* private windows keep nothing */ }
};
const applyKeptTheme = () => {
  try {
    const kept = localStorage.getItem(KEPT);
    if (kept) document.body.classList.toggle("dark", kept === "dark");
  } catch { /* see above */ }
};
const logo = () => svg("svg", { class: "mse-logo", viewBox: "0 0 30 24", "aria-hidden": "true" },
  BARS.map((tall, i) => svg("rect", { x: 5 * i, y: (24 - tall) / 2, width: 3.4, height: tall, rx: 1.7 })));

export const mountHeader = (/** @type {HTMLElement} */ place) => {
  applyKeptTheme();
  const theme = { class: "mse-quiet", "aria-label": "Switch between dark and light", onclick: switchTheme };
  place.append(h("header", { class: "mse-header" }, logo(), h("h1", {}, "MsE-CNN"),
    h("p", {}, h("strong", {}, "Drop in a song. Two neural networks tag it, and show which seconds made them decide."),
      " They learned from three other networks that had learned from listeners' tags, on free game music, songs and "
      + "rendered scores."), copyLink(), button(theme, "◐")));
};
