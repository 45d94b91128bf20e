// The tab "What if": the chain of edits with its parameters, undo, what changed, response curves, the smallest cut.

import { button, fill, h, part, say, statusLine } from "./dom.js";
import { addEdit, argumentsOf, chain, changeEdit, clearEdits, isFull, kindOf, onEdits, redo, takeOut, undo }
  from "./edit_chain.js";
import { parameterInputs, textOf, valuesOf } from "./edit_form.js";
import { boxesOf, wordsOf } from "./edit_words.js";
import { t } from "./language.js";
import { player } from "./main_player.js";
import { curveView, forgetCurve } from "./response_curve.js";
import { cutView, offerCut } from "./smallest_cut.js";
import { offered, state } from "./state.js";
import { chart, sounds } from "./what_if.js";
import { WORDS } from "./what_if_words.js";

/** @import { EditKind } from "./types.d.ts" */

const KINDS = offered.edits.kinds;
const form = h("div", { class: "mse-toolbar mse-edit-form" }), list = h("ol", { class: "mse-edit-list" });
const tools = h("div", { class: "mse-toolbar" }), status = statusLine(), head = part("edit-head");

// ---- one more edit
let kind = KINDS.find(({ box }) => !box) ?? KINDS[0];
/** @type {(string | number)[]} */
let values = [];
/** An edit's first values; a box begins where the player stands. */
const firstValues = (/** @type {EditKind} */ chosen) => {
  if (!chosen.box) return valuesOf(chosen, "");
  const [start, end] = player.span, { low_hz: low, high_hz: high } = boxAt(start, end);
  return [start, Math.min(end, start + player.duration), low, high].map((value) => Number(value.toFixed(2)));
};
const boxAt = (start_s, end_s) => {
  const bands = player.view.mel?.bands_hz ?? [[0, 0, 0]];
  return { start_s, end_s, low_hz: bands[0][0], high_hz: bands[bands.length - 1][2] };
};
const choose = (/** @type {string} */ name) => {
  kind = KINDS.find((other) => other.name === name) ?? kind;
  values = firstValues(kind);
  drawForm();
};
const drawForm = () => {
  if (values.length === 0) values = firstValues(kind);
  const select = h("select", { onchange: () => choose(select.value) },
    KINDS.map(({ name, title }) => h("option", { value: name, selected: name === kind.name }, t(title))));
  const take = (/** @type {(string | number)[]} */ changed) => { values = changed; };
  const add = () => addEdit(textOf(kind, values));
  fill(form, h("label", {}, WORDS.kind, select), parameterInputs(kind, values, take),
    button({ class: "mse-button primary", onclick: add, disabled: isFull() }, WORDS.add),
    h("span", { class: "mse-facts" }, isFull() ? WORDS.most(offered.edits.most) : t(kind.words)));
};

// ---- the chain
const inputs = (/** @type {string} */ edit, /** @type {number} */ i) => {
  const of = kindOf(edit);
  if (of.box && boxesOf(edit).length > 1) return h("span", {}, WORDS.boxes(boxesOf(edit).length));
  const changed = (/** @type {(string | number)[]} */ now) => changeEdit(i, textOf(of, now));
  return parameterInputs(of, valuesOf(of, argumentsOf(edit)), changed);
};
const item = (/** @type {string} */ edit, /** @type {number} */ i) => h("li", { "data-edit": edit },
  h("strong", {}, t(kindOf(edit).title)), inputs(edit, i),
  button({ "aria-label": WORDS.take(wordsOf(edit)), onclick: () => takeOut(i) }, WORDS.takeOut));
const drawChain = () => {
  const { edits, past, future, answer } = chain;
  fill(head, h("h3", {}, WORDS.chain), edits.length === 0 && h("p", { class: "mse-facts" }, WORDS.empty));
  fill(list, edits.map(item));
  fill(tools, button({ onclick: undo, disabled: past.length === 0 }, WORDS.undo),
    button({ onclick: redo, disabled: future.length === 0 }, WORDS.redo),
    button({ onclick: clearEdits, disabled: edits.length === 0 }, WORDS.clear), answer && sounds());
};

/** Ctrl+Z and Ctrl+Y, or Shift with the former, while the tab is open and nothing is being typed. */
const press = (/** @type {KeyboardEvent} */ event) => {
  const target = /** @type {HTMLElement} */ (event.target), letter = event.key.toLowerCase();
  if (state.tab !== "what-if" || !(event.ctrlKey || event.metaKey) || !["z", "y"].includes(letter)) return;
  if (target.matches("input, textarea")) return;   // undoes what is being typed
  event.preventDefault();
  if (letter === "y" || event.shiftKey) redo();
  else undo();
};

let mounted = false;
export const drawTab = () => {
  if (!mounted || !state.recording) return;
  drawForm();
  drawChain();
  offerCut();
};
onEdits("status", (words, kindOfWords) => say(status, words, kindOfWords));
onEdits("chain recording", forgetCurve);
onEdits("recording", () => { values = []; });
onEdits("chain answer recording", drawTab);

export const mountTab = (/** @type {HTMLElement} */ place) => {
  mounted = true;
  document.addEventListener("keydown", press);
  place.append(h("p", { class: "mse-sentence" }, WORDS.intro), form, head, list, tools, status);
  const changed = part("edit-changes");
  place.append(changed, curveView(), ...(offered.edits.cut ? [cutView()] : []));
  new ResizeObserver(() => {   // also when the tab is opened
    if (state.tab === "what-if") changed.append(chart);
  }).observe(place);
  drawTab();
};
