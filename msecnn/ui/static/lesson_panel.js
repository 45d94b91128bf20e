// The panel of a lesson and of "Guess first": beside the page or below it, small or open, and never over Play.

import { button, fill, h } from "./dom.js";
import { t } from "./language.js";
import { PANEL } from "./stuck.js";

/** @import { Child } from "./dom.js" */

export const panel = h("div");
let isSmall = false;
/** @type {HTMLElement | null} */
let shown = null;

const applySize = () => {
  document.body.classList.toggle("mse-teaching", shown !== null);
  document.body.classList.toggle("mse-teaching-small", shown !== null && isSmall);
  dispatchEvent(new Event("scroll"));   // the small player follows
};
const sizeButton = () => {
  const turn = () => {
    isSmall = !isSmall;
    element.setAttribute("aria-expanded", String(!isSmall));
    applySize();
  };
  const element = button({ class: "mse-quiet", "aria-expanded": String(!isSmall), "aria-label": t("Show the panel"),
    onclick: turn }, h("span", { "aria-hidden": "true" }, "▾"));
  return element;
};

/**
 * @param {{label: string, title: string, endWords: string, end: () => void, body: Child[], foot: Child[],
 *   below?: Child}} parts
 */
export const showPanel = ({ label, title, endWords, end, body, foot, below = null }) => {
  shown = h("aside", { class: PANEL, "aria-label": label },
    h("div", { class: "mse-lesson-head" }, h("strong", {}, title), sizeButton(),
      button({ class: "mse-quiet", "aria-label": endWords, onclick: end }, "×")),
    h("div", { class: "mse-lesson-body", tabindex: 0, role: "region", "aria-label": title }, ...body),
    h("div", { class: "mse-lesson-foot" }, ...foot), below);
  fill(panel, shown);
  applySize();
};
export const hidePanel = () => {
  shown = null;
  fill(panel);
  applySize();
};
/** Opens the panel where it is small. */
export const openPanel = () => {
  isSmall = false;
  applySize();
};
