// Tags over time, for recordings longer than one window: a heat map for each model; a click goes there. Beyond ten
// windows Plotly draws it, for then reading it needs zoom; before, its script would weigh more than all else.

import { button, fill, h } from "./dom.js";
import { clock, percent } from "./format.js";
import { t } from "./language.js";
import { player } from "./main_player.js";
import { explain } from "./navigation.js";
import { plot } from "./plotly.js";
import { call, isSuperseded } from "./rpc.js";
import { set, state, windowAt } from "./state.js";

/** @import { Model } from "./types.d.ts" */

//: Rows of the short form, and windows up to which it is drawn.
const FEW = 10, SHORT = 10;

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
      "data-hint": `${clock(start, 0)} ${tag} ${percent(p)}` });
  });
};
const heatRow = (/** @type {Model} */ model, /** @type {string} */ tag) => h("div", { class: "mse-heat-row" },
  button({ class: null, onclick: () => explain(tag, model.name),
    "aria-label": t("{tag} in {model}: why?", { tag, model: model.title }) }, tag),
  h("span", { onclick: (event) => go(event, model, tag) }, heat(model, tag)));
const block = (/** @type {Model} */ model, which, shown) => h("div", { class: `mse-heat model-${which}` },
  h("h3", {}, model.title), shown.map((tag) => heatRow(model, tag)),
  h("div", { class: "mse-heat-row axis", "aria-hidden": "true" }, h("span"),
    h("span", {}, h("em", {}, "0:00"), h("em", {}, clock(state.recording?.duration_s ?? 0, 0)))));

const go = (event, /** @type {Model} */ model, /** @type {string} */ tag) => {
  const w = event.target.dataset?.window;
  if (w !== undefined) goTo(model, tag, Number(w));
};
const goTo = (/** @type {Model} */ model, /** @type {string} */ tag, /** @type {number} */ w) => {
  const [start] = model.windows[w];   // the last window may overlap the one before: it is chosen by number, not by time
  set({ tag, model: model.name, window: windowAt(state.windows, start) });
  player.seek(start);
};

// ---- beyond ten windows
const long = h("div", { class: "mse-heats-long" });
let drawn = "";
const drawLong = async (/** @type {boolean} */ all) => {
  const { models } = state, asked = [state.recording?.url, ...models.map(({ name }) => name), all].join();
  if (asked === drawn) return;
  drawn = asked;
  fill(long);
  try {
    const { figures } = await call("timeline", { all });
    if (asked !== drawn) return;
    fill(long, figures.map((figure, i) => [h("h3", {}, models[i].title), plot(figure, ({ pointNumber: [row, w] }) =>
      goTo(models[i], figure.layout.yaxis.ticktext[row], w))]));
  } catch (error) {
    drawn = "";
    if (!isSuperseded(error)) fill(long, h("p", { class: "mse-status error" }, error.message));
  }
};

const isShort = () => state.windows.length <= SHORT;
const heats = (/** @type {boolean} */ all) => {
  if (isShort()) {
    return h("div", { class: "mse-heats" }, state.models.map((model, which) => block(model, which, rows(all))));
  }
  drawLong(all);
  return long;
};
const words = () => {
  const n = { n: Math.floor(state.mel.window_s) };
  return isShort()
    ? t("A row is a tag, a column a window of {n} s; the deeper the colour, the likelier. Click to go there.", n)
    : t("A row is a tag, a column a window of {n} s; the brighter the colour, the likelier. Click to go there.", n);
};
export const timeline = (/** @type {boolean} */ all) => state.windows.length > 1
  && h("section", { class: "mse-timeline", "aria-label": t("Tags over time") },
    h("h3", { class: "mse-timeline-title" }, t("Over time")), h("p", { class: "mse-facts" }, words()), heats(all));
