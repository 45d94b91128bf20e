// Calls of the server's RPC endpoints. Every call settles: with its answer, or with a CallError that names the reason.

import { t, told } from "./language.js";
import { offered } from "./state.js";

const WORDS = {
  superseded: t("A later request took this one's place."),
  failed: t("The server did not take this request: try again in a moment."),
  lost: t("The server stopped before it answered: try again in a moment."),
};

/** `reason`: "superseded", "failed", "lost", or "refused" with the server's own sentence. */
export class CallError extends Error {
  /** @param {"superseded" | "failed" | "lost" | "refused"} reason */
  constructor(reason, message = WORDS[reason]) {
    super(message);
    this.reason = reason;
  }
}

/** A call that a later one of the same name has replaced is nothing to tell anybody about. */
export const isSuperseded = (/** @type {any} */ error) => error.reason === "superseded";

/** @type {Map<string, (request: object) => void>} */
const endpoints = new Map();
/** @type {Map<string, object[]>} Requests made before their endpoint was mounted. */
const waiting = new Map();
/**
 * By request id; `place` is where it stands in the server's queue, 0 when its turn has come.
 * @typedef {{
 *   name: string, sent: object, resolve: Function, reject: Function, progress?: Function, place: number,
 * }} Asked
 * @type {Map<string, Asked>}
 */
const pending = new Map();
/** @type {Map<string, string>} The last request id of each endpoint. */
const latest = new Map();
//: Names of requests begin with this, so that no other page's are called the same.
const PAGE = crypto.getRandomValues(new Uint32Array(4)).join("");
let serial = 0;

/** Called by each endpoint's component when Gradio has mounted it. */
export const connect = (name, { send, props, watch }) => {
  endpoints.set(name, send);
  watch("value", () => settle(props.value));
  waiting.get(name)?.forEach(send);
  waiting.delete(name);
};

const settle = (answer) => {
  const asked = answer && pending.get(answer.request);
  if (!asked) return;
  if (answer.progress !== undefined) {
    asked.place = answer.place ?? 0;
    asked.progress?.(asked.place ? null : answer.progress);
  } else if (answer.error) refuse(answer.request, new CallError("refused", told(answer.error)));
  else {
    pending.delete(answer.request);
    asked.resolve(answer);
  }
};
const refuse = (id, error) => {
  const asked = pending.get(id);
  pending.delete(id);
  asked?.reject(error);
};

/**
 * Asks the server. A later call of the same name rejects one that still waits, unless both are `parallel`; the server
 * then drops the earlier one: Gradio may show us only the last of two answers that come at the same moment.
 * @param {string} name
 * @param {object} [request]
 * @param {{progress?: (part: number | null) => void, parallel?: boolean}} [options] `null` while it waits for its turn
 * @returns {Promise<any>}
 */
export const call = (name, request = {}, { progress, parallel = false } = {}) => {
  if (offered.endpoints?.includes(name) === false) {   // nothing would ever answer
    return Promise.reject(new CallError("refused", t("There is no question called “{name}”.", { name })));
  }
  const id = `${PAGE}-${++serial}`, sent = { ...request, id, latest: !parallel };
  if (!parallel) {
    refuse(latest.get(name), new CallError("superseded"));
    latest.set(name, id);
  }
  return new Promise((resolve, reject) => {
    pending.set(id, { name, sent, resolve, reject, progress, place: 0 });
    const send = endpoints.get(name);
    if (send) send(sent);
    else waiting.set(name, [...(waiting.get(name) ?? []), sent]);
  });
};

/** Where the last call of an endpoint waits, in words; nothing where its turn has come. */
export const queuePlace = (/** @type {string} */ name) => {
  const { place = 0 } = pending.get(latest.get(name) ?? "") ?? {};
  return place ? t("place {n} in the queue", { n: place }) : "";
};

// ---- requests that got lost
// While any waits, the server is asked now and then whether it is there, and still the one that was asked. It need not
// answer at once, for it may be busy; and one failure may be the network's hiccup.
const WATCH_MS = 4000;
let { server } = offered, failures = 0;

/** Whether the server that was asked is still there. */
const serverStands = async () => {
  const answer = await fetch(new URL("msecnn/server", document.baseURI), { cache: "no-store" });
  if (!answer.ok) throw new Error(answer.statusText);   // of the proxy in front
  const before = server;
  server = await answer.text();
  return server === before;
};
const watchServer = async () => {
  const ids = [...pending.keys()];
  if (!ids.length || server === null) return;   // without a server there is none to lose
  try {
    const stands = await serverStands();
    failures = 0;
    if (stands) return await sendLostAgain(ids);
  } catch {
    if (++failures < 2) return;
  }
  ids.forEach((id) => refuse(id, new CallError("lost")));
};
/** @type {string[]} Requests that the server did not have in hand when it was last asked. */
let missing = [];
/** What twice in a row was neither in the server's hands nor answered got lost on the way there or back. */
const sendLostAgain = async (/** @type {string[]} */ ids) => {
  const sent = ids.filter((id) => endpoints.has(pending.get(id)?.name ?? "")).slice(0, 64);
  const question = new URL(`./msecnn/in-hand?ids=${sent.join()}`, document.baseURI);
  const known = await (await fetch(question, { cache: "no-store" })).json();
  const lost = sent.filter((id) => !known.includes(id) && pending.has(id));
  for (const id of lost.filter((one) => missing.includes(one))) {
    const { name = "", sent: again = {} } = pending.get(id) ?? {};
    endpoints.get(name)?.(again);
  }
  missing = lost.filter((id) => !missing.includes(id));
};
const keepWatching = () => setTimeout(() => watchServer().finally(keepWatching), WATCH_MS);
keepWatching();

/** Called when Gradio could not deliver a request: the queue is full, or the connection broke. */
export const fail = async (/** @type {string} */ name) => {
  const ids = [...pending.keys()].filter((id) => pending.get(id)?.name === name);
  const stands = await serverStands().catch(() => false);
  if (stands) ids.forEach((id) => refuse(id, new CallError("failed")));   // otherwise the watch finds it lost
};
