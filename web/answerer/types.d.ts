// What the answerer's modules share, for `tsc --checkJs`; nothing of it reaches a browser.

import type { EditKind, Figure } from "../../msecnn/ui/static/types.d.ts";

export interface Matrix { values: Float32Array | Uint8Array | number[]; rows: number; columns: number }
export interface FrontEnd {
  sample_rate: number; n_fft: number; hop_length: number; n_mels: number; n_frames: number; window_samples: number;
  window_s: number; crop_s: number; bands_hz: [number, number, number][]; floor_db: number;
}
/** One network's sizes, words and weights; lists are by map, from the input up. */
export interface NetworkFacts {
  name: string; title: string; sha256: string; tags: string[]; scales: string[]; maps: string[]; channels: number[];
  pools: [number, number][]; sizes: [number, number][]; crops: [number, number][];
  receptive_ends_s: Record<string, number>; untrained: boolean; calibrated: boolean; bias: number[];
  measured: Record<string, { n: number; sentence: string; faithful: boolean | null }>;
  moments: Record<string, object[][]>; unfamiliar_from: number;
  classifier: Weights; mean_features: Weights; familiar_mean: Weights; familiar_axes: Weights;
  input_scale: Weights; input_shift: Weights; training_mean: Weights;
  /** As they travel, and with their normalisation folded in. */
  levels: { filters: { shape: [number, number, 3, 3]; offset: number }; gain: Weights; bias: Weights }[];
  folded: Level[];
}
/** A level's filters (channels after, before, 3, 3) and biases. */
export interface Level { shape: number[]; weight: Float32Array; bias: Float32Array }
/** (n, channels, rows, columns) */
export interface Maps { values: Float32Array; dims: readonly number[] }
/** Of events: bands and frames of a block, the share of the cells of one scale and sign, how many are listed. */
export interface Events { block: [number, number]; share: number; n_for: number; n_against: number }
/** (rows, columns), and where in the file of weights it begins. */
export interface Weights { shape: [number, number]; offset: number; values: Float32Array }
export interface Knowledge {
  front_end: FrontEnd; filterbank: Weights; graphs: Record<string, string>; events: Events;
  /** Most frames that are tagged live, and by how many their beginning moves on. */
  live: { frames: number; step: number };
  low_db: number; high_db: number; overview_columns: number; thumbnail: [number, number];
  enlarged: [number, number]; n_marks: number; n_absences: number; n_edited_tags: number;
  edits: EditKind[]; most_edits: number; most_points: number; order_colours: string[]; sounds: Record<string, string>;
  versions: string; schemas: { tags: number };
  notes: { silent: string; narrow: string; unfamiliar: string }; families: Record<string, string[]>;
  refused: Record<string, string>; pictures: Record<string, string>; calibration: Figure;
  examples: Record<string, { title: string; credit: string; file: string }>; models: NetworkFacts[];
}
/** What the browser has made of a file. */
export interface Decoded {
  name: string; example: string | null; rate: number; codec: string; channels: Float32Array[];
}
export interface Sound { waveform: Float32Array; starts: number[]; notes: string[]; window_s: number; duration_s: number }
/** What one network says of one window. */
export interface Output { logits: Float32Array; features: Float32Array; cells: Int32Array }
export interface Tagged { mel: Float32Array; outputs: Output[]; start_s: number }
export interface Opened {
  decoded: Omit<Decoded, "channels"> & { n_channels: number }; sound: Sound; windows: Tagged[]; notes: string[];
}
export interface Context {
  knowledge: Knowledge; slots: Record<string, Opened>;
  /** Runs the graph on one window; with `maps`, of every level's map of that network too. */
  run: (window: Float32Array, maps?: string) => Promise<{ mel: Float32Array; outputs: Output[]; maps: Matrix[][] }>;
  /** A level of its own, of maps that have a column more on each side; with `pool` pooled and bent. */
  convolve: (maps: Maps, level: Level, pool?: [number, number] | null) => Promise<Maps>;
  progress: (request: any, share: number) => void;
  /** The same between two parts of long work; ends it where it was stopped. */
  step: (request: any, share: number) => Promise<void>;
}
