// Why a tag: waterfall over the scales, the evidence, one strip of saliency a scale, sound, and a check.

import { offer, offerModels, onChoice, onModel } from "./controls.js";
import { fill, h, isVisible, part, say, statusLine, warnUntrained } from "./dom.js";
import { evidenceList } from "./evidence.js";
import { offerCheck, place as checkPlace } from "./faithfulness_check.js";
import { figureTools } from "./figure_tools.js";
import { offerFlights } from "./flight.js";
import { clock, percent } from "./format.js";
import { withTerms } from "./glossary.js";
import { t, told } from "./language.js";
import { player } from "./main_player.js";
import { read } from "./pictures.js";
import { call, isSuperseded } from "./rpc.js";
import { likeliestTag, modelOf, offered, set, state, when, windowOf } from "./state.js";
import { drawSounds, playSound, status as soundStatus } from "./sonification.js";
import { drawStrips, paintMaps, parts as stripParts } from "./strips.js";
import { sentence, waterfall } from "./waterfall.js";
import { FIRST, methodOf, methodsOf, question, view, why, whyKey } from "./why_state.js";
import { newToken, working } from "./working.js";

const windowWords = h("span", { class: "mse-facts" }), warning = part("why-warning"), status = statusLine();
const words = h("p", { class: "mse-sentence" }), exact = part("why-exact");
const mapsTitle = h("h3", {}, t("Where each scale looks"));
const methodPlace = h("div", { class: "mse-toolbar" }), progressPlace = part("why-progress");

// ---- asking
const ask = async () => {
  const asked = (why.shown = whyKey());
  why.failed = "";
  why.sounds.clear();
  why.maps = why.answer = null;
  if (player.sound.original) player.sound.use(player.sound.original);
  view.sound = "original";
  say(status, t("Looking …"));
  try {
    const answer = call("why", question()), maps = askMaps();
    why.answer = await answer;
    if (asked !== whyKey()) return;
    say(status, "");
    drawExact();
    if (why.answer?.evidence_follows) await addEvidence();
    await maps;
  } catch (error) {
    if (asked !== whyKey() || isSuperseded(error)) return;
    say(status, error.message);
    why.shown = "";
    why.failed = asked;
  }
};
/** Where the events take as long as the maps, they come after what is exact. */
const addEvidence = async () => {
  const asked = whyKey(), found = await call("events", question());
  if (asked !== whyKey() || !why.answer) return;
  Object.assign(why.answer, found, { evidence_follows: false });
  drawExact();
};
const askMaps = async () => {
  const asked = whyKey(), token = newToken();
  const progress = (share) => fill(progressPlace, working(share, token, "maps"));
  fill(progressPlace);   // what an earlier question failed with is no longer so
  const waiting = setTimeout(() => progress(null), 400);
  offerCheck();
  try {
    const { baseline } = view, { name: method } = methodOf(view.method);
    const result = await call("maps", { ...question(), method, baseline, token }, { progress });
    const pictures = await Promise.all(result.maps.map(({ picture }) => read(picture)));
    if (asked !== whyKey()) return;
    why.maps = { ...result, pictures, read: [] };
    paintMaps();
    drawStrips();
    fill(progressPlace);
  } catch (error) {
    if (asked === whyKey() && !isSuperseded(error)) keepMaps(error);
  } finally {
    clearTimeout(waiting);
  }
};
/** Says why there are no new maps, and chooses again what is still shown. */
const keepMaps = (/** @type {Error} */ error) => {
  fill(progressPlace, h("p", { class: "mse-status" }, error.message));
  if (!why.maps) return;
  Object.assign(view, { method: why.maps.method, baseline: why.maps.baseline ?? view.baseline });
  offerMethods();
};

/** Asks anew where something else is asked about than what is shown; a tab that nobody sees asks nothing. */
export const updateWhy = () => {
  offerQuestion();
  if (!state.recording || !isVisible(words)) return;
  if (!state.tag) set({ tag: likeliestTag(modelOf()) });
  else if (whyKey() !== why.shown) ask();
};

// ---- what is asked
const offerQuestion = () => {
  if (!state.recording) return;
  const model = modelOf(), said = model.timeline[windowOf(model)];   // of the window that is explained below
  const order = model.tags.map((name, k) => ({ name, p: said[k] }));
  const tags = order.sort((a, b) => b.p - a.p).map(({ name, p }) => [`${name}  ${percent(p)}`, name]);
  const [start, end] = state.windows[state.window].map((time) => clock(time, 0));
  const n = state.windows.length;
  offer("tag", { choices: /** @type {[string, string][]} */ (tags), value: state.tag });
  offerModels("why-model");
  windowWords.textContent = n > 1
    ? t("window {w} of {n}, {start} to {end}", { w: state.window + 1, n, start, end }) : "";
};
onChoice("tag", (tag) => set({ tag }));
onModel("why-model");
const drawExact = () => {
  if (!why.answer) return;
  fill(warning, warnUntrained([modelOf()]));
  const mapped = why.answer.cannot ? t("Where the network looks") : t("Where each scale looks");
  mapsTitle.replaceChildren(...withTerms(mapped));
  fill(words, withTerms(sentence(why.answer, modelOf().title, state.tag)));
  fill(exact, ...(why.answer.cannot ? [] : [waterfall(why.answer), evidenceList(why.answer)]));
  offerMethods();
  drawStrips();
  drawSounds();
  offerFlights();
};

// ---- which maps
const change = (patch) => {
  Object.assign(view, patch);
  offerMethods();
  askMaps();
};
onChoice("method", (method) => change({ method }));
onChoice("baseline", (baseline) => change({ baseline }));
onChoice("marks", (marks) => {
  view.marks = marks;
  drawStrips();
});
onChoice("shared", (shared) => {
  view.shared = shared;
  paintMaps();
  drawStrips();
});
const measured = (/** @type {string} */ method) => why.answer?.measured[method];
/** What was measured of the method: a warning where it is no better than an order that knows nothing of the network. */
const verdict = () => {
  const found = measured(methodOf(view.method).name);
  return found && h("p", { class: `mse-verdict${found.faithful === false ? " failed" : ""}` }, told(found.sentence));
};
const offerMethods = () => {
  const method = methodOf(view.method);
  const choices = methodsOf().map(({ name, title }) =>
    [measured(name)?.faithful === false ? t("{method}: not faithful", { method: t(title) }) : t(title), name]);
  offer("method", { choices: /** @type {[string, string][]} */ (choices), value: method.name });
  const baselines = offered.explanation.baselines.map(({ name, title }) => [t(title), name]);
  offer("baseline", { choices: /** @type {[string, string][]} */ (baselines), value: view.baseline,
    visible: method.needs_baseline });
  offer("marks", { value: view.marks, visible: !why.answer?.cannot });
  offer("shared", { value: view.shared, visible: (why.answer?.scales.length ?? 0) > 1 });
  fill(methodPlace, h("span", { class: "mse-facts" }, withTerms(t(method.words))),
    h("span", { class: "mse-scalebar", "aria-hidden": "true" }, t("against"), h("i"), t("in favour")), verdict());
};

// ---- putting it together
export const mountWhy = (/** @type {HTMLElement} */ place) => {
  offerMethods();
  place.append(warning, status, words, exact, figureTools(() => exact, () => t("Why {tag}", state)), mapsTitle);
  new ResizeObserver(() => {   // also when its tab is opened
    updateWhy();
    drawStrips();
  }).observe(place);
  new MutationObserver(drawStrips).observe(document.body, { attributes: true, attributeFilter: ["class"] });
};

export const whyMounts = {
  "why-window": windowWords, "why-method": methodPlace, "why-check": checkPlace,
  "why-maps": [soundStatus, progressPlace, ...stripParts,
    figureTools(() => stripParts[0], () => t("Where each scale looks: {tag}", state))],
};

let shows = 0;
/** What a lesson asks to see and to hear. Of two that wait, the later counts. */
export const showWhy = async ({ method = FIRST.method, listen = "original" }) => {
  const serial = ++shows, hasFailed = () => why.failed === whyKey();
  if (method !== view.method) {
    view.method = method;
    offerMethods();
    if (why.answer) askMaps();
  }
  if (hasFailed()) updateWhy();
  await when(() => serial !== shows || hasFailed() || (why.answer && why.shown === whyKey()));
  if (serial === shows && why.answer && view.sound !== listen) playSound(listen);
};
