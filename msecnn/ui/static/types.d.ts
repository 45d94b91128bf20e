// The shapes of what Python sends and of what the modules share, for `tsc --checkJs`; nothing of it reaches a browser.

export interface Model {
  name: string; title: string; tags: string[]; probabilities: number[]; untrained: boolean;
  windows: [number, number][]; timeline: number[][];
  /** Where in a window each scale stops to see anything, seconds. */
  receptive_ends_s: Record<string, number>;
  calibrated: boolean;
  /** The methods that show something of a model without scales; empty where all do. */
  methods: string[];
}
/** Plotly's data and layout, and what the figure shows, as a sentence. */
export interface Figure { data: any[]; layout: { height: number; [name: string]: any }; label: string }
export interface Recording {
  name: string; example: string | null; credit: string; duration_s: number; sample_rate: number; channels: number;
  codec: string; notes: string[]; silent: boolean; audio: ServedFile | null; url: string;
}
export interface ServedFile { url: string }
export interface Mel {
  low_db: number; high_db: number; hop_s: number; n_frames: number; window_s: number;
  /** Lower edge, centre and upper edge of each band. */
  bands_hz: [number, number, number][];
  /** Where pooling crops a window for the input scale; absent where there are no scales. */
  crop_s: number | null;
}
export interface Opened {
  recording: Recording | null; mel: Mel; windows: [number, number][]; window: number; picture: string | null;
  overview: string | null; models: Model[];
}
export interface State extends Opened {
  families: Record<string, string[]>; model: string | null; tag: string | null; tab: string;
  second: Opened & { recording: Recording; url: string } | null; lesson: { id: string; step: number } | null;
  /** By which the server opens the visitor's own file again. */
  own: { path?: string; name?: string } | null;
  /** Whether what the networks say of the open recording is kept back, until a visitor has answered. */
  covered: boolean; guess: Guess | null;
}
export interface Guess { chosen: string[]; isCompared: boolean }
export interface Method { name: string; title: string; words: string; needs_baseline: boolean; quick: boolean }
/** What a step waits for. */
export interface Act { act: string; of?: Record<string, any>; words: string }
/** A question that the page can judge; see lesson_keys.js. */
export interface Ask {
  kind: "choose" | "choose-tag" | "choose-scale" | "choose-model" | "choose-seconds" | "number"; fact: string;
  of?: Record<string, any>; pick?: "largest" | "smallest"; close?: number; within?: number; unit?: string;
  tags?: string[]; likely?: number; scales?: string[]; options?: { words: string; [name: string]: any }[];
}
/** The right answer: names and by how far the best leads, or a number, or places in seconds. */
export interface Key {
  kind: string; names?: string[]; lead?: number; value?: number; within?: number; places?: [number, number][];
}
export interface Step {
  text: string; question: string; ask: Ask; hint: string; model: string; show: Show; do?: Act; predict?: boolean;
}
/** What the page shows, of which questions are asked; null what it does not show now. */
export interface PageFacts {
  models: Model[]; model: string | null; mel: Mel; families: Record<string, string[]>; example: string | null;
  why: Explanation | null; maps: Maps | null; curves: Curve[] | null; network: Network | null; kept: boolean[];
  sanity: number | null; edits: EditedAnswer | null; chain: string[]; level: string | null; channel: number | null;
  method: string; heard: string; sort: string; now: { playing: boolean; seconds: number; window_s: number };
}
export interface Show {
  example: string; tab: string; look: string; model?: string; tag?: string; seek?: number;
  /** "any": of whichever networks are chosen. */
  networks?: "any"; edits?: string[];
  why?: { method?: string; listen?: string };
  network?: { random?: boolean; off?: string[]; level?: string | null; channel?: number | null };
}
export interface Lesson { id: string; title: string; aim: string; steps: Step[] }
export interface Example { id: string; title: string; artist: string; licence: string; kind: string; description: string }
export interface Offered {
  max_s: number; max_bytes: number; window_s: number;
  /** Null where the page has no server. */
  deleted_within_h: number | null; server: string | null; tabs: string[];
  /** All questions that the page may ask; null where a server mounts them one by one. */
  endpoints: string[] | null;
  plotly: string; on_dark: Record<string, string>; models: { name: string; title: string }[]; lessons: Lesson[]; lesson_models: string[]; examples: Example[];
  live: {
    models: { name: string; title: string; tags: string[] }[]; pieces_a_second: number; frames: number; bands: number;
    window_s: number;
  };
  edits: { kinds: EditKind[]; most: number; points: number; cut: boolean };
  /** Null where the page was opened for no class. */
  room: { fewest: number; most: number; bins: number; longest_text: number; longest_choice: number } | null;
  title: string; language: string; locales: Record<string, string>;
  explanation: {
    methods: Method[]; baselines: { name: string; title: string }[]; first: { method: string; baseline: string };
  };
}
/** Of the lecturer's view: the page's address without a recording of his own, and where his playhead stands. */
export interface RoomView { search: string | null; seconds: number }
/** What a network says of each row of a room's histogram. */
export interface RoomNetwork { title: string; values: number[]; unit: "probability" | "term" | "share" | "place" }
export interface RoomQuestion {
  serial: number; kind: "choice" | "tags" | "scales" | "number" | "seconds"; text: string; choices: string[];
  low: number; high: number; unit: string; open: boolean; shown: boolean;
  /** Of what all answered, where it is told. */
  n?: number; counts?: number[]; median?: number | null; right?: number | null; because?: string;
  networks?: RoomNetwork[];
}
/** A question as it is made; the server numbers it. */
export type RoomDraft = Partial<RoomQuestion> & { kind: RoomQuestion["kind"]; text: string };
export interface Field { start_s: number; end_s: number; low_hz: number; high_hz: number }
export interface Event extends Field { scale: string; relative: number; channels?: number[] }
export interface Mark extends Field { sign: number; strong?: boolean }
export interface Explanation {
  scales: string[]; relative: number[]; base: number; logit: number; base_probability: number; probability: number;
  mean_known: boolean; positive: Event[]; negative: Event[]; marks: Event[]; absences: { sentence: string; share: number }[];
  measured: Record<string, { sentence: string; faithful: boolean | null } | undefined>;
  sounds: { parts: Record<string, string>; scales: string[] };
  /** Of a model without scales, what cannot be shown. */
  cannot?: string;
  /** Without a server: the events are asked for by themselves. */
  evidence_follows?: boolean;
}
export interface MusicRow {
  name: string; axis: "hz" | "pitch class" | "tempo"; picture: string; centres: number[]; ticks: [number, string][];
  beats_s: number[]; tempo: number | null; semitone_hz: number; values: Picture; image: OffscreenCanvas;
}
export interface FilterStep extends Field {
  level: string; channel: number; row: number; column: number; value: number; block: number[][]; winner: number[];
  patch: number[][]; weights: number[][]; channel_sums: number[]; bias: number; norm_scale: number; norm_shift: number;
  input_level: string; input_channel: number; input_place: number[]; filter_sum: number; normalised: number;
}
export interface MelCell extends Field {
  band: number; frame: number; decibels: number; norm_scale: number; norm_shift: number; value: number;
}
export interface FeaturePath {
  scale: string; channel: number; value: number; average: number | null; weight: number; relative: number;
  steps: FilterStep[]; cell: MelCell;
}
export interface SignedMap { scale: string; picture: string; limit: number; thickened: boolean }
export interface Maps {
  method: string; baseline: string | null; maps: SignedMap[]; pictures: Picture[]; read: OffscreenCanvas[];
}
export interface Split { scales: string[]; n_features: number[]; relative: number[][]; base: number[]; mean_known: boolean }
export interface Level {
  name: string; channels: number; rows: number; columns: number; picture: string; field_s: number; field_bands: number;
}
export interface Network extends Split { levels: Level[]; pictures: OffscreenCanvas[] }
export interface Parameter {
  name: string; title: string; value: number | string | null; choices?: string[]; unit?: string; low?: number;
  high?: number | null; whole?: boolean;
}
/** An edit that one can make: what the server knows of it. */
export interface EditKind {
  name: string; title: string; words: string; box: boolean; parameters: Parameter[]; curve: [number, number] | null;
}
export interface EditedAnswer {
  edits: string[]; models: EditedModel[]; sound: ServedFile; start_s: number; duration_s: number;
  ends_s: [number, number];
}
/** What the server says to a piece of the microphone's sound; `columns` are the new frames of the spectrogram. */
export interface LiveAnswer {
  heard_s: number; tagged_s: number; columns: string;
  models: { name: string; probabilities: number[]; leading: string; scales: string[]; relative: number[] }[];
}
export interface EditedModel {
  name: string; title: string; scales: string[];
  tags: { tag: string; before: number; after: number; change: number; terms: number[] }[];
}
export interface Curve {
  title: string; fractions: number[]; deletion: number[]; insertion: number[]; deletion_area: number;
  insertion_area: number;
}
export interface Moment extends Field { example: string; title: string; value: number }
export interface Picture { width: number; height: number; values: Uint8Array }
export interface Decoded { picture: Picture; image: OffscreenCanvas; grey?: OffscreenCanvas }
/** A sound that stands for seconds of the recording, and where in it those begin and end, if an edit moved them. */
export interface Source {
  url: string; offset_s: number; duration_s: number; title: string; ends_s?: [number, number];
}

declare global {
  interface Window {
    msecnn: { offered: Offered; ready: Promise<typeof import("./app.js")>;
      /** In place of an upload, where the page has no server. */
      handOver?: (file: Blob, name: string, progress: (part: number) => void) => Promise<string>;
      [name: string]: unknown };
    /** Plotly's own script, once it was fetched. */
    Plotly: any;
  }
}
