// Going from one tab to another.

import { offered, set, state } from "./state.js";

export const showTab = (/** @type {string} */ name) => { if (offered.tabs.includes(name)) set({ tab: name }); };

/** Asks why a model gives a tag. */
export const explain = (/** @type {string} */ tag, /** @type {string | null} */ model = state.model) => {
  set({ tag, model });
  showTab("why");
};
