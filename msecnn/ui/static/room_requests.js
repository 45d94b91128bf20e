// The room's requests: short ones that do something, and one that waits at the server until there is news.

import { t, told } from "./language.js";

//: Longest wait for an answer, milliseconds: the server answers a waiting request within 20 s.
const PATIENCE_MS = 30_000;
//: Between two tries that failed: doubled from the first to the longest, milliseconds.
const FIRST_PAUSE_MS = 500, LONGEST_PAUSE_MS = 8000;
//: What the server answers where a page is not, or no longer, in a room.
const STRANGER = 403, ENDED = 410;

/** The server's own sentence and status; 0 where it was not reached. */
export class RoomError extends Error {
  constructor(/** @type {number} */ status, /** @type {string} */ message) {
    super(message);
    this.status = status;
  }
  get isOver() { return this.status === STRANGER || this.status === ENDED; }
}

const ask = async (/** @type {string} */ path, /** @type {RequestInit} */ options) => {
  let answer, payload;
  try {
    answer = await fetch(new URL(`./msecnn/room/${path}`, document.baseURI), { cache: "no-store", ...options });
    payload = await answer.json();
  } catch {
    throw new RoomError(0, t("The room's server cannot be reached; it is tried again."));
  }
  if (!answer.ok) throw new RoomError(answer.status, told(String(payload.error)));
  return payload;
};

/** Does something. @returns {Promise<any>} */
export const send = (/** @type {string} */ path, /** @type {string} */ key, /** @type {object} */ fields) =>
  ask(path, { method: "POST", headers: { "Room-Key": key, "Content-Type": "application/json" },
    body: JSON.stringify(fields) });

/**
 * Asks again and again for what is new, until the room is over.
 * @typedef {{news: (state: any) => void, trouble: (error: RoomError | null) => void,
 *   over: (error: RoomError) => void}} To
 */
class Watch {
  #controller = new AbortController();
  /** @type {Record<string, string>} */
  #known = {};
  #failures = 0;
  #isWoken = false;
  #isOver = false;
  #endPause = () => {};

  /** @param {string} path @param {string} key @param {To} to */
  constructor(path, key, to) {
    this.path = path;
    this.key = key;
    this.to = to;
  }

  async run() {
    const names = ["visibilitychange", "online", "pageshow"];   // the first is the document's, and bubbles
    names.forEach((name) => addEventListener(name, this.#wake));
    while (!this.#isOver) await this.#once();
    names.forEach((name) => removeEventListener(name, this.#wake));
  }
  async #once() {
    this.#controller = new AbortController();
    const timer = setTimeout(() => this.#controller.abort(), PATIENCE_MS);
    try {
      const options = { headers: { "Room-Key": this.key }, signal: this.#controller.signal };
      const state = await ask(`${this.path}?${new URLSearchParams(this.#known)}`, options);
      this.#known = { version: state.version, ...("tally" in state && { tally: state.tally }) };
      this.#failures = 0;
      this.to.trouble(null);
      this.to.news(state);
    } catch (error) {
      if (!(error instanceof RoomError)) throw error;
      await this.#fail(error);
    } finally {
      clearTimeout(timer);
      this.#isWoken = false;
    }
  }
  async #fail(/** @type {RoomError} */ error) {
    this.#isOver = error.isOver;
    if (error.isOver) return this.to.over(error);
    if (this.#isWoken) return;
    this.to.trouble(error);
    await this.#pause(Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.#failures++));
  }
  #pause(/** @type {number} */ ms) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#endPause = () => {
        clearTimeout(timer);
        resolve(null);
      };
    });
  }
  /** A phone that slept has a connection that nobody is at the other end of. */
  #wake = () => {
    if (document.hidden) return;
    this.#isWoken = true;
    this.#controller.abort();
    this.#endPause();
  };
}
/** @param {string} path @param {string} key @param {To} to */
export const watch = (path, key, to) => new Watch(path, key, to).run();
