// The lecturer's part of the room: it opens it, sends his view, asks, and ends it. He is known by the link he came by.

import { onAddress } from "./address.js";
import { button, fill, h, onOff, say, statusLine } from "./dom.js";
import { plural, t } from "./language.js";
import { player } from "./main_player.js";
import { questionForm } from "./room_ask.js";
import { joinCard, typed } from "./room_link.js";
import { closeProjector, drawProjector, projector, projectorButton } from "./room_projector.js";
import { RoomError, send, watch } from "./room_requests.js";
import { resultsTable } from "./room_results.js";
import { offered, state } from "./state.js";

/** @import { RoomQuestion, RoomView } from "./types.d.ts" */
/** @import { Way } from "./room_link.js" */

const KEPT = "msecnn-lead";
//: Changes that come as quickly as this are sent as one, milliseconds.
const TOGETHER_MS = 150;
//: What belongs to the lecturer's own page, not to what he shows.
const HIS = ["lang", "lesson", "step", "room"];

const ALONE = t("This machine is on no network, so no phone finds it: connect it, and reload this page.");

/** The secret behind the address's #, which the address then holds no longer, so that no copied link has it. */
const takeKey = () => {
  const key = new URLSearchParams(location.hash.slice(1)).get("lead");
  try {
    if (key === null) return sessionStorage.getItem(KEPT) ?? "";
    sessionStorage.setItem(KEPT, key);
  } catch { /* private windows keep nothing: a reload then needs the link */ }
  if (key === null) return "";
  const address = new URL(location.href);
  address.hash = "";
  history.replaceState(history.state, "", address);
  return key;
};
const key = offered.room ? takeKey() : "";
export const isLecturer = key !== "";

/** @type {Way[]} */
let ways = [];
let way = 0, isSending = true, sent = "";
/** @type {any} What the server told last; null while no room is open. */
let room = null;

const panel = h("section", { class: "mse-room-lead", "aria-label": t("Room") });
const joining = h("div"), steering = h("div"), asking = h("div"), status = statusLine(), own = statusLine();
const lead = (/** @type {string} */ what, fields = {}) => send("lead", key, { do: what, ...fields });
/** Does something, and says what went wrong. */
const act = async (/** @type {string} */ what, fields = {}) => {
  try {
    take(await lead(what, fields));
  } catch (error) {
    if (!(error instanceof RoomError)) throw error;
    if (error.isOver) over(error);
    else say(status, error.message, "error");
  }
};

// ---- his view
/** @returns {RoomView} */
const viewNow = () => {
  if (!state.recording?.example) return { search: null, seconds: 0 };
  const wanted = new URLSearchParams(location.search);
  HIS.forEach((name) => wanted.delete(name));
  return { search: `?${wanted}`, seconds: Math.max(0, Math.round(10 * player.now()) / 10) };
};
const sendView = () => {
  if (!room || !isSending || !state.recording) return;
  const view = viewNow(), text = JSON.stringify(view);
  say(own, view.search === null
    ? t("This recording is yours alone: the phones are told to look at the screen in front.") : "");
  if (text === sent) return;
  sent = text;
  act("view", view);
};
let timer = 0;
const sendSoon = () => {
  clearTimeout(timer);
  timer = window.setTimeout(sendView, TOGETHER_MS);
};
const turnSending = () => {
  isSending = !isSending;
  sent = "";
  drawSteering();
  sendView();
};

// ---- what is seen
/** @type {ReturnType<typeof questionForm>} */
let ask;
const drawJoining = () => {
  const several = ways.length > 1 && h("select", { "aria-label": t("Address of this machine"),
    onchange: (/** @type {any} */ { target }) => {
      way = Number(target.value);
      drawJoining();
      drawProjector(room, ways[way]);
    } }, ways.map((one, i) => h("option", { value: i, selected: i === way }, typed(one))));
  const alone = !ways.length && h("p", { class: "mse-status error" }, ALONE);
  fill(joining, joinCard(ways[way], room.code), alone, several);
};
const drawSteering = () => fill(steering,
  h("span", {}, plural(room.phones, "{n} phone is here", "{n} phones are here")),
  h("span", { class: "mse-room-follow" }, h("span", { "aria-hidden": "true" }, t("Phones follow me")),
    onOff(t("Phones follow me"), isSending, turnSending)),
  toProjector, button({ onclick: end }, t("End the room")));
let isLooking = false;
/** Behind a click until all see it: a screen that is mirrored would give a hint. */
const outcome = (/** @type {RoomQuestion} */ question) => {
  if (question.shown) return resultsTable(question);
  const look = (/** @type {any} */ { target }) => { isLooking = target.open; };
  return h("details", { open: isLooking, ontoggle: look }, h("summary", {},
    plural(question.n ?? 0, "{n} answer so far, and the networks'", "{n} answers so far, and the networks'")),
  resultsTable(question));
};
const drawAsking = () => {
  const { question } = room, isAsked = question !== null;
  if (ask.form.hidden && !isAsked) ask.draw();
  ask.form.hidden = isAsked;
  if (ask.form.parentElement !== asking) asking.replaceChildren(ask.form, answers);
  fill(answers, isAsked && [h("h3", {}, t(question.text)), outcome(question), h("div", { class: "mse-room-row" },
    question.open && button({ onclick: () => act("stop") }, t("Close the question")),
    !question.shown && button({ class: "mse-button primary", onclick: () => act("reveal") },
      t("Show the answers to all")),
    button({ onclick: () => act("clear") }, t("Another question")))]);
};
const answers = h("div"), toProjector = projectorButton();
const take = (/** @type {any} */ told) => {
  room = told;
  say(status, "");
  drawSteering();
  drawAsking();
  drawProjector(room, ways[way]);
};

// ---- opening and ending
/** @type {Promise<void> | null} */
let watching = null;
const open = async () => {
  try {
    const told = await lead("open", { base: new URL("./", document.baseURI).href.split(/[?#]/)[0] });
    ways = told.addresses;
    way = 0;
    room = told;
    drawJoining();
    take(told);
    sent = "";
    ask.draw();
    sendView();
    watching ??= watch("lead-state", key, { news: take, over,
      trouble: (error) => error && say(status, error.message, "error") }).finally(() => { watching = null; });
  } catch (error) {
    if (!(error instanceof RoomError)) throw error;
    say(status, error.message, "error");
  }
};
const over = (/** @type {RoomError} */ error) => {
  room = null;
  closeProjector();
  fill(joining);
  asking.replaceChildren();
  say(own, "");
  say(status, error.message);
  fill(steering, error.status !== 403 && button({ class: "mse-button primary", onclick: open }, t("Open a new room")));
};
/** The answer to the watch, which then finds no room, tells the rest. */
const end = () => lead("close").catch((error) => say(status, error.message, "error"));

export const mountLead = (/** @type {HTMLElement} */ place) => {
  panel.append(joining, h("div", {}, steering, own, status, asking));
  steering.className = "mse-room-row";
  place.append(panel, projector);
  ask = questionForm(async (draft) => take(await lead("ask", { question: draft })));
  open();
  onAddress(() => {
    if (room && state.recording) ask.refresh();
    sendSoon();
  });
  player.on("state", sendSoon);
};
