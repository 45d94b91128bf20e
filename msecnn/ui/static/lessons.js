// Lessons: a panel that stays while its steps drive the page, and the worksheet that a student takes away.

import { offer, onChoice } from "./controls.js";
import { button, download, fill, h, say, statusLine } from "./dom.js";
import { answerOf, answeredSteps, answersOf, forgetAnswers, keepAnswer } from "./answers.js";
import { editsText } from "./edit_chain.js";
import { t } from "./language.js";
import { stepHelp } from "./lesson_help.js";
import { player } from "./main_player.js";
import { showTab } from "./navigation.js";
import { settings as networkSettings } from "./network_state.js";
import { showNetwork } from "./network.js";
import { openExample } from "./open.js";
import { call, isSuperseded } from "./rpc.js";
import { likeliestTag, modelOf, offered, set, state } from "./state.js";
import { showWhy } from "./why.js";
import { settings as whySettings } from "./why_state.js";

/** @import { Lesson, Show } from "./types.d.ts" */

const { lessons: LESSONS, lesson_models: MODELS } = offered;
//: What a step may ask to look at.
const LOOKS = {
  player: ".mse-stage", tags: ".mse-tags", exact: ".mse-why-exact", listen: "#why-listen",
  strips: ".mse-strip-stack", check: ".mse-why-check", figure: ".mse-figure", channels: ".mse-network-channels",
  channel: ".mse-network-channel", bars: ".mse-network-bars", table: ".mse-network-table",
  sanity: ".mse-network-sanity",
};
const INTRO = t("{n} short lessons that drive this page. They use the bundled examples, so everybody sees the same "
  + "figures.", { n: LESSONS.length });
const WORKSHEET = t("One page to keep or to hand in: the clip, its tags, what each scale adds, the maps, the settings, "
  + "and in a lesson its questions with your answers. It opens without this page and without the internet.");

const panel = h("div"), list = h("div");
const lessonOf = (/** @type {string | undefined} */ id) => LESSONS.find((lesson) => lesson.id === id);

// ---- driving the page
const isOpen = (example) => state.recording?.example === example;
let shows = 0;
const openFor = async (/** @type {string} */ example) => {
  const tagged = MODELS.every((name) => state.models.some((shown) => shown.name === name));
  if (!isOpen(example) || !tagged) await openExample(example, MODELS);
};
/** A step that is shown while an earlier one still waits for its answer takes its place. */
const show = async (/** @type {Show} */ step) => {
  const serial = ++shows, { example, model, tag, tab, seek } = step;
  await openFor(example);
  if (!isOpen(example) || serial !== shows) return;   // the page has said why
  set({ window: 0, ...(model ? { model, tag: tag ?? null } : {}) });
  await showTab(tab);
  if (serial !== shows) return;
  if (seek !== undefined) player.seek(seek);
  if (tab === "why") await showWhy(step.why ?? {});
  if (tab === "network") await showNetwork(step.network ?? {});
  if (serial === shows) bringIntoView(LOOKS[step.look]);
};
/** What a step is about, just below the player. */
const bringIntoView = (/** @type {string} */ subject) => {
  const isStill = matchMedia("(prefers-reduced-motion: reduce)").matches;
  document.querySelector(subject)?.scrollIntoView({ block: "start", behavior: isStill ? "auto" : "smooth" });
};

export const beginLesson = (/** @type {string} */ id, /** @type {number | string | null} */ step = 0) => {
  const lesson = lessonOf(id);
  if (!lesson) return;
  const at = Math.max(0, Math.min(lesson.steps.length - 1, Number(step) || 0));
  set({ lesson: { id, step: at } });
  return show(lesson.steps[at].show);
};
const end = () => {
  set({ lesson: null });
  showTab("lessons");
};

// ---- the panel
const answerField = (/** @type {string} */ id, /** @type {number} */ step) => {
  const field = h("textarea", { rows: 4, "aria-label": t("Your answer"),
    placeholder: t("Your answer, kept in this browser"),
    oninput: () => keepAnswer(id, step, field.value) });
  field.value = answerOf(id, step);
  return field;
};
const drawPanel = () => {
  document.body.classList.toggle("mse-teaching", Boolean(state.lesson));
  const lesson = lessonOf(state.lesson?.id);
  fill(panel, state.lesson && lesson && stepPanel(lesson, state.lesson.step));
};
const stepPanel = (/** @type {Lesson} */ { id, title, steps }, /** @type {number} */ step) => {
  const { text, question, show: shown } = steps[step], status = statusLine("span");
  const last = step === steps.length - 1, finish = () => save(status);
  const goOn = last ? finish : () => beginLesson(id, step + 1), finishWords = t("Worksheet");
  return h("aside", { class: "mse-lesson-panel", "aria-label": t("Lesson") },
    h("div", { class: "mse-lesson-head" }, h("strong", {}, t(title)),
      button({ class: "mse-quiet", "aria-label": t("End the lesson"), onclick: end }, "×")),
    h("div", { class: "mse-lesson-body", tabindex: -1 }, h("p", {}, t(text)),
      h("p", { class: "mse-lesson-question" }, t(question)), stepHelp(steps[step]),
      answerField(id, step), last && nextLesson(id)),
    h("div", { class: "mse-lesson-foot" },
      button({ disabled: step === 0, onclick: () => beginLesson(id, step - 1) }, t("Back")),
      h("span", { class: "mse-facts" }, t("{n} of {of}", { n: step + 1, of: steps.length })),
      button({ onclick: () => show(shown) }, t("Show again")),
      button({ class: "mse-button primary", onclick: goOn }, last ? finishWords : t("Next"))),
    status);
};

const nextLesson = (/** @type {string} */ id) => {
  const next = LESSONS[LESSONS.findIndex((lesson) => lesson.id === id) + 1];
  return next && button({ onclick: () => beginLesson(next.id) }, t("Next lesson: {title}", { title: t(next.title) }));
};

// ---- the worksheet: of what the page shows now
const save = async (/** @type {HTMLElement} */ status) => {
  const lesson = lessonOf(state.lesson?.id), model = modelOf(), tag = state.tag ?? likeliestTag(model);
  const title = lesson ? t(lesson.title) : `${state.recording?.name} ${tag}`;
  say(status, t("Printing …"), "busy");
  try {
    const { file } = await call("worksheet", { model: model.name, tag, window: state.window, ...whySettings(),
      ...networkSettings(), edits: editsText(), lesson: lesson?.id ?? null, language: offered.language,
      answers: lesson ? answersOf(lesson.id) : [] });
    download(file.url, `${title} ${t("worksheet")}.html`);
    say(status, "");
  } catch (error) {
    if (!isSuperseded(error)) say(status, error.message, "error");
  }
};

// ---- the tab
const worksheetStatus = statusLine();
onChoice("worksheet", () => save(worksheetStatus));
onChoice("forget", () => {
  forgetAnswers();
  drawLessons();
});
const drawList = () => {
  fill(list, h("p", { class: "mse-sentence" }, INTRO),
    h("ol", { class: "mse-lesson-list" }, LESSONS.map(card)),
    h("h3", {}, t("Worksheet")), h("p", { class: "mse-facts" }, WORKSHEET));
  offer("forget", { visible: LESSONS.some(({ id }) => answeredSteps(id) > 0) });
};
const card = (/** @type {Lesson} */ { id, title, aim, steps }, i) => {
  const done = answeredSteps(id), chosen = state.lesson?.id === id ? " chosen" : "";
  const progress = done ? t("{n} of {of} answered", { n: done, of: steps.length })
    : t("{n} steps", { n: steps.length });
  return h("li", {}, button({ class: `mse-lesson-card${chosen}`, "data-lesson": id, onclick: () => beginLesson(id) },
    h("em", {}, i + 1), h("span", {}, h("strong", {}, t(title)), h("span", {}, t(aim))), h("small", {}, progress)));
};

export const drawLessons = () => {
  drawPanel();
  drawList();
};
export const lessonPanel = panel;
export const lessonMounts = { lessons: list, "worksheet-status": worksheetStatus };
