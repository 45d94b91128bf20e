// The sound of a player: what is played, from where to where, and other sounds of the same recording in its place.

import { emitter } from "./events.js";

/** @import { Source } from "./types.d.ts" */

/** @type {Sound[]} All sounds of the page, of which one is heard at a time. */
const sounds = [];

/** @type {(() => void)[]} */
const watchers = [];
/** Calls `watch` when another sound is played or stands ready, or none. */
export const onSounds = (/** @type {() => void} */ watch) => watchers.push(watch);
/** The sound that is played, or else one that stands ready in its recording's place. */
export const shownSound = () => sounds.find((sound) => !sound.audio.paused)
  ?? sounds.find(({ source, original }) => source && original && source !== original);

/** Tells of "tick" (seconds), "state", "source" and "unplayable" (a source). */
export class Sound {
  audio = new Audio();
  /** @type {Source | null} What `audio` plays, and where it starts in the recording. */
  source = null;
  /** @type {Source | null} The recording itself. */
  original = null;
  /** @type {number | null} Where a stretch of it ends, if no more is to be played. */
  #stopAt = null;
  #startedAt = 0;
  #frame = 0;
  #events = emitter();

  constructor() {
    this.audio.preload = "auto";
    this.on = this.#events.on;
    this.audio.addEventListener("play", () => {
      sounds.filter((other) => other !== this).forEach((other) => other.pause());   // one sound at a time
      this.#follow();
    });
    for (const name of ["play", "pause", "seeked"]) this.audio.addEventListener(name, () => this.#tell("state"));
    this.audio.addEventListener("error", () => this.source && this.#events.emit("unplayable", this.source));
    sounds.push(this);
  }

  #tell(/** @type {"state" | "source"} */ what) {
    this.#events.emit(what);
    watchers.forEach((watch) => watch());
  }

  /** What is played, in words; "" where nothing is. */
  get title() {
    const { title = "" } = this.source ?? {};
    if (this.#stopAt === null) return title;
    return `${title}, ${this.#startedAt.toFixed(1)} to ${this.#stopAt.toFixed(1)} s`;
  }
  /** Whether something else than the whole recording is played. */
  get isPart() { return this.#stopAt !== null || this.source !== this.original; }
  /** Ends it, and puts the recording in its place. */
  leave() {
    this.pause();
    this.#stopAt = null;
    if (this.original) this.use(this.original);
    this.#tell("state");
  }

  now = () => (this.source ? this.audio.currentTime + this.source.offset_s : 0);

  /** A recording from its beginning. */
  open(/** @type {string} */ url, /** @type {number} */ duration_s, title = "") {
    this.audio.pause();
    this.#stopAt = null;
    this.original = this.source = { url, offset_s: 0, duration_s, title };
    this.audio.src = url;
    this.#tell("source");
  }

  seek(/** @type {number} */ seconds) {
    if (!this.source || !this.original) return;
    const time = Math.max(0, Math.min(this.original.duration_s - 0.01, seconds));
    const { offset_s: start, duration_s: length } = this.source;
    if (this.source !== this.original && (time < start || time > start + length)) this.use(this.original);
    this.audio.currentTime = Math.max(0, time - this.source.offset_s);
    this.#stopAt = null;
    this.#events.emit("tick", time);
  }

  play(/** @type {number | null} */ from = null, /** @type {number | null} */ to = null) {
    if (!this.source) return;
    if (from !== null) this.seek(from);
    this.#startedAt = this.now();
    this.#stopAt = to;
    this.audio.play().catch(() => {});   // what cannot be played says so by its "error"
  }

  pause = () => this.audio.pause();
  toggle = () => (this.audio.paused ? this.play() : this.pause());

  /** Other sounds of the same recording (one scale alone, evidence only) take over without losing the position. */
  use(/** @type {Source} */ next) {
    if (this.source && next.url === this.source.url) return;
    const place = Math.max(0, this.now() - next.offset_s), playing = !this.audio.paused;
    this.source = next;
    this.#stopAt = null;
    this.audio.src = next.url;
    this.#tell("source");
    this.audio.addEventListener("loadedmetadata", () => {
      this.audio.currentTime = place;
      if (playing) this.audio.play().catch(() => {});
    }, { once: true });
  }

  /** The same recording from another address. */
  replaceOriginal(/** @type {string} */ url) {
    if (!this.original || this.original.url === url) return;
    this.original = { ...this.original, url };
    this.use(this.original);
  }

  #follow() {
    const time = this.now();
    if (this.#stopAt !== null && time >= this.#stopAt) {
      this.#stopAt = null;
      this.pause();
    }
    if (!this.audio.paused) {
      cancelAnimationFrame(this.#frame);   // one loop, however often the sound was started or exchanged
      this.#frame = requestAnimationFrame(() => this.#follow());
    }
    this.#events.emit("tick", time);
  }
}
