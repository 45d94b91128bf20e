// What the page shows now, as the questions of lessons and "Guess first" ask for it.

import { answerToEdits, chain } from "./edit_chain.js";
import { keyOf } from "./lesson_keys.js";
import { player } from "./main_player.js";
import { network, networkKey, view as networkView } from "./network_state.js";
import { modelOf, offered, state } from "./state.js";
import { tagsView } from "./tags.js";
import { methodOf, view as whyView, why, whyKey } from "./why_state.js";

/** @import { PageFacts } from "./types.d.ts" */

/** The explanation that is shown, with its maps and their check. */
const explained = () => {
  const answer = why.shown === whyKey() ? why.answer : null, method = methodOf(whyView.method).name;
  const maps = answer && why.maps?.method === method ? why.maps : null;
  return { why: answer, maps, curves: answer && why.curves, method, heard: whyView.sound };
};
/** The network that is taken apart, with its switches. */
const apart = () => {
  const answer = state.models.length && network.shown === networkKey() ? network.answer : null;
  return { network: answer, kept: answer ? network.kept : [], sanity: answer && network.sanity,
    level: networkView.level, channel: networkView.channel };
};
const opened = () => ({ models: state.models, model: state.models.length ? modelOf().name : null, mel: state.mel,
  families: state.families, example: state.recording?.example ?? null });

/** What answers an earlier question is left out. @returns {PageFacts} */
export const pageFacts = () => ({
  ...opened(), ...explained(), ...apart(), edits: answerToEdits(), chain: chain.edits, sort: tagsView.sort,
  now: { playing: !player.audio.paused, seconds: player.now(), window_s: player.windowSpan[0] },
});

/** The right answer to the open step as the page is now; null where there is none yet. */
export const lessonKey = () => {
  const { lesson } = state, step = offered.lessons.find(({ id }) => id === lesson?.id)?.steps[lesson?.step ?? 0];
  return step ? keyOf(step.ask, pageFacts()) : null;
};
