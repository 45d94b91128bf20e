// Going from one tab to another.

import { set, state } from "./state.js";

const tabButton = (/** @type {string} */ name) => document.getElementById(`tab-${name}-button`);

/** Which tab is open, or undefined before there are any. */
export const shownTab = () =>
  document.querySelector('#tabs button[role="tab"][aria-selected="true"]')?.id.replace(/^tab-|-button$/g, "");

//: How long and how often is looked whether a tab has opened, milliseconds.
const PATIENCE_MS = 5000, LOOK_MS = 50;
let wanted = "";

/** Opens a tab. While Gradio still mounts its tabs a click is lost, so it is repeated until the tab is open. */
export const showTab = async (/** @type {string} */ name) => {
  const until = performance.now() + PATIENCE_MS;
  wanted = name;
  while (shownTab() !== name && wanted === name && performance.now() < until) {
    tabButton(name)?.click();
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
};

/** Asks why a model gives a tag; the answer's heading comes into view and has the focus. */
export const explain = async (/** @type {string} */ tag, /** @type {string | null} */ model = state.model) => {
  set({ tag, model });
  await showTab("why");
  const heading = document.getElementById("heading-why");
  heading?.focus({ preventScroll: true });
  const { top = 0 } = heading?.getBoundingClientRect() ?? {};
  if (top < 0 || top > innerHeight / 2) heading?.scrollIntoView({ block: "start" });
};
