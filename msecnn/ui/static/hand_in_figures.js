// The figures of a worksheet: each as it is seen, on every tab that was opened with this recording.

import { chain } from "./edit_chain.js";
import { compare, compareKey } from "./compare_state.js";
import { credit, seenFigures } from "./figure_tools.js";
import { figureSvg, painted } from "./figure_svg.js";
import { showTab } from "./navigation.js";
import { network, networkKey } from "./network_state.js";
import { offered, on, state } from "./state.js";
import { why, whyKey } from "./why_state.js";

/** @typedef {{title: string, tab: string, svg: {source: string, width: number, height: number}}} Seen */

//: How long a tab may take to draw what is asked about now; and how often that is looked at, milliseconds.
const PATIENCE_MS = 20_000, LOOK_MS = 100;
//: Figures are made for this width at most, pixels: that of a page of A4 at 150 dots an inch.
const WIDTH = 1240;

/** Of each tab, whether its figures show what is asked about now; a tab that is not here is drawn at once. */
/** @type {Record<string, () => boolean>} */
const DRAWN = {
  why: () => Boolean(why.answer && why.shown === whyKey() && (why.maps || !offered.server)) || why.failed === whyKey(),
  network: () => Boolean(network.answer && network.shown === networkKey()) || network.failed === networkKey(),
  compare: () => !state.second || Boolean(compare.splits && compare.shown === compareKey()),
  "what-if": () => chain.edits.length === 0 || chain.answer !== null,
};
/** @type {Set<string>} Tabs that were opened since the recording was. */
const opened = new Set();
on("recording", () => opened.clear());
on("recording tab", ({ tab }) => opened.add(tab));

const pause = (/** @type {number} */ ms) => new Promise((resolve) => setTimeout(resolve, ms));
/** Two frames later all that a change has asked for is laid out and painted. */
const settled = () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
const drawnOn = async (/** @type {string} */ tab) => {
  const until = performance.now() + PATIENCE_MS;
  while (!(DRAWN[tab]?.() ?? true) && performance.now() < until) await pause(LOOK_MS);
  await settled();
};

/** All figures, in the order of the tabs. @returns {Promise<Seen[]>} */
export const figuresAsSeen = async () => {
  const { tab: before } = state, { scrollX, scrollY } = window, tabs = offered.tabs.filter((tab) => opened.has(tab));
  const elements = new Set(), figures = [];
  scrollTo(0, 0);   // the player is as large as it is, not the small one
  try {
    for (const tab of tabs) {
      showTab(tab);
      await drawnOn(tab);
      for (const { element, title } of seenFigures().filter((figure) => !elements.has(figure.element))) {
        elements.add(element);
        figures.push({ title, tab, svg: await figureSvg(element, title, credit()) });
      }
    }
  } finally {
    showTab(before);
    await settled();
    scrollTo(scrollX, scrollY);
  }
  return figures;
};

// ---- as small files
/** As PNG or as JPEG, whichever is smaller: lines and letters are one, spectrograms the other. */
const smaller = async (/** @type {Seen} */ { svg }, /** @type {number} */ quality) => {
  const canvas = await painted(svg, Math.min(2, WIDTH / svg.width));
  const kinds = [{ type: "image/png" }, { type: "image/jpeg", quality }];
  const [first, second] = await Promise.all(kinds.map((kind) => canvas.convertToBlob(kind)));
  return first.size <= second.size ? first : second;
};
//: Qualities of JPEG, the best that fits is taken.
const QUALITIES = [0.9, 0.75, 0.6, 0.4, 0.2];

/** The figures' pictures, together at most so many bytes if any quality makes them so. */
export const pictures = async (/** @type {Seen[]} */ figures, /** @type {number} */ most) => {
  /** @type {Blob[]} */
  let blobs = [];
  for (const quality of QUALITIES) {
    blobs = await Promise.all(figures.map((figure) => smaller(figure, quality)));
    if (blobs.reduce((sum, { size }) => sum + size, 0) <= most) break;
  }
  return blobs;
};
