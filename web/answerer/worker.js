// Answers the page's questions as the server does, by name; what needs the full app is refused with its command.

import { drawCurve } from "./curves.js";
import { saveAll } from "./export.js";
import { end, hear } from "./live.js";
import { load } from "./networks.js";
import { giveMoment, showChannel, showChannels, takeApart } from "./network.js";
import { open, opened, showWindow } from "./open.js";
import { showEvidence, showMaps } from "./saliency.js";
import { sonify } from "./sonify.js";
import { splitAnswer } from "./split.js";
import { showTimeline } from "./timeline.js";
import { wavAddress } from "./wav.js";
import { editWindow } from "./what_if.js";
import { explain, winningCells } from "./why.js";
import { tellWorksheet } from "./worksheet.js";

/** @import { Context } from "./types.d.ts" */

const giveSound = (/** @type {Context} */ context, _request, /** @type {string} */ slot) => {
  const { sound: { waveform } } = opened(context, slot);
  return { sound: { url: wavAddress(waveform, context.knowledge.front_end.sample_rate) } };
};

/**
 * What a question's name leads to, and the recording that it is about.
 * @type {Record<string, [(context: Context, request: any, slot: string) => unknown, string]>}
 */
const ANSWERS = {
  open: [open, "first"], window: [showWindow, "first"], sound: [giveSound, "first"], split: [splitAnswer, "first"],
  second: [open, "second"], "second-window": [showWindow, "second"], "second-sound": [giveSound, "second"],
  "second-split": [splitAnswer, "second"], "example-pictures": [({ knowledge: { pictures } }) => ({ pictures }), ""],
  calibration: [({ knowledge: { calibration } }) => ({ figure: calibration }), ""], timeline: [showTimeline, "first"],
  why: [explain, "first"], "winning-cells": [winningCells, "first"], network: [takeApart, "first"],
  channels: [showChannels, "first"], channel: [showChannel, "first"], moment: [giveMoment, ""],
  "what-if": [editWindow, "first"], maps: [showMaps, "first"], events: [showEvidence, "first"],
  sonify: [sonify, "first"], export: [saveAll, "first"], worksheet: [tellWorksheet, "first"],
  "what-if-curve": [drawCurve, "first"], live: [hear, ""], "live-end": [end, ""],
};

/** @type {Set<string>} Tokens of what is to be stopped. */
const stopped = new Set();
/** @type {Map<string, string>} By a question's name the last request: nobody waits for an earlier one. */
const newest = new Map();
const isOld = (/** @type {any} */ { question, latest, id }) => latest && newest.get(question) !== id;
const progress = (/** @type {any} */ { id }, /** @type {number} */ share) =>
  postMessage({ request: id, progress: share });
/** Tells how far long work is, and lets the word that it is to stop come in. */
const step = async (/** @type {any} */ request, /** @type {number} */ share) => {
  progress(request, share);
  await new Promise((resolve) => setTimeout(resolve));
  if (stopped.delete(request.token) || isOld(request)) throw new Error("Stopped.");
};

/** @type {Promise<Context>} */
const ready = load().then((loaded) => ({ ...loaded, slots: {}, progress, step }));

const answer = async (/** @type {string} */ name, /** @type {any} */ request) => {
  try {
    const context = await ready, { refused } = context.knowledge, [handler, slot] = ANSWERS[name] ?? [];
    if (isOld(request)) throw new Error("Stopped.");
    if (!handler || slot === undefined) throw new Error(refused[name] ?? refused.other);
    return { request: request.id, ...Object(await handler(context, request, slot)) };
  } catch (error) {
    return { request: request.id, error: error.message };
  }
};

// One after the other: the graph runs one window at a time.
let last = Promise.resolve();
self.onmessage = ({ data: { name, request } }) => {
  if (name === "stop") {
    stopped.add(request.token);
    postMessage({ request: request.id });
    return;
  }
  newest.set(name, request.id);
  last = last.then(async () => postMessage(await answer(name, { ...request, question: name })));
};
