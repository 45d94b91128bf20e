// The smallest cut that loses a tag: searched for by the server, shown on the player, and added to the edits.

import { button, fill, h, part } from "./dom.js";
import { addEdit } from "./edit_chain.js";
import { player } from "./main_player.js";
import { call, isSuperseded } from "./rpc.js";
import { likeliestTag, modelOf, state } from "./state.js";
import { WORDS } from "./what_if_words.js";
import { newToken, working } from "./working.js";

const words = h("p", { class: "mse-facts" }), place = part("cut");
let shown = "";

const question = () => ({ model: modelOf().name, tag: state.tag ?? likeliestTag(modelOf()), window: state.window });
const key = () => JSON.stringify([state.recording?.url, question()]);

const find = async () => {
  const asked = key(), token = newToken();
  const progress = (/** @type {number | null} */ share) =>
    asked === key() && fill(place, working(share, token, "what-if-cut"));
  progress(null);
  try {
    const { cut } = await call("what-if-cut", { ...question(), token }, { progress });
    if (asked === key()) show(cut);
  } catch (error) {
    if (asked !== key() || isSuperseded(error)) return;
    fill(place, h("p", { class: "mse-status error" }, error.message), again());
  }
};
const again = () => button({ onclick: find }, WORDS.find(question().tag));
const show = (cut) => {
  if (!cut) return fill(place, h("p", {}, WORDS.kept(question().tag)));
  player.mark(cut.boxes.map((box) => ({ ...box, sign: -1 })));
  return fill(place, h("p", {}, WORDS.lost(cut), !cut.edit && WORDS.tooMany),
    cut.edit && button({ onclick: () => addEdit(cut.edit) }, WORDS.addCut));
};

/** What could be searched for now; what was found of another tag, window or recording goes. */
export const offerCut = () => {
  if (shown === key()) return;
  shown = key();
  words.textContent = WORDS.cutWords(question().tag, modelOf().title);
  fill(place, again());
};
export const cutView = () => h("section", {}, h("h3", {}, WORDS.cut), words, place);
