// Compare two recordings: a second player, both recordings' tags on one chart, and the difference of each scale.

import { drawScales, drawTags, parts as numberParts } from "./compare_numbers.js";
import { compare, compareKey, sameModel, tag } from "./compare_state.js";
import { offer, offerModels, onChoice, onModel } from "./controls.js";
import { fileChooser, fill, h, isVisible, part, say, statusLine } from "./dom.js";
import { clock } from "./format.js";
import { t } from "./language.js";
import { decodeOnServer } from "./main_player.js";
import { exampleTitle } from "./open.js";
import { Player } from "./player.js";
import { call, isSuperseded } from "./rpc.js";
import { modelOf, set, state } from "./state.js";
import { upload } from "./upload.js";

/** @import { Opened, State } from "./types.d.ts" */

const pictureOf = async (/** @type {number} */ window) => (await call("second-window", { window })).picture;
const player = new Player({ pictureOf, name: t("Second player"), height: 220 });
const status = statusLine(), playerPlace = part("compare-player");
const legend = h("div", { class: "mse-legend mse-compare-legend" });
const { input, label } = fileChooser("mse-second-file", "", (file) => take(file));
/** @type {HTMLElement} */
let place;

// ---- the second way in
const names = (/** @type {{models: {name: string}[]} | null} */ opened) => opened?.models.map(({ name }) => name) ?? [];

const open = async (/** @type {() => Promise<{request: object, url?: string | null, name: string}>} */ prepare) => {
  try {
    const { request, url, name } = await prepare();
    say(status, t("Tagging {name} …", { name }), "busy");
    const answer = await call("second", { models: names(state), ...request });
    compare.window = answer.window;
    set({ second: { ...answer, url: url ?? answer.recording.audio?.url } });
    say(status, "");
  } catch (error) {
    if (!isSuperseded(error)) say(status, error.message, "error");
  }
};
export const openSecondExample = (/** @type {string} */ id) =>
  open(async () => ({ request: { example: id }, name: exampleTitle(id) }));
const take = (/** @type {File} */ file) => open(async () => {
  const brought = await upload(file, file.name, (words) => say(status, words, "busy"));
  return { ...brought, name: file.name };
});
/** The second recording is always tagged by the same models as the first. */
export const keepModels = () => {
  const { second } = state;
  if (!second || names(state).join() === names(second).join()) return;
  open(async () => ({ request: {}, url: second.url, name: second.recording.name }));
};
export const openInSecondPlayer = (/** @type {State} */ { second }) => {
  if (!second) return;
  const { recording, mel, windows, window, picture, overview, url } = second;
  player.open({ recording: { ...recording, url }, mel, windows, window, picture, overview });
};

// ---- asking
const refresh = async () => {
  if (!place || !isVisible(place) || !state.recording || !sameModel()) return;
  drawTags();
  if (compareKey() === compare.shown) return drawScales();
  const asked = (compare.shown = compareKey());
  compare.splits = null;
  drawScales();
  const request = { model: modelOf().name, tag: tag() };
  try {
    const splits = await Promise.all([call("split", { ...request, window: state.window }),
      call("second-split", { ...request, window: compare.window })]);
    if (asked !== compareKey()) return;
    compare.splits = splits;
    drawScales();
  } catch (error) {
    if (asked !== compareKey() || isSuperseded(error)) return;
    compare.shown = "";
    drawScales(error.message);
  }
};
export const updateCompare = () => {
  drawLegend();
  refresh();
};

// ---- what is seen
onChoice("second", openSecondExample);
onModel("compare-model");
const stretchWords = (/** @type {Pick<Opened, "windows">} */ { windows }, /** @type {number} */ window) =>
  (windows.length > 1 ? `, ${windows[window].map((time) => clock(time, 0)).join(t(" to "))}` : "");
const side = (which, name) =>
  h("span", { class: `side-${which}` }, h("i"), h("strong", {}, "AB"[which]), ` ${name}`);
const drawLegend = () => {
  const { recording, second } = state;
  if (!recording) return;
  offer("second", { value: second?.recording.example ?? null });
  offerModels("compare-model", second !== null);
  fill(legend, second && [side(0, `${recording.name}${stretchWords(state, state.window)}`),
    side(1, `${second.recording.name}${stretchWords(second, compare.window)}`)]);
};

export const mountCompare = (/** @type {HTMLElement} */ element) => {
  place = element;
  playerPlace.append(player.element);
  place.append(status, legend, playerPlace);
  place.addEventListener("drop", (event) => {   // dropped here, it is the second
    event.preventDefault();
    event.stopPropagation();
    const file = event.dataTransfer?.files[0];
    if (file) take(file);
  });
  player.on("window", (window) => {
    compare.window = window;
    updateCompare();
  });
  player.on("unplayable", () => decodeOnServer(player, "second-sound"));
  new ResizeObserver(refresh).observe(element);   // also when its tab is opened
};
export const compareMounts = { "second-file": [input, label], "compare-numbers": numberParts };
