// The question of a step: what it waits for, the ways to answer, and what the page says to an answer.

import { button, fill, h, say, statusLine, toggle } from "./dom.js";
import { t } from "./language.js";
import { pageFacts } from "./lesson_facts.js";
import { isDone, isRight, keyOf, optionsOf } from "./lesson_keys.js";
import { keepTry, triedAt } from "./lesson_progress.js";
import { givenWords, keyWords, numberOf, optionWords } from "./lesson_words.js";
import { player } from "./main_player.js";
import { state, when } from "./state.js";

/** @import { Ask, Key, Step } from "./types.d.ts" */
/** @import { Tried } from "./lesson_progress.js" */
/** @typedef {string | number} Given */
/** @typedef {{ask: Ask, words: string, given: Given | undefined, take: (given: Given) => void}} Field */

//: How long the page may take to show what a question asks about, milliseconds.
const PATIENCE_MS = 180_000;

// ---- ways to answer
const choices = (/** @type {Field} */ { ask, words, given, take }) => h("div",
  { class: "mse-segment", role: "group", "aria-label": words }, optionsOf(ask, pageFacts()).map(({ name }) =>
    toggle(optionWords(ask, name), name === given, () => take(name), { "data-option": name })));
const numberForm = (/** @type {Field} */ { ask, words, given, take }) => {
  const input = h("input", { type: "text", inputmode: "decimal", autocomplete: "off", "aria-label": words,
    value: given ?? "", size: 7, oninput: () => input.setCustomValidity("") });
  const send = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const value = numberOf(input.value);
    input.setCustomValidity(Number.isFinite(value) ? "" : t("Write a number."));
    if (input.reportValidity()) take(value);
  };
  return h("form", { class: "mse-toolbar", onsubmit: send }, h("label", {}, input, " ", t(ask.unit ?? "")),
    h("button", { class: "mse-button" }, t("Check")));
};
const control = (/** @type {Field} */ field) => {
  const { ask: { kind }, take } = field;
  if (kind === "number") return numberForm(field);
  if (kind !== "choose-seconds") return choices(field);
  return button({ onclick: () => take(Number(player.now().toFixed(2))) }, t("Take the player's place"));
};

// ---- what the page says to an answer
const verdictWords = (/** @type {Step} */ { ask, predict }, /** @type {Tried} */ { given, right }) => {
  const answer = t("Your answer: {given}.", { given: givenWords(ask, given) });
  if (right) return `${answer} ${t("Yes.")}`;
  return `${answer} ${predict ? t("Not quite.") : t("Not yet. Try again, or open the model answer.")}`;
};
const verdict = (/** @type {Step} */ step, /** @type {Tried} */ tried, /** @type {Key | null} */ key) => {
  const { ask, model, predict } = step, kind = tried.right ? "mse-check-right" : "mse-check-wrong";
  const words = key ? t(model, { key: keyWords(ask, key) }) : "";
  const answer = words && h("p", { class: "mse-model-answer" }, `${words[0].toUpperCase()}${words.slice(1)}`);
  const isOpen = tried.right || predict, folded = () =>
    h("details", { class: "mse-lesson-hint" }, h("summary", {}, t("Model answer")), answer);
  return [h("p", { class: kind }, verdictWords(step, tried)), answer && (isOpen ? answer : folded())];
};

/** What is asked at a step, and what came of it. */
export class Question {
  task = h("p", { class: "mse-lesson-task", role: "status" });
  form = h("fieldset", { class: "mse-check" });
  said = h("div", { class: "mse-verdict-place", role: "status" });
  status = statusLine();

  /**
   * @param {{id: string, step: number, at: Step, isCurrent: () => boolean, reveal: () => Promise<unknown>,
   *   answered: () => void}} asked `reveal` shows what was kept back; `answered` is told of every answer
   */
  constructor(asked) {
    this.asked = asked;
    this.isFree = !asked.at.do;
    const hint = h("details", { class: "mse-lesson-hint" }, h("summary", {}, t("Hint")), h("p", {}, t(asked.at.hint)));
    this.elements = [asked.at.do && this.task, this.form, this.status, this.said, hint];
  }

  get tried() { return triedAt(this.asked.id, this.asked.step); }
  get key() { return keyOf(this.asked.at.ask, pageFacts()); }

  /** Draws, and waits for what the step waits for. */
  async begin() {
    const { ask, do: act } = this.asked.at;
    this.#drawTask();
    this.#drawForm();
    this.#drawVerdict();
    const isThere = () => ["number", "choose-seconds"].includes(ask.kind) || optionsOf(ask, pageFacts()).length > 0;
    if (!await this.#until(isThere)) return;
    this.#drawForm();
    if (!act || !await this.#until(() => isDone(act, pageFacts()))) return;
    this.isFree = true;
    this.#drawTask();
    this.#drawForm();
  }

  /** Whether it is there while this step is still shown; waits so long. */
  async #until(/** @type {() => unknown} */ there, patience = Infinity) {
    const { isCurrent } = this.asked, until = performance.now() + patience;
    await when(() => !isCurrent() || there() || performance.now() > until);
    return isCurrent();
  }
  async #take(/** @type {Given} */ given) {
    const { id, step, at: { ask }, reveal, answered } = this.asked;
    fill(this.said);
    say(this.status, t("Looking …"), "busy");
    if (state.covered) await reveal();
    if (!await this.#until(() => this.key, PATIENCE_MS)) return;
    const { key } = this;
    if (!key) {
      say(this.status, t("The page does not show what this question asks about. Choose “Show again”."), "error");
      return;
    }
    say(this.status, "");
    keepTry(id, step, { given, words: givenWords(ask, given), right: isRight(key, given) });
    this.#drawForm();
    await this.#drawVerdict();
    answered();
  }

  #drawTask() {
    const { do: act } = this.asked.at;
    if (!act) return;
    this.task.classList.toggle("done", this.isFree);
    this.task.replaceChildren(h("span", { "aria-hidden": "true" }, this.isFree ? "☑ " : "☐ "), t(act.words),
      h("span", { class: "mse-sr" }, this.isFree ? t(" Done.") : ""));
  }
  #drawForm() {
    const { ask, question, predict } = this.asked.at, words = t(question);
    this.form.disabled = !this.isFree || Boolean(predict && !state.covered);
    fill(this.form, h("p", { class: "mse-lesson-question" }, words),
      control({ ask, words, given: this.tried?.given, take: (given) => this.#take(given) }));
  }
  async #drawVerdict() {
    const { tried } = this;
    if (!tried || state.covered || !await this.#until(() => this.key, PATIENCE_MS)) return;
    fill(this.said, ...verdict(this.asked.at, tried, this.key));
  }
}
