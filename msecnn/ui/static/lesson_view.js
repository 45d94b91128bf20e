// A lesson's step drives the page: it opens what the step shows, scrolls to its subject, and outlines it.

import { replaceEdits } from "./edit_chain.js";
import { h } from "./dom.js";
import { player } from "./main_player.js";
import { showTab } from "./navigation.js";
import { showNetwork } from "./network.js";
import { openExample } from "./open.js";
import { offered, set, state, when } from "./state.js";
import { orderTags } from "./tags.js";
import { showWhy } from "./why.js";

/** @import { Show } from "./types.d.ts" */

//: What a step may ask to look at. A test holds this list and Python's the same.
export const LOOKS = {
  player: ".mse-player-section", tags: ".mse-tags .mse-tags", exact: ".mse-why-exact", listen: "#why-listen",
  strips: ".mse-why-strips", check: ".mse-why-check", figure: ".mse-figure", channels: ".mse-network-channels",
  bars: ".mse-network-bars", table: ".mse-network-table", sanity: ".mse-network-sanity", edits: ".mse-edits",
};
//: How long a subject may take to be drawn, milliseconds.
const PATIENCE_MS = 20_000;

const outline = h("style", { "data-outline": "" });
/** Outlines a subject, or none; a rule, since subjects are drawn anew. */
export const outlineSubject = (/** @type {string | null} */ look) => {
  outline.textContent = look === null ? ""
    : `.gradio-container ${LOOKS[look]} { outline: 3px solid var(--mse-accent); outline-offset: 6px; }`;
  if (!outline.isConnected) document.head.append(outline);
};

const networksOf = (/** @type {Show} */ { networks }) => (networks === "any" ? [] : offered.lesson_models);
const isOpen = (/** @type {Show} */ show) => state.recording?.example === show.example
  && networksOf(show).every((name) => state.models.some((shown) => shown.name === name));

let shows = 0;
/** Ends what an earlier step still does. */
export const stopShowing = () => {
  shows++;
  outlineSubject(null);
};
/**
 * Shows what a step is about, below its text where the answers are kept back: then it is the player. A step that is
 * shown while an earlier one still waits for its answer takes its place.
 * @returns {Promise<boolean>} whether it is shown, and no later one
 */
export const showStep = async (/** @type {Show} */ step) => {
  const serial = ++shows, isCurrent = () => serial === shows, { model, tag, seek } = step, networks = networksOf(step);
  outlineSubject(null);
  if (!isOpen(step)) await openExample(step.example, networks.length ? networks : undefined);
  if (!isOpen(step) || !isCurrent()) return false;   // the page has said why
  set({ window: 0, ...(model ? { model, tag: tag ?? null } : {}) });
  if (seek !== undefined) player.seek(seek);
  await showAnswers(step);
  if (isCurrent()) await bringIntoView(state.covered ? "player" : step.look, isCurrent);
  return isCurrent();
};

/** The tab with what the networks say, unless that is kept back. */
const showAnswers = async (/** @type {Show} */ { tab, edits, why = {}, network = {} }) => {
  if (state.covered) return replaceEdits([]);
  if (edits) replaceEdits(edits);
  if (tab === "tags") orderTags("mean");   // as for everybody
  showTab(tab);
  if (tab === "why") await showWhy(why);
  if (tab === "network") await showNetwork(network);
  return undefined;
};
/** What a step is about, just below the small player. */
const bringIntoView = async (/** @type {string} */ look, /** @type {() => boolean} */ isCurrent) => {
  const until = performance.now() + PATIENCE_MS;
  const find = () => /** @type {HTMLElement | null} */ (document.querySelector(LOOKS[look]));
  await when(() => !isCurrent() || (find()?.offsetHeight ?? 0) > 0 || performance.now() > until);
  if (!isCurrent()) return undefined;
  outlineSubject(look);
  if (look === "player") return scrollToPlayer();
  return scrollTo(find());
};
const scrollTo = (/** @type {HTMLElement | null} */ element) => {
  const isStill = matchMedia("(prefers-reduced-motion: reduce)").matches;
  element?.scrollIntoView({ block: "start", behavior: isStill ? "auto" : "smooth" });
};
/** To the player's place in the page: the player itself may be the small one, which does not scroll. */
export const scrollToPlayer = () => scrollTo(document.getElementById("mount-player"));
