// The microphone's sound in pieces to the server, one at a time, and its answers back; what is kept is bounded.

import { PROCESSOR, moduleAddress } from "./capture_worklet.js";
import { openMicrophone } from "./microphone.js";
import { call } from "./rpc.js";
import { offered } from "./state.js";
import { newToken } from "./working.js";

/** @import { LiveAnswer } from "./types.d.ts" */

//: Seconds of sound that may wait while the server answers; what is older is left out.
const MOST_WAITING_S = 1.5;
const FULL_SCALE = 32767;

/** 16-bit samples in base64, lowest byte first. */
const encoded = (/** @type {Float32Array[]} */ pieces) => {
  const bytes = new Uint8Array(2 * pieces.reduce((sum, piece) => sum + piece.length, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const piece of pieces) {
    for (const sample of piece) {
      view.setInt16(at, Math.round(FULL_SCALE * Math.max(-1, Math.min(1, sample))), true);
      at += 2;
    }
  }
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
};

/** One run of the microphone, until `stop`. */
export class LiveSound {
  #stream = newToken();
  #serial = 0;
  /** @type {{piece: Float32Array, begun: number}[]} Pieces that wait, and when each began, milliseconds. */
  #waiting = [];
  #busy = false;
  #running = true;
  /** Samples that were left out because the server was behind. */
  #skipped = 0;
  /** @type {MediaStream | null} */
  #microphone = null;
  /** @type {AudioContext | null} */
  #context = null;

  /**
   * @param {(answer: LiveAnswer, begun: number, peak: number) => void} heard gets each answer, when its sound began,
   *   and how loud that was
   * @param {(error: Error) => void} failed
   */
  constructor(heard, failed) {
    this.heard = heard;
    this.failed = failed;
  }

  get skipped_s() { return this.#skipped / (this.#context?.sampleRate ?? 1); }

  async start() {
    this.#microphone = await openMicrophone();
    const context = (this.#context = new AudioContext());
    await context.audioWorklet.addModule(moduleAddress);
    const length = Math.round(context.sampleRate / offered.live.pieces_a_second);
    const capture = new AudioWorkletNode(context, PROCESSOR, { numberOfOutputs: 0, processorOptions: { length } });
    capture.port.onmessage = ({ data }) => this.#take(data);
    context.createMediaStreamSource(this.#microphone).connect(capture);
    await context.resume();
    if (!this.#running) this.#close();   // stopped while the browser asked
  }

  #take(/** @type {Float32Array} */ piece) {
    if (!this.#running || !this.#context) return;
    const length_s = piece.length / this.#context.sampleRate;
    this.#waiting.push({ piece, begun: performance.now() - 1000 * length_s });
    while (this.#waiting.length * length_s > MOST_WAITING_S) this.#skipped += this.#waiting.shift()?.piece.length ?? 0;
    this.#send();
  }
  async #send() {
    if (this.#busy || !this.#running || !this.#context || this.#waiting.length === 0) return;
    const sent = this.#waiting.splice(0), pieces = sent.map(({ piece }) => piece);
    this.#busy = true;
    try {
      const answer = await call("live", { stream: this.#stream, serial: this.#serial++, samples: encoded(pieces),
        sample_rate: this.#context.sampleRate }, { parallel: true });
      const peak = Math.max(...pieces.map((piece) => piece.reduce((most, x) => Math.max(most, Math.abs(x)), 0)));
      if (this.#running) this.heard(answer, sent[0].begun, peak);
    } catch (error) {
      if (this.#running) this.failed(error);
    } finally {
      this.#busy = false;
      this.#send();
    }
  }

  stop() {
    if (!this.#running) return;
    this.#running = false;
    this.#waiting = [];
    this.#close();
    call("live-end", {}, { parallel: true }).catch(() => {});   // the server forgets it by itself, too
  }
  #close() {
    this.#microphone?.getTracks().forEach((track) => track.stop());
    this.#context?.close();
    this.#context = null;
  }
}
