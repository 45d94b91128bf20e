// Take it apart: Figure 1 with this clip's activations, a switch on each connection to the classifier, every channel.

import { offer, offerModels, onChoice, onModel } from "./controls.js";
import { fill, h, isVisible, part, say, statusLine, warnUntrained } from "./dom.js";
import { figureTools } from "./figure_tools.js";
import { t } from "./language.js";
import { parts as channelParts, openChannel, openLevel } from "./network_channels.js";
import { drawFigure, place as figurePlace } from "./network_figure.js";
import { drawNumbers, parts as numberParts } from "./network_numbers.js";
import { drawSanity, place as sanityPlace } from "./network_sanity.js";
import { network, networkKey, question, view } from "./network_state.js";
import { paintMel, read } from "./pictures.js";
import { call, isSuperseded } from "./rpc.js";
import { likeliestTag, modelOf, set, state, when } from "./state.js";

/** @import { Level, Show } from "./types.d.ts" */

const INTRO = t("Above, the convolutions: each level hears more of the sound at once, less sharply. Below, the skip "
  + "path: of each channel, the one strongest cell goes straight to the classifier. Choose a level to see its "
  + "channels.");
const RANDOM = t("Random weights: these numbers mean nothing about the music. Whatever still looks like an explanation "
  + "here is not one.");

const warning = part("network-warning"), status = statusLine();
const intro = h("p", { class: "mse-facts mse-network-intro" });
/** @type {HTMLElement} */
let place;

// ---- asking
const ask = async () => {
  const asked = (network.shown = networkKey());
  network.failed = "";
  say(status, t("Looking …"));
  try {
    const answer = await call("network", question());
    const paintLevel = async (/** @type {Level} */ level) => paintMel(await read(level.picture), [0, 255]);
    const pictures = await Promise.all(answer.levels.map(paintLevel));
    if (asked !== networkKey()) return;
    network.answer = { ...answer, pictures };
    network.kept = answer.scales.map(() => true);
    say(status, "");
    draw();
    if (view.level) openLevel(view.level);
  } catch (error) {
    if (asked !== networkKey() || isSuperseded(error)) return;
    say(status, error.message);
    network.shown = "";
    network.failed = asked;
  }
};
const refresh = () => {
  if (!state.recording || !place || !isVisible(place)) return;
  if (!state.tag) set({ tag: likeliestTag(modelOf()) });
  else if (networkKey() !== network.shown) ask();
  else if (network.answer) drawTagDependent();
};

/** Asks anew where another network, recording or window is shown; another tag changes the numbers alone. */
export const updateNetwork = () => {
  if (network.answer && networkKey() !== network.shown) {
    network.answer = null;
    view.channel = null;
  }
  refresh();
  if (view.level && network.answer) openLevel(view.level);
};

// ---- what is seen
onChoice("random", (random) => {
  view.random = random;
  refresh();
});
onModel("network-model");
const offerNetworks = () => {
  offerModels("network-model");
  offer("random", { value: view.random });
};
const drawTagDependent = () => {
  offerNetworks();
  drawNumbers();
};
const draw = () => {
  place.classList.toggle("random", view.random);
  intro.textContent = INTRO;
  fill(warning, view.random ? h("p", { class: "mse-warning" }, RANDOM) : warnUntrained([modelOf()]));
  drawFigure(openLevel, drawNumbers);
  drawTagDependent();
  drawSanity();
};

export const mountNetwork = (/** @type {HTMLElement} */ element) => {
  place = element;
  place.append(warning, status, intro, h("div", { class: "mse-scroll" }, figurePlace),
    figureTools(() => figurePlace, () => t("The network")), ...channelParts);
  new ResizeObserver(refresh).observe(element);   // also when its tab is opened
};

export const networkMounts = { "network-sanity": sanityPlace, "network-numbers": numberParts };

let shows = 0;
/** What a lesson or a link asks to see; `off` are scales switched off. Of two that wait, the later counts. */
export const showNetwork = async (/** @type {NonNullable<Show["network"]>} */ wanted) => {
  const { random = false, off = [], level = null, channel = null } = wanted, serial = ++shows;
  const hasFailed = () => network.failed === networkKey();
  view.random = random;
  if (networkKey() !== network.shown) network.answer = null;   // of the other weights: its switches are not these
  refresh();
  await when(() => serial !== shows || hasFailed() || (network.answer && network.shown === networkKey()));
  if (serial !== shows || hasFailed() || !network.answer) return;
  network.kept = network.answer.scales.map((scale) => !off.includes(scale));
  draw();
  await openLevel(level);
  if (level && channel !== null) openChannel(level, channel);
};
