// Runs beside the page, where the browser brings the microphone's sound: gathers it and hands it over in pieces.

export const PROCESSOR = "mse-capture";
export const moduleAddress = import.meta.url;

// In the page itself there is no such class: there this file only tells its name and where it lies.
const Base = /** @type {any} */ (globalThis).AudioWorkletProcessor;
if (Base) {
  class Capture extends Base {
    constructor({ processorOptions: { length } }) {
      super();
      this.piece = new Float32Array(length);
      this.filled = 0;
    }

    /** The channels' mean; pieces of equal length, each handed over as soon as it is full. */
    process([channels]) {
      const n = channels[0]?.length ?? 0;
      for (let i = 0; i < n; i++) {
        this.piece[this.filled++] = channels.reduce((sum, channel) => sum + channel[i], 0) / channels.length;
        if (this.filled === this.piece.length) {
          this.port.postMessage(this.piece.slice());
          this.filled = 0;
        }
      }
      return true;
    }
  }
  /** @type {any} */ (globalThis).registerProcessor(PROCESSOR, Capture);
}
