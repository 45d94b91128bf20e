// The address bar holds what is seen, so that a link shows it to another: example, models, tag, model, window, tab,
// and the choices made within the tabs.
// A visitor's own recording is never in it.

import { restoreChoices, shownChoices } from "./choices.js";
import { openSecondExample } from "./compare.js";
import { beginLesson } from "./lessons.js";
import { showTab } from "./navigation.js";
import { openExample } from "./open.js";
import { modelOf, offered, set, state } from "./state.js";

const wanted = new URLSearchParams(location.search);

/** Writes what is seen into the address, without a step in the browser's history. */
export const writeAddress = () => {
  const { recording, second, lesson, tag, model, window, tab, models } = state;
  if (!recording) return;
  const address = new URL(location.href), { searchParams: search } = address;
  const kept = {
    example: recording.example, second: second?.recording.example, lesson: lesson?.id, step: lesson?.step,
    tag, model: tag && model, window, tab: tab === "tags" ? null : tab,
    models: offered.models.length > 2 ? models.map(({ name }) => name).join(",") : null, ...shownChoices(),
  };
  for (const [key, value] of Object.entries(kept)) {
    if (value) search.set(key, String(value));
    else search.delete(key);
  }
  if (address.href === location.href) return;
  history.replaceState(null, "", address);
  if (recording.example) tellParent(address);
};
/** A Space shows its page in a frame, and writes what it is told here into its own address. */
const tellParent = (/** @type {URL} */ { search, hash }) =>
  window.parent !== window && window.parent.postMessage({ queryString: search, hash }, "*");

//: Until a control has told its view what was chosen, milliseconds.
const SETTLED_MS = 300;
["click", "change"].forEach((kind) => addEventListener(kind, () => setTimeout(writeAddress, SETTLED_MS)));

/** What the address asked for is done once, after the example it names has been opened. */
const applyView = () => {
  const model = state.models.find(({ name }) => name === wanted.get("model")) ?? modelOf();
  const window = Number(wanted.get("window")) || 0, tag = wanted.get("tag"), tab = wanted.get("tab");
  const known = tag !== null && model.tags.includes(tag);
  set({ model: model.name, tag: known ? tag : null, window: state.windows[window] ? window : 0 });
  restoreChoices(wanted);
  if (tab) showTab(tab);
};
export const followAddress = async () => {
  const lesson = wanted.get("lesson"), example = wanted.get("example"), second = wanted.get("second");
  if (lesson) return beginLesson(lesson, wanted.get("step"));
  if (!example) return;
  await openExample(example, (wanted.get("models") ?? "").split(",").filter(Boolean));
  if (!state.recording) return;
  applyView();
  if (second) openSecondExample(second);
};
