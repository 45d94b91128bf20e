// Guess first: one hears a clip and chooses tags, and only then sees what the networks say and where they listened.

import { button, fill, h, say, statusLine, toggle, warnUntrained } from "./dom.js";
import { placeWords } from "./evidence.js";
import { familyRows } from "./families.js";
import { percent } from "./format.js";
import { TOLD, compareGuess } from "./guess_compare.js";
import { emptyGuess } from "./guess_state.js";
import { t, told } from "./language.js";
import { hidePanel, openPanel, showPanel } from "./lesson_panel.js";
import { outlineSubject, scrollToPlayer, stopShowing } from "./lesson_view.js";
import { playPlace, player } from "./main_player.js";
import { showTab } from "./navigation.js";
import { openExample } from "./open.js";
import { call, isSuperseded } from "./rpc.js";
import { offered, set, state } from "./state.js";

/** @import { Event, Explanation, Guess, Model } from "./types.d.ts" */

const TITLE = t("Guess first");
const INTRO = t("Hear a clip, choose tags, and only then see what the networks say, and where they listened.");
const ASK = t("Play the clip. Then choose the tags that you would give it. What the networks say is kept back "
  + "until you compare.");
const OWN = t("Or bring a recording of your own: choose a file.");
const SILENT = t("This recording is silent: choose another clip.");

// ---- which clip
/** @type {Set<string>} Examples that were guessed since the page was opened. */
const guessed = new Set();
const nextExample = () => {
  const ids = offered.examples.map(({ id }) => id), now = ids.indexOf(state.recording?.example ?? "");
  const others = [...ids.slice(now + 1), ...ids.slice(0, now)];
  return others.find((id) => !guessed.has(id)) ?? others[0] ?? ids[0];
};
/** Begins with an example, or goes on with the next one that was not guessed yet. */
export const beginGuess = async (example = nextExample()) => {
  stopShowing();
  player.pause();
  set({ lesson: null, guess: emptyGuess(), covered: true });
  openPanel();
  await openExample(example);
  scrollToPlayer();
};
const end = () => {
  outlineSubject(null);
  player.mark([]);
  set({ guess: null, covered: false });
};
/** The way in, on the tab with the lessons. */
export const guessCard = () => h("section", { class: "mse-guess-card" }, h("h3", {}, TITLE), h("p", {}, INTRO),
  button({ class: "mse-button primary", onclick: () => beginGuess() }, t("Begin to guess")));

// ---- the guess
const change = (/** @type {Partial<Guess>} */ patch) => set({ guess: { ...(state.guess ?? emptyGuess()), ...patch } });
const flip = (/** @type {string} */ name) => {
  const { chosen } = state.guess ?? emptyGuess();
  change({ chosen: chosen.includes(name) ? chosen.filter((other) => other !== name) : [...chosen, name] });
};
const chips = (/** @type {string[]} */ chosen) => h("div",
  { class: "mse-segment mse-guess-tags", role: "group", "aria-label": t("Tags") },
  Object.keys(state.families).sort().map((name) => toggle(name, chosen.includes(name), () => flip(name),
    { "data-tag": name })));
const compare = () => {
  if (state.recording?.example) guessed.add(state.recording.example);
  set({ covered: false, guess: { ...(state.guess ?? emptyGuess()), isCompared: true } });
  showTab("tags");
};

// ---- what came of it
const names = (/** @type {{name: string, value: number}[]} */ tags) =>
  tags.map(({ name, value }) => `${name} (${percent(value)})`).join(", ");
const probability = (/** @type {Model} */ model, /** @type {string} */ tag) =>
  model.probabilities[model.tags.indexOf(tag)] ?? 0;
const result = (/** @type {string[]} */ chosen, /** @type {Model} */ model, /** @type {number} */ which) => {
  const rows = familyRows(probability), tags = rows.map(({ name, values }) => ({ name, value: values[which] }));
  const { told: first, both, onlyNetwork, onlyGuess, n, of } = compareGuess(chosen, tags);
  const { title } = model, best = rows.find(({ name }) => name === first[0].name)?.best[which] ?? first[0].name;
  const where = h("div", { role: "status" });
  const line = (/** @type {string} */ words, list) =>
    list.length > 0 && h("p", {}, h("strong", {}, words), ` ${names(list)}`);
  return { where, best, model, element: h("section", { class: "mse-guess-result" },
    h("h3", { class: `model-${which}` }, h("i", { "aria-hidden": "true" }), title),
    h("p", {}, t("In common: {n} of {of} tags.", { n, of })), line(t("Both:"), both),
    line(t("Only you:"), onlyGuess), line(t("Only {model}:", { model: title }), onlyNetwork), where) };
};
const listened = (/** @type {Explanation} */ { positive, cannot }, /** @type {string} */ tag, isCurrent) => {
  if (cannot) return [h("p", {}, told(cannot))];
  const [strongest] = positive;
  if (!strongest) return [h("p", {}, t("For {tag} no single place stands out.", { tag }))];
  const play = button({ onclick: () => isCurrent() && playPlace(strongest, strongest.relative) }, t("Play it"));
  return [h("p", {}, t("For {tag} it listened most to {place}.", { tag, place: placeWords(strongest) }), " ", play)];
};
/** Asks each network in turn, since a later question of the same name would take the earlier one's place. */
const askWhere = async (results, status, isCurrent) => {
  /** @type {Event[]} */
  const marks = [];
  say(status, t("Looking where they listened …"), "busy");
  try {
    for (const { model, best, where } of results) {
      const answer = await call("why", { model: model.name, tag: best, window: state.window }, { parallel: true });
      if (!isCurrent()) return;
      marks.push(...answer.positive.slice(0, 1));
      fill(where, ...listened(answer, best, isCurrent));
      player.mark(marks.map((mark) => ({ ...mark, sign: mark.relative })));
    }
    say(status, "");
  } catch (error) {
    if (isCurrent() && !isSuperseded(error)) say(status, error.message, "error");
  }
};

// ---- the panel
const another = (kind = "") => button({ class: `mse-button ${kind}`, onclick: () => beginGuess() }, t("Another clip"));
const chooseFile = () => button({ onclick: () => document.getElementById("mse-file")?.click() }, t("Choose a file"));
const parts = { label: TITLE, endWords: t("End guessing"), end };

const drawAsking = (/** @type {Guess} */ { chosen }) => {
  const title = state.recording ? `${TITLE}: ${state.recording.name}` : TITLE, silent = state.recording?.silent;
  const ready = button({ class: "mse-button primary", disabled: chosen.length === 0 || silent, onclick: compare },
    t("Compare"));
  const body = document.querySelector(".mse-lesson-body"), top = body?.scrollTop ?? 0;
  showPanel({ ...parts, title, body: [h("p", {}, silent ? SILENT : ASK), !silent && chips(chosen),
    h("p", { class: "mse-facts" }, OWN, " ", chooseFile())],
    foot: [h("span", { class: "mse-facts" }, t("{n} chosen", { n: chosen.length })), another(), ready] });
  const now = document.querySelector(".mse-lesson-body");
  if (now) now.scrollTop = top;
};
const drawResults = (/** @type {Guess} */ guess) => {
  const status = statusLine(), isCurrent = () => state.guess === guess;
  const results = state.models.map((model, which) => result(guess.chosen, model, which));
  showPanel({ ...parts, title: `${TITLE}: ${state.recording?.name}`, body: [
    h("p", {}, h("strong", {}, t("Your guess:")), ` ${guess.chosen.join(", ")}`), warnUntrained(state.models),
    results.map(({ element }) => element), status,
    h("p", { class: "mse-facts" }, t("Of a network, tags of at least {n} % are told. Neither you nor it is the truth: "
      + "listeners differ, too.", { n: 100 * TOLD }))], foot: [another("primary")] });
  askWhere(results, status, isCurrent);
};

/** @type {Guess | null} */
let drawn = null;
export const drawGuess = () => {
  const { guess } = state;
  if (guess === drawn) return;
  drawn = guess;
  if (guess?.isCompared) drawResults(guess);
  else if (guess) drawAsking(guess);
  else if (!state.lesson) hidePanel();
};
