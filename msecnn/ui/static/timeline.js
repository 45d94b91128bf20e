// Tags over time, for recordings longer than one window: a heat map for each model; a click goes there.

import { button, h } from "./dom.js";
import { clock, percent } from "./format.js";
import { player } from "./main_player.js";
import { explain } from "./navigation.js";
import { set, state, windowAt } from "./state.js";

/** @import { Model } from "./types.d.ts" */

const FEW = 10;

/** The rows that say most: tags by their highest probability in any window of any model. */
const rows = (/** @type {boolean} */ all) => {
  const { tags } = state.models[0];
  const peak = (tag) => Math.max(...state.models.flatMap((model) =>
    model.timeline.map((window) => window[model.tags.indexOf(tag)])));
  const order = tags.map((tag) => ({ tag, peak: peak(tag) })).sort((a, b) => b.peak - a.peak).map(({ tag }) => tag);
  return all ? order : order.slice(0, FEW);
};

const heat = (/** @type {Model} */ model, /** @type {string} */ tag) => {
  const total = state.recording?.duration_s ?? 1, k = model.tags.indexOf(tag);
  const percentOf = (seconds) => `${(100 * seconds) / total}%`;
  return model.windows.map(([start], w) => {
    const end = model.windows[w + 1]?.[0] ?? total, p = model.timeline[w][k];   // overlaps: drawn until the next begins
    return h("i", { "data-window": w, style: { left: percentOf(start), width: percentOf(end - start), "--p": p },
      title: `${clock(start, 0)} ${tag} ${percent(p)}` });
  });
};
const heatRow = (/** @type {Model} */ model, /** @type {string} */ tag) => h("div", { class: "mse-heat-row" },
  button({ class: null, onclick: () => explain(tag, model.name), "aria-label": `${tag} in ${model.title}: why?` }, tag),
  h("span", { onclick: (event) => go(event, model, tag) }, heat(model, tag)));
const block = (/** @type {Model} */ model, which, shown) => h("div", { class: `mse-heat model-${which}` },
  h("h3", {}, model.title), shown.map((tag) => heatRow(model, tag)),
  h("div", { class: "mse-heat-row axis", "aria-hidden": "true" }, h("span"),
    h("span", {}, h("em", {}, "0:00"), h("em", {}, clock(state.recording?.duration_s ?? 0, 0)))));

const go = (event, /** @type {Model} */ model, /** @type {string} */ tag) => {
  const w = event.target.dataset?.window;
  if (w === undefined) return;
  const [start] = model.windows[w];   // the last window may overlap the one before: it is chosen by number, not by time
  set({ tag, model: model.name, window: windowAt(state.windows, start) });
  player.seek(start);
};

export const timeline = (/** @type {boolean} */ all) => state.windows.length > 1
  && h("section", { class: "mse-timeline", "aria-label": "Tags over time" },
    h("h3", { class: "mse-timeline-title" }, "Over time"),
    h("p", { class: "mse-facts" }, `A row is a tag, a column a window of ${Math.floor(state.mel.window_s)} s; `
      + "the deeper the colour, the likelier. Click to go there."),
    h("div", { class: "mse-heats" }, state.models.map((model, which) => block(model, which, rows(all)))));
