// What a visitor has chosen within the tabs, as a link holds it: only what differs from how the page begins.

import { comparisonView } from "./compare_numbers.js";
import { editsText, kindOf, replaceEdits } from "./edit_chain.js";
import { showNetwork } from "./network.js";
import { network, settings, view as networkView } from "./network_state.js";
import { offered, state, when } from "./state.js";
import { drawTags, tagsView } from "./tags.js";
import { updateWhy } from "./why.js";
import { view as whyView, why } from "./why_state.js";

/** @typedef {(text: string) => any} Reader What a link's text stands for; undefined where it stands for nothing. */

const oneOf = (/** @type {string[]} */ names) => (/** @type {string} */ text) =>
  (names.includes(text) ? text : undefined);
const namesOf = (/** @type {{name: string}[]} */ options) => options.map(({ name }) => name);
/** @type {Reader} */
const yesOrNo = (text) => ({ 1: true, 0: false })[text];
/** @type {Reader} */
const number = (text) => (/^\d{1,5}$/.test(text) ? Number(text) : undefined);

const { methods, baselines } = offered.explanation;
/**
 * By their name in a link: the view that holds a choice, its key there, how it is read.
 * @type {[string, any, string, Reader][]}
 */
const CHOICES = [
  ["order", tagsView, "sort", oneOf(["mean", "first", "second", "difference"])],
  ["merged", tagsView, "merge", yesOrNo],
  ["numbers", tagsView, "scope", oneOf(["recording", "window"])],
  ["method", whyView, "method", oneOf(namesOf(methods))],
  ["baseline", whyView, "baseline", oneOf(namesOf(baselines))],
  ["cells", whyView, "marks", yesOrNo],
  ["one-scale", whyView, "shared", yesOrNo],
  ["sanity", networkView, "method", oneOf(namesOf(methods.filter(({ quick }) => quick)))],
  ["second-order", comparisonView, "sort", oneOf(["difference", "first", "second"])],
];
const FIRST = CHOICES.map(([, view, key]) => view[key]);
const written = (/** @type {any} */ value) => (typeof value === "boolean" ? String(Number(value)) : value);

/** @typedef {NonNullable<import("./types.d.ts").Show["network"]>} Asked */
/** @type {Required<Asked> | null} By a link, while the network's tab is not open yet. */
let waiting = null;
const networkChoices = () =>
  waiting ?? { ...settings(), level: networkView.level, channel: networkView.level ? networkView.channel : null };

/** For the address, by name; what is as at first is null. @returns {Record<string, string | null>} */
export const shownChoices = () => {
  const chosen = CHOICES.map(([name, view, key], i) => [name, view[key] === FIRST[i] ? null : written(view[key])]);
  const { random, off, level, channel } = networkChoices();
  return { ...Object.fromEntries(chosen), edits: editsText() || null,
    random: random ? "1" : null, off: off.join(",") || null, level,
    channel: channel === null ? null : String(channel) };
};

const whyChoices = () => [whyView.method, whyView.baseline, whyView.marks, whyView.shared];
/** What a link asks for, as soon as its recording is open and before its tab is. */
export const restoreChoices = (/** @type {URLSearchParams} */ wanted) => {
  const before = JSON.stringify(whyChoices());
  CHOICES.forEach(([name, view, key, read], i) => { view[key] = read(wanted.get(name) ?? "") ?? FIRST[i]; });
  if (JSON.stringify(whyChoices()) !== before) {
    why.shown = "";   // to be asked anew
    updateWhy();
  }
  drawTags();
  replaceEdits((wanted.get("edits") ?? "").split(" ").filter((edit) => edit && kindOf(edit)));
  restoreNetwork({
    random: wanted.get("random") === "1", off: (wanted.get("off") ?? "").split(",").filter(Boolean),
    level: wanted.get("level"), channel: number(wanted.get("channel") ?? "") ?? null,
  });
};
const restoreNetwork = async (/** @type {Required<Asked>} */ asked) => {
  waiting = null;
  if (JSON.stringify(asked) === JSON.stringify(networkChoices())) return;
  const { recording } = state, isOver = () => waiting !== asked || state.recording !== recording || state.lesson;
  waiting = asked;
  networkView.random = asked.random;
  await when(() => isOver() || (state.tab === "network" && network.answer));
  const show = !isOver();
  if (waiting === asked) waiting = null;
  if (show) showNetwork(asked);
};
