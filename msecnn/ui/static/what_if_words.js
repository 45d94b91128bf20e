// Every text of the edits: of the box on the player and of the tab "What if". Names of edits come from the server.

import { hertz, percent, plain } from "./format.js";
import { plural, t } from "./language.js";

export const WORDS = {
  brush: t("What if …"), draw: t("Draw a box on the spectrogram."),
  keep: t("Only this"), remove: t("Without this"),
  sides: { start_s: t("from, s"), end_s: t("to, s"), low_hz: t("from, Hz"), high_hz: t("to, Hz") },
  box: (/** @type {string} */ side) => t("Box {side}", { side }),
  place: (/** @type {import("./types.d.ts").Field} */ box) => t("{start} to {end} s, {low} to {high}",
    { start: plain(box.start_s), end: plain(box.end_s), low: hertz(box.low_hz), high: hertz(box.high_hz) }),
  then: t(", then "),
  busy: t("Tagging the edited sound …"),
  edited: t("edited sound"), listen: t("Listen to"), original: t("original"), after: t("edited"),
  exact: t("The steps of the scales add up to the change of the logit, exactly. The mark in a bar is where the tag "
    + "was."),
  changes: t("What the edits changed"),
  nothing: t("No tag changes."),
  columns: { tag: t("tag"), probability: t("probability"), logit: t("logit") },
  change: (/** @type {number} */ before, /** @type {number} */ after) => `${percent(before)} → ${percent(after)}`,

  intro: t("Change the sound of this window, and see what each tag and each scale makes of it. "
    + "Edits are made one after another, and both networks tag the result."),
  kind: t("Edit"), add: t("Add edit"), chain: t("Edits, in order"),
  empty: t("No edits yet: this is the recording as it is."),
  take: (/** @type {string} */ title) => t("Take out {title}", { title }), takeOut: t("Take out"),
  undo: t("Undo"), redo: t("Redo"), clear: t("Start over"),
  field: (/** @type {string} */ title, /** @type {string} */ parameter) => `${title}: ${parameter}`,
  limits: (/** @type {number} */ low, /** @type {number | null} */ high, /** @type {string} */ unit) =>
    (high === null ? t("at least {low} {unit}", { low, unit }) : t("{low} to {high} {unit}", { low, high, unit })),
  boxes: (/** @type {number} */ n) => plural(n, "{n} box", "{n} boxes"),
  most: (/** @type {number} */ n) => t("A chain has at most {n} edits.", { n }),
  noNumber: (/** @type {string} */ parameter, /** @type {string} */ limits) =>
    t("The {parameter} is a number: {limits}.", { parameter, limits }),

  curve: t("Response curve"),
  curveWords: t("One more edit after those above, from weak to strong: how do the tags follow?"),
  from: t("from"), to: t("to"), drawCurve: t("Draw the curve"),
  curveNote: t("A dotted line is the probability without this edit. Point at a line for the change of each scale."),

  cut: t("Smallest cut"), cutWords: (/** @type {string} */ tag, /** @type {string} */ model) =>
    t("Which part of this window, without any edit, must be silent for {model} to lose {tag}? The search is greedy: "
      + "there may be a smaller cut.", { model, tag }),
  find: (/** @type {string} */ tag) => t("Find the smallest cut that loses {tag}", { tag }),
  kept: (/** @type {string} */ tag) => t("No cut of the evidence halves the probability of {tag}.", { tag }),
  lost: ({ tag, cells, before, after, boxes }) =>
    t("Without {share} % of the window's cells, in {boxes}, {tag} falls from {before} to {after}.", { tag,
      share: plain(100 * cells, 1), boxes: plural(boxes.length, "{n} box", "{n} boxes"), before: percent(before),
      after: percent(after) }),
  addCut: t("Add this cut to the edits"), tooMany: t(" These are more boxes than an edit can have."),
};
