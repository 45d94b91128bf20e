// The page: which module fills which place, and which event leads to which view.

import { followAddress, writeAddress } from "./address.js";
import { compareMounts, keepModels, mountCompare, openInSecondPlayer, updateCompare } from "./compare.js";
import { chosen, connectControls, offer, onChoice, takeOffers } from "./controls.js";
import { followState, onEdits } from "./edit_chain.js";
import "./figure_clip.js";
import { flashCells } from "./flashes.js";
import { flightMounts } from "./flight.js";
import { scaleTitle } from "./format.js";
import { mountHeader } from "./header.js";
import "./hints.js";
import { t } from "./language.js";
import { lessonKey } from "./lesson_facts.js";
import { latencies, leaveLive, mountLive } from "./live.js";
import { drawLessons, lessonMounts, lessonPanel } from "./lessons.js";
import { decodeOnServer, mountPlayer, openInPlayer, player } from "./main_player.js";
import { mountRoom } from "./room.js";
import { markRows, rowMounts, updateRows } from "./music_rows.js";
import { showTab } from "./navigation.js";
import { mountNetwork, networkMounts, showNetwork, updateNetwork } from "./network.js";
import { drawOpened, openMounts } from "./open.js";
import { call, connect, fail } from "./rpc.js";
import { on, set, state, when } from "./state.js";
import { drawStrips, moveHead } from "./strips.js";
import { drawTags, tagMounts } from "./tags.js";
import { mountUpload } from "./upload.js";
import { mountEdits, placeChanges } from "./what_if.js";
import { drawTab, mountTab } from "./what_if_tab.js";
import { mountWhy, showWhy, updateWhy, whyMounts } from "./why.js";
import { zip } from "./zip.js";

/** @import { State } from "./types.d.ts" */

/** @type {Set<string>} */
const mounted = new Set();
/** Mount points in Gradio's layout, by the name that Python gives them. */
const MOUNTS = {
  header: mountHeader,
  upload: mountUpload,
  player: mountPlayer,
  why: mountWhy,
  network: mountNetwork,
  compare: mountCompare,
  edits: mountTab,
  live: mountLive,
  room: mountRoom,
};
/** @type {Record<string, Element | Element[]>} What stands between Gradio's controls. */
const PARTS = { lesson: lessonPanel, ...openMounts, ...tagMounts, ...whyMounts, ...networkMounts,
  ...compareMounts, ...lessonMounts, ...rowMounts, ...flightMounts };
export const mount = (/** @type {string} */ name, /** @type {HTMLElement} */ place) => {
  if (name in PARTS) place.append(...[PARTS[name]].flat());
  else MOUNTS[name](place);
  mounted.add(name);
};
export { chosen, connect, connectControls, fail, t, takeOffers, zip };

/**
 * A view of what the networks say waits while that is kept back; `covered` is among the keys of each.
 * @param {(state: State) => void} view
 */
const uncovered = (view) => (/** @type {State} */ now) => now.covered || view(now);

// ---- a change of the state -> the views that show it, in this order
on("recording", openInPlayer);
on("window", ({ window }) => player.chooseWindow(window));
on("covered", ({ covered }) => {
  document.body.classList.toggle("mse-covered", covered);
  if (covered) offer("tag", { choices: [], value: null });   // they come with what the networks say
});
on("recording models covered", drawOpened);
on("recording models window covered", uncovered(followState));
on("recording models model tag window covered", uncovered(drawTab));
on("tab", placeChanges);
on("tab", leaveLive);
on("recording window", updateRows);
on("models model window tag covered", uncovered(markRows));
on("models window tag covered", drawTags);
on("recording models model tag window covered", uncovered(updateWhy));
on("recording models model tag window covered", uncovered(updateNetwork));
on("second", openInSecondPlayer);
on("models", keepModels);
on("recording models model tag window second covered", uncovered(updateCompare));
on("lesson guess recording tab", drawLessons);
on("recording second lesson models tag model window tab", writeAddress);

mountEdits(player);
onEdits("chain", writeAddress);

// ---- the player -> the state and what moves with the sound
player.on("window", (window) => set({ window }));
player.on("tick", moveHead);
player.on("tick", flashCells);
player.on("decoded", drawStrips);
player.on("span", drawStrips);
player.on("unplayable", () => decodeOnServer(player, "sound"));

// ---- tabs and the address -> the state
onChoice("tab", (tab) => set({ tab }));
on("tab", ({ tab }) => offer("tab", { selected: tab }));
drawLessons();
when(() => mounted.has("upload")).then(followAddress);

// What tests, benchmarks and a curious visitor's console work with.
Object.assign(window.msecnn, { state, set, call, player, showTab, scaleTitle, why: { show: showWhy },
  network: { show: showNetwork }, live: { latencies }, lessons: { key: lessonKey } });
