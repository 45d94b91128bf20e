// A guess: which tags a visitor has chosen for the open recording, and whether the networks' were shown already.

/** @import { Guess } from "./types.d.ts" */

/** @returns {Guess} */
export const emptyGuess = () => ({ chosen: [], isCompared: false });
