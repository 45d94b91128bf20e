// The address bar holds what is seen, so that a link shows it to others: example, models, tag, model, window, tab,
// and the choices made within the tabs.
// An own recording is never in it; the history keeps how the server opens it again, for Back and for a reload.

import { restoreChoices, shownChoices } from "./choices.js";
import { openSecondExample } from "./compare.js";
import { t } from "./language.js";
import { beginGuess, beginLesson } from "./lessons.js";
import { showTab } from "./navigation.js";
import { openExample, openRecording, tell } from "./open.js";
import { modelOf, offered, set, state } from "./state.js";

//: Of these a change is a step that Back undoes; in a lesson the lesson's steps are.
const STEPS = ["example", "second", "tab"], LESSON_STEPS = ["lesson", "step"];

/** Whether what the address asks for is being opened: until then it stays as it is. */
let following = false, follows = 0;

const shownAddress = () => {
  const { recording, second, lesson, tag, model, window, tab, models } = state;
  const address = new URL(location.href), { searchParams: search } = address;
  const kept = {
    example: recording?.example, guess: state.guess && recording?.example,
    second: second?.recording.example, lesson: lesson?.id, step: lesson?.step,
    tag, model: tag && model, window, tab: tab === "tags" ? null : tab,
    models: offered.models.length > 2 ? models.map(({ name }) => name).join(",") : null, ...shownChoices(),
  };
  for (const [key, value] of Object.entries(kept)) {
    if (value) search.set(key, String(value));
    else search.delete(key);
  }
  return address;
};
const isStep = (/** @type {URL} */ address) => {
  const before = new URLSearchParams(location.search), keys = state.lesson ? LESSON_STEPS : [...STEPS, ...LESSON_STEPS];
  return state.own?.path !== history.state?.own?.path
    || keys.some((key) => before.get(key) !== address.searchParams.get(key));
};
/** @type {(() => void)[]} */
const listeners = [];
/** Calls `listener` when the address tells of another view. */
export const onAddress = (/** @type {() => void} */ listener) => listeners.push(listener);
const write = (/** @type {"pushState" | "replaceState"} */ how, address = shownAddress()) => {
  history[how]({ own: state.own }, "", address);
  if (state.recording?.example) tellParent(address);
  listeners.forEach((listener) => listener());
};

/** Writes what is seen into the address. */
export const writeAddress = () => {
  if (!state.recording || following) return;
  const address = shownAddress();
  if (isStep(address)) write("pushState", address);
  else if (address.href !== location.href) write("replaceState", address);
};
/** A Space shows its page in a frame, and writes what it is told here into its own address. */
const tellParent = (/** @type {URL} */ { search, hash }) =>
  window.parent !== window && window.parent.postMessage({ queryString: search, hash }, "*");

//: Until a control has told its view what was chosen, milliseconds.
const SETTLED_MS = 300;
["click", "change"].forEach((kind) => addEventListener(kind, () => setTimeout(writeAddress, SETTLED_MS)));

// ---- what the address asks for
const named = (/** @type {URLSearchParams} */ wanted) => (wanted.get("models") ?? "").split(",").filter(Boolean);
const areShown = (/** @type {string[]} */ models) =>
  models.length === 0 || models.join() === state.models.map(({ name }) => name).join();

const openFirst = () => offered.examples.length > 0 && openExample(offered.examples[0].id);
/** The visitor's own file, from the server; the sound comes from there too. */
const openOwn = async (/** @type {NonNullable<import("./types.d.ts").State["own"]>} */ own) => {
  await openRecording({ path: own.path, name: own.name }, null, own.name ?? "");
  if (state.own?.path === own.path) return;
  await openFirst();
  tell(t("{name} is no longer on this page: choose it again.", { name: own.name }), "error");
};
const openWanted = async (/** @type {URLSearchParams} */ wanted) => {
  const example = wanted.get("example"), own = history.state?.own, models = named(wanted);
  if (example) {
    if (example !== state.recording?.example || !areShown(models)) await openExample(example, models);
  } else if (own) {
    if (own.path !== state.own?.path) await openOwn(own);
  } else if (!state.recording) await openFirst();
};
const applyView = (/** @type {URLSearchParams} */ wanted) => {
  const model = state.models.find(({ name }) => name === wanted.get("model")) ?? modelOf();
  const window = Number(wanted.get("window")) || 0, tag = wanted.get("tag"), second = wanted.get("second");
  const known = tag !== null && model.tags.includes(tag);
  set({ model: model.name, tag: known ? tag : null, window: state.windows[window] ? window : 0 });
  restoreChoices(wanted);
  showTab(wanted.get("tab") ?? "tags");
  if (second && second !== state.second?.recording.example) openSecondExample(second);
};

/** Shows what the address asks for: a lesson's step, an example, the visitor's own file, or else the first example. */
export const followAddress = async () => {
  const wanted = new URLSearchParams(location.search), lesson = wanted.get("lesson");
  const guess = wanted.get("guess"), serial = ++follows;
  following = true;
  try {
    if (lesson) return await beginLesson(lesson, wanted.get("step"));
    if (guess !== null) return await beginGuess(guess || undefined);
    set({ lesson: null, guess: null });
    await openWanted(wanted);
    if (serial === follows && state.recording) applyView(wanted);
  } finally {
    if (serial === follows) endFollowing();   // otherwise Back was pressed again meanwhile
  }
};
/** What another page's address shows, in place of this one's; the language stays this visitor's. */
export const openLink = (/** @type {string} */ search) => {
  const address = new URL(location.href), language = address.searchParams.get("lang");
  address.search = search;
  if (language) address.searchParams.set("lang", language);
  history.replaceState(null, "", address);
  return followAddress();
};
const endFollowing = () => {
  following = false;
  if (state.recording) write("replaceState");
};
addEventListener("popstate", followAddress);
