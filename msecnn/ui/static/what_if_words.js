// Every text of the edits: of the box on the player and of the tab "What if". Names of edits come from the server.

import { hertz, percent, plain } from "./format.js";
import { plural } from "./language.js";

export const WORDS = {
  brush: "What if …", draw: "Draw a box on the spectrogram.",
  keep: "Only this", remove: "Without this",
  sides: { start_s: "from, s", end_s: "to, s", low_hz: "from, Hz", high_hz: "to, Hz" },
  box: (/** @type {string} */ side) => `Box ${side}`,
  place: (/** @type {import("./types.d.ts").Field} */ box) => `${plain(box.start_s)} to ${plain(box.end_s)} s, `
    + `${hertz(box.low_hz)} to ${hertz(box.high_hz)}`,
  then: ", then ",
  busy: "Tagging the edited sound …",
  edited: "edited sound", listen: "Listen to", original: "original", after: "edited",
  exact: "The steps of the scales add up to the change of the logit, exactly. The mark in a bar is where the tag was.",
  changes: "What the edits changed",
  nothing: "No tag changes.",
  columns: { tag: "tag", probability: "probability", logit: "logit" },
  change: (/** @type {number} */ before, /** @type {number} */ after) => `${percent(before)} → ${percent(after)}`,

  intro: "Change the sound of this window, and see what each tag and each scale makes of it. "
    + "Edits are made one after another, and both networks tag the result.",
  kind: "Edit", add: "Add edit", chain: "Edits, in order", empty: "No edits yet: this is the recording as it is.",
  take: (/** @type {string} */ title) => `Take ${title} out`, takeOut: "Take out",
  undo: "Undo", redo: "Redo", clear: "Start over",
  field: (/** @type {string} */ title, /** @type {string} */ parameter) => `${title}: ${parameter}`,
  limits: (/** @type {number} */ low, /** @type {number | null} */ high, /** @type {string} */ unit) =>
    (high === null ? `at least ${low} ${unit}` : `${low} to ${high} ${unit}`),
  boxes: (/** @type {number} */ n) => plural(n, "{n} box", "{n} boxes"),
  most: (/** @type {number} */ n) => `A chain has at most ${n} edits.`,
  noNumber: (/** @type {string} */ parameter, /** @type {string} */ limits) =>
    `The ${parameter} is a number: ${limits}.`,

  curve: "Response curve", curveWords: "One more edit after those above, from weak to strong: how do the tags follow?",
  from: "from", to: "to", drawCurve: "Draw the curve",
  curveNote: "A dotted line is the probability without this edit. Point at a line for the change of each scale.",

  cut: "Smallest cut", cutWords: (/** @type {string} */ tag, /** @type {string} */ model) =>
    `Which part of this window, without any edit, must be silent for ${model} to lose ${tag}? The search is greedy: `
    + "there may be a smaller cut.",
  find: (/** @type {string} */ tag) => `Find the smallest cut that loses ${tag}`,
  kept: (/** @type {string} */ tag) => `No cut of the evidence halves the probability of ${tag}.`,
  lost: ({ tag, cells, before, after, boxes }) =>
    `Without ${plain(100 * cells, 1)} % of the window's cells, in ${plural(boxes.length, "{n} box", "{n} boxes")}, `
    + `${tag} falls from ${percent(before)} to ${percent(after)}.`,
  addCut: "Add this cut to the edits", tooMany: " These are more boxes than an edit can have.",
};
