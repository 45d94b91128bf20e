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

/** Where in a sound a second of the recording is heard, and back: an edit may have moved it. */
const placeIn = (/** @type {Source} */ { offset_s, duration_s, ends_s: [first, last] = [0, duration_s] }, time) =>
  first + ((time - offset_s) / duration_s) * (last - first);
const timeOf = (/** @type {Source} */ { offset_s, duration_s, ends_s: [first, last] = [0, duration_s] }, place) =>
  offset_s + ((place - first) / (last - first)) * duration_s;

/** Tells of "tick" (seconds), "state", "source" and "unplayable" (a source). */
export class Sound {
  /** What is heard, or will be as soon as it is there. */
  audio = this.#element();
  /** @type {Source | null} What `audio` plays, and where it stands in the recording. */
  source = null;
  /** @type {Source | null} The recording itself. */
  original = null;
  /** @type {number | null} Where a stretch of it ends, if no more is to be played. */
  #stopAt = null;
  #startedAt = 0;
  #frame = 0;
  #events = emitter();
  /** @type {{audio: HTMLAudioElement, source: Source} | null} What goes on until `audio` sounds in its place. */
  #leaving = null;
  /** @type {HTMLAudioElement | null} What was heard before, kept ready. */
  #spare = null;
  /** Where `audio` is to begin once it is there, seconds of the recording. */
  #goal = 0;

  constructor() {
    this.on = this.#events.on;
    sounds.push(this);
  }

  #element() {
    const audio = new Audio();
    audio.preload = "auto";
    const listen = (/** @type {string} */ name, /** @type {() => void} */ then) =>
      audio.addEventListener(name, () => audio === this.audio && then());
    listen("play", () => {
      sounds.filter((other) => other !== this).forEach((other) => other.pause());   // one sound at a time
      this.#follow();
    });
    listen("playing", () => this.#endLeaving());
    for (const name of ["play", "pause", "seeked"]) listen(name, () => this.#tell("state"));
    listen("error", () => {
      this.#endLeaving();
      if (this.source) this.#events.emit("unplayable", this.source);
    });
    return audio;
  }
  #endLeaving() {
    this.#leaving?.audio.pause();
    this.#leaving = null;
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

  now = () => {
    if (this.#leaving) return timeOf(this.#leaving.source, this.#leaving.audio.currentTime);
    if (!this.source) return 0;
    return this.audio.readyState ? timeOf(this.source, this.audio.currentTime) : this.#goal;
  };

  /** A recording from its beginning. */
  open(/** @type {string} */ url, /** @type {number} */ duration_s, title = "") {
    this.pause();
    this.#stopAt = null;
    this.#goal = 0;
    this.original = this.source = { url, offset_s: 0, duration_s, title };
    this.audio.src = url;
    this.#tell("source");
  }

  seek(/** @type {number} */ seconds) {
    if (!this.source || !this.original) return;
    const time = Math.max(0, Math.min(this.original.duration_s - 0.01, seconds));
    const { offset_s: start, duration_s: length } = this.source;
    if (this.source !== this.original && (time < start || time > start + length)) this.use(this.original);
    this.#endLeaving();
    this.#goal = time;
    this.audio.currentTime = Math.max(0, placeIn(this.source, time));
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

  pause = () => {
    this.#goal = this.now();
    this.#endLeaving();
    this.audio.pause();
  };
  toggle = () => (this.audio.paused ? this.play() : this.pause());

  /**
   * Other sounds of the same recording (one scale alone, an edit) take over without losing the position. The one before
   * goes on until the next one sounds, so that there is no gap.
   */
  use(/** @type {Source} */ next) {
    if (!this.source || next.url === this.source.url) return;
    if (next.url === this.#leaving?.source.url) return this.#stay();
    const playing = this.#leaving !== null || !this.audio.paused, before = this.audio;
    this.#goal = this.now();
    if (playing) this.#leaving ??= { audio: before, source: this.source };
    this.audio = this.#loaded(next.url);
    this.audio.volume = before.volume;
    this.#spare = this.#leaving?.audio ?? before;
    this.source = next;
    this.#stopAt = null;
    this.#tell("source");
    this.#begin(this.audio);
  }
  /** The sound that goes on is wanted again, before the next one sounds. */
  #stay() {
    if (!this.#leaving) return;
    this.audio.pause();
    [this.#spare, this.audio, this.source] = [this.audio, this.#leaving.audio, this.#leaving.source];
    this.#leaving = null;
    this.#tell("source");
  }
  #loaded(/** @type {string} */ url) {
    const address = new URL(url, document.baseURI).href, { audio } = this;
    if (this.#spare?.src === address && this.#spare !== this.#leaving?.audio) return this.#spare;
    const next = this.#element();
    next.src = url;
    if (this.#spare && ![audio, this.#leaving?.audio].includes(this.#spare)) this.#spare.removeAttribute("src");
    return next;
  }
  /** Puts what was just loaded where it belongs; it plays if another sound goes on until then. */
  #begin(/** @type {HTMLAudioElement} */ audio) {
    const begin = () => {
      if (audio !== this.audio || !this.source) return;
      audio.currentTime = Math.max(0, placeIn(this.source, this.#leaving ? this.now() : this.#goal));
      if (this.#leaving) audio.play().catch(() => {});
    };
    if (audio.readyState) begin();
    else audio.addEventListener("loadedmetadata", begin, { once: true });
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
    if (!this.audio.paused || this.#leaving) {
      cancelAnimationFrame(this.#frame);   // one loop, however often the sound was started or exchanged
      this.#frame = requestAnimationFrame(() => this.#follow());
    }
    this.#events.emit("tick", time);
  }
}
