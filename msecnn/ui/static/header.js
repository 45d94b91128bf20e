// The header, with the switch between dark and light.

import { cardButton } from "./card.js";
import { button, h, svg } from "./dom.js";
import { t } from "./language.js";
import { copyLink } from "./share.js";
import { offered } from "./state.js";

const KEPT = "msecnn-theme";
const BARS = [9, 17, 24, 13, 20, 6];

const PROMISE = t("Drop in a song. Two neural networks tag it, and show which seconds made them decide.");
const LEARNED = t("They learned from three other networks that had learned from listeners' tags, on free game music, "
  + "songs and rendered scores.");

const switchTheme = () => {
  const dark = document.body.classList.toggle("dark");
  try { localStorage.setItem(KEPT, dark ? "dark" : "light"); } catch { /* private windows keep nothing */ }
};
/** The other language; the page is drawn anew in it, with what is open. */
const languageButton = () => {
  const all = ["en", ...Object.keys(offered.locales)], next = all[(all.indexOf(offered.language) + 1) % all.length];
  const turn = () => {
    try { localStorage.setItem("msecnn-language", next); } catch { /* see above */ }
    const address = new URL(location.href);
    address.searchParams.set("lang", next);
    location.replace(address);
  };
  return button({ class: "mse-quiet mse-language", lang: next, "aria-label": LANGUAGES[next], onclick: turn },
    next.toUpperCase());
};
//: How each language calls itself, behind its sign, which must be part of the name.
const LANGUAGES = { en: "EN: English", de: "DE: Deutsch" };
const applyKeptTheme = () => {
  try {
    const kept = localStorage.getItem(KEPT);
    if (kept) document.body.classList.toggle("dark", kept === "dark");
  } catch { /* see above */ }
};
/** Paper is light: what canvases have drawn, too. */
const printLight = () => {
  let wasDark = false;
  addEventListener("beforeprint", () => {
    wasDark = document.body.classList.contains("dark");
    document.body.classList.remove("dark");
  });
  addEventListener("afterprint", () => document.body.classList.toggle("dark", wasDark));
};
const logo = () => svg("svg", { class: "mse-logo", viewBox: "0 0 30 24", "aria-hidden": "true" },
  BARS.map((tall, i) => svg("rect", { x: 5 * i, y: (24 - tall) / 2, width: 3.4, height: tall, rx: 1.7 })));

export const mountHeader = (/** @type {HTMLElement} */ place) => {
  applyKeptTheme();
  printLight();
  document.title = t(offered.title);
  const theme = { class: "mse-quiet", "aria-label": t("Switch between dark and light"), onclick: switchTheme };
  place.append(h("header", { class: "mse-header" }, logo(), h("h1", {}, "MsE-CNN"),
    h("p", {}, h("strong", {}, PROMISE), " ", LEARNED), copyLink(), cardButton(), languageButton(),
    button(theme, "◐")));
};
