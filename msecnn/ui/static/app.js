// The page: which module fills which place, and which event leads to which view.

import { followAddress, writeAddress } from "./address.js";
import { keepModels, mountCompare, openInSecondPlayer, updateCompare } from "./compare.js";
import { h } from "./dom.js";
import { flashCells } from "./flashes.js";
import { scaleTitle } from "./format.js";
import { mountHeader } from "./header.js";
import { drawLessons, mountLesson, mountLessons } from "./lessons.js";
import { decodeOnServer, mountPlayer, openInPlayer, player } from "./main_player.js";
import { showTab, shownTab } from "./navigation.js";
import { mountNetwork, showNetwork, updateNetwork } from "./network.js";
import { drawOpened } from "./open.js";
import { call, connect, fail } from "./rpc.js";
import { on, set, state, when } from "./state.js";
import { drawStrips, moveHead } from "./strips.js";
import { drawTags, mountTags } from "./tags.js";
import { mountUpload } from "./upload.js";
import { mountWhy, showWhy, updateWhy } from "./why.js";

/** Mount points in Gradio's layout, by the name that Python gives them. */
const MOUNTS = {
  header: mountHeader,
  upload: mountUpload,
  lesson: mountLesson,
  player: mountPlayer,
  tags: mountTags,
  why: mountWhy,
  network: mountNetwork,
  compare: mountCompare,
  lessons: mountLessons,
};
/** Of the tabs, for those who cannot see which is open. */
const HEADINGS = {
  tags: "Tags", why: "Why this tag", network: "Take it apart", compare: "Compare", lessons: "Lessons",
};
export const mount = (/** @type {keyof typeof MOUNTS} */ name, /** @type {HTMLElement} */ place) => {
  const heading = { class: "mse-sr", id: `heading-${name}`, tabindex: -1 };
  if (HEADINGS[name]) place.append(h("h2", heading, HEADINGS[name]));
  MOUNTS[name](place);
};
export { connect, fail };

// ---- a change of the state -> the views that show it, in this order
on("recording", openInPlayer);
on("window", ({ window }) => player.chooseWindow(window));
on("recording models", drawOpened);
on("models window tag", drawTags);
on("recording models model tag window", updateWhy);
on("recording models model tag window", updateNetwork);
on("second", openInSecondPlayer);
on("models", keepModels);
on("recording models model tag window second", updateCompare);
on("lesson tab", drawLessons);
on("recording second lesson models tag model window tab", writeAddress);

// ---- the player -> the state and what moves with the sound
player.on("window", (window) => set({ window }));
player.on("tick", moveHead);
player.on("tick", flashCells);
player.on("decoded", drawStrips);
player.on("unplayable", () => decodeOnServer(player, "sound"));

// ---- tabs and the address -> the state
drawLessons();
when(() => shownTab() && document.querySelector(".mse-opened")).then(() => {
  const tabs = /** @type {HTMLElement} */ (document.getElementById("tabs"));
  new MutationObserver(() => set({ tab: shownTab() ?? state.tab }))
    .observe(tabs, { subtree: true, attributes: true, attributeFilter: ["aria-selected"], childList: true });
  return followAddress();
});

// What tests, benchmarks and a curious visitor's console work with.
Object.assign(window.msecnn, { state, set, call, player, showTab, scaleTitle, why: { show: showWhy },
  network: { show: showNetwork } });
