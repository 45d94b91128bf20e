// Going from one tab to another.

import { isVisible } from "./dom.js";
import { offered, set, state, when } from "./state.js";

export const showTab = (/** @type {string} */ name) => { if (offered.tabs.includes(name)) set({ tab: name }); };

//: How long Gradio may take to open a tab, milliseconds.
const PATIENCE_MS = 5000;

/** Gradio writes what is in a tab when that opens. */
const isShown = (/** @type {HTMLElement | null} */ heading) => heading !== null && isVisible(heading);

/** Asks why a model gives a tag; the answer's heading comes into view and has the focus. */
export const explain = async (/** @type {string} */ tag, /** @type {string | null} */ model = state.model) => {
  set({ tag, model });
  showTab("why");
  const until = performance.now() + PATIENCE_MS, find = () => document.getElementById("heading-why");
  await when(() => isShown(find()) || state.tab !== "why" || performance.now() > until);
  const heading = find();
  if (!heading) return;
  heading.focus({ preventScroll: true });
  const { top } = heading.getBoundingClientRect();
  if (top < 0 || top > innerHeight / 2) heading.scrollIntoView({ block: "start" });
};
