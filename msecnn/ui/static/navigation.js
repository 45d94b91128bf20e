// Going from one tab to another.

import { set, state } from "./state.js";

const tabButton = (/** @type {string} */ name) => document.getElementById(`tab-${name}-button`);

export const showTab = (/** @type {string} */ name) => tabButton(name)?.click();

/** Which tab is open, or undefined before there are any. */
export const shownTab = () =>
  document.querySelector('#tabs button[role="tab"][aria-selected="true"]')?.id.replace(/^tab-|-button$/g, "");

/** Asks why a model gives a tag. */
export const explain = (/** @type {string} */ tag, /** @type {string | null} */ model = state.model) => {
  set({ tag, model });
  showTab("why");
};
