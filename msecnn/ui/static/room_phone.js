// A phone in the room: it joins by the code, goes where the lecturer is, and answers what he asks.

import { openLink } from "./address.js";
import { button, fill, h, onOff, say, statusLine } from "./dom.js";
import { t } from "./language.js";
import { player } from "./main_player.js";
import { answerWords, drawAnswer } from "./room_answer.js";
import { RoomError, send, watch } from "./room_requests.js";
import { resultsTable } from "./room_results.js";
import { state, when } from "./state.js";

/** @import { RoomQuestion, RoomView } from "./types.d.ts" */

//: Where the browser keeps by which token the room knows it, until the room ends.
const KEPT = "msecnn-room";
//: A playhead that is as near as this stays where it is, seconds.
const NEAR_S = 0.25;
const OWN = t("The lecturer shows a recording of their own, which is theirs alone: look at the screen in front.");
const STAYS = t("You have something of your own open, so this page stays with it. Switch Follow on to leave it.");

const kept = () => { try { return localStorage.getItem(KEPT) ?? ""; } catch { return ""; } };
const keep = (/** @type {string} */ token) => {
  try {
    if (token) localStorage.setItem(KEPT, token);
    else localStorage.removeItem(KEPT);
  } catch { /* private windows keep nothing: a reload then joins anew */ }
};

let token = kept(), isFollowing = true;
/** @type {RoomView | null} */
let view = null;
/** @type {RoomQuestion | null} */
let question = null;
/** @type {number | null} */
let mine = null;

const panel = h("section", { class: "mse-room-phone", "aria-label": t("Room") });
const head = h("div", { class: "mse-room-head" }), body = h("div", { class: "mse-room-body" });
const form = h("div"), asked = h("div"), outcome = h("div");
const news = h("p", { class: "mse-sr", role: "status" }), line = statusLine(), where = statusLine();

// ---- following
const goTo = async (/** @type {RoomView} */ { search, seconds }) => {
  await openLink(search ?? "");
  const { recording } = state;
  if (!recording) return;
  await when(() => state.recording !== recording || player.view.recording?.url === recording.url);
  if (state.recording === recording && Math.abs(player.now() - seconds) > NEAR_S) player.seek(seconds);
};
const follow = () => {
  say(where, "");
  if (!view || !isFollowing) return;
  if (view.search === null) return say(where, OWN);
  if (state.own || state.lesson) {
    isFollowing = false;
    drawHead();
    return say(where, STAYS);
  }
  goTo(view);
};
const turnFollowing = () => {
  isFollowing = !isFollowing;
  drawHead();
  if (isFollowing && view?.search) goTo(view);
  say(where, "");
};

// ---- answering
const give = async (/** @type {number} */ value) => {
  if (!question) return;
  try {
    take(await send("answer", token, { question: question.serial, answer: value }));
  } catch (error) {
    if (!(error instanceof RoomError)) throw error;
    say(line, error.message, "error");
  }
};
const sayAnswer = () => {
  if (!question) return say(line, t("No question at the moment."));
  const answer = mine === null ? "" : t("Your answer: {answer}.", { answer: answerWords(question, mine) });
  const open = answer ? t("You may change it.") : t("Choose your answer.");
  say(line, `${answer} ${question.open ? open : t("The question is closed.")}`.trim());
};
/** @type {string} What is drawn: a slider that somebody moves is not drawn anew. */
let drawn = "";
const drawQuestion = () => {
  const key = question ? JSON.stringify([question.serial, question.open, question.shown]) : "";
  sayAnswer();
  if (key === drawn) return;
  drawn = key;
  fill(asked);
  fill(outcome, question?.shown && resultsTable(question));
  if (!question) return;
  if (question.shown) fill(asked, h("h3", {}, t(question.text)));
  else drawAnswer(asked, question, mine, give);
  if (question.open) news.textContent = t("A question: {question}", { question: t(question.text) });
  panel.classList.add("open");
  drawHead();
};

const take = (/** @type {any} */ told) => {
  ({ question, mine } = told);
  panel.dataset.code = told.code;
  drawHead();
  drawQuestion();
  if (JSON.stringify(told.view) === JSON.stringify(view)) return;
  ({ view } = told);
  follow();
};

// ---- what is seen
const drawHead = () => {
  if (!token) return fill(head);
  const toggle = () => {
    panel.classList.toggle("open");
    drawHead();
  };
  const isOpen = String(panel.classList.contains("open")), words = t("Room {code}", { code: panel.dataset.code ?? "" });
  fill(head,
    button({ class: "mse-quiet", onclick: toggle, "aria-expanded": isOpen, "aria-controls": "mse-room-body" }, words,
      h("i", { "aria-hidden": "true" })),
    h("span", { class: "mse-room-follow" }, h("span", { "aria-hidden": "true" }, t("Follow")),
      onOff(t("Follow"), isFollowing, turnFollowing)));
};
const drawForm = (words = "", kind = "") => {
  const code = h("input", { id: "mse-room-code", maxlength: 12, autocomplete: "off", autocapitalize: "characters",
    spellcheck: "false", required: true });
  const submit = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    join(code.value);
  };
  fill(form, h("form", { onsubmit: submit }, h("label", { for: "mse-room-code" }, t("Code of the room")), code,
    h("button", { class: "mse-button primary" }, t("Join"))));
  fill(asked);
  fill(outcome);
  say(line, words, kind);
  drawHead();
};

// ---- coming and going
const leave = (/** @type {RoomError} */ error) => {
  keep(token = "");
  view = question = mine = null;
  drawn = "";
  document.body.classList.remove("mse-in-room");
  say(where, "");
  drawForm(error.message);
};
const stay = () => {
  keep(token);
  fill(form);
  document.body.classList.add("mse-in-room");
  watch("state", token, { news: take, over: leave,
    trouble: (error) => (error ? say(line, error.message, "error") : sayAnswer()) });
};
const join = async (/** @type {string} */ code) => {
  say(line, t("Joining …"), "busy");
  try {
    token = (await send("join", "", { code, phone: token })).phone;
    stay();
  } catch (error) {
    if (!(error instanceof RoomError)) throw error;
    say(line, error.message, "error");
  }
};

/** The address's code, which the address then need not hold any longer; null where it names no room. */
const takeCode = () => {
  const address = new URL(location.href), code = address.searchParams.get("room");
  address.searchParams.delete("room");
  if (code !== null) history.replaceState(history.state, "", address);
  return code;
};

export const mountPhone = (/** @type {HTMLElement} */ place) => {
  body.id = "mse-room-body";
  body.append(form, asked, line, outcome);
  panel.append(head, news, where, body);
  place.append(panel);
  new ResizeObserver(() => document.body.style.setProperty("--mse-room", `${panel.offsetHeight}px`)).observe(panel);
  const code = takeCode();
  drawForm();
  if (code) join(code);
  else if (token) stay();
  else if (code === "") document.getElementById("mse-room-code")?.focus();
};
