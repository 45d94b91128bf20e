// The questions of lessons: what can be asked, and the key, computed from what the page shows at that moment.
// Nothing of the page is imported: a test computes every key of the bundled lessons from the bundled weights.

/** @import { Act, Ask, Key, PageFacts } from "./types.d.ts" */
/** @typedef {Record<string, any>} Arguments What a fact is asked about: model, tag, scale, hertz, … */

//: What a step may call the networks that are shown, whichever they are.
const PLACES = { first: 0, second: 1 };
const modelOf = (/** @type {PageFacts} */ { models, model }, name = model) =>
  models[PLACES[name ?? ""] ?? models.findIndex((each) => each.name === name)];
/** Per cent, NaN where the model does not know the tag; of a family its likeliest word's, as in the chart of tags. */
const share = (/** @type {PageFacts} */ page, /** @type {string} */ tag, /** @type {string | undefined} */ name) => {
  const model = modelOf(page, name), words = page.families[tag] ?? [tag];
  return model ? 100 * Math.max(...words.map((word) => model.probabilities[model.tags.indexOf(word)] ?? NaN)) : NaN;
};
const sigmoid = (/** @type {number} */ x) => 1 / (1 + Math.exp(-x));
const sum = (/** @type {number[]} */ values) => values.reduce((a, b) => a + b, 0);

// ---- the network taken apart
const levelOf = (/** @type {PageFacts} */ page, /** @type {string} */ name) =>
  page.network?.levels.find((level) => level.name === name);
/** Probability in per cent with the scales that are kept. */
const switched = (/** @type {PageFacts} */ page, /** @type {string} */ tag, /** @type {boolean[]} */ kept) => {
  const { network } = page, k = modelOf(page)?.tags.indexOf(tag) ?? -1;
  if (!network || k < 0) return NaN;
  return 100 * sigmoid(network.base[k] + sum(network.relative.map((terms, s) => (kept[s] ? terms[k] : 0))));
};
// ---- edits
const changeOf = (/** @type {PageFacts} */ { edits, model }, /** @type {Arguments} */ { tag, model: name = model }) =>
  edits?.models.find((each) => each.name === name)?.tags.find((each) => each.tag === tag);
const points = (/** @type {PageFacts} */ page, /** @type {Arguments} */ of) => {
  const change = changeOf(page, of);
  return change ? 100 * (change.after - change.before) : NaN;
};
const bandAt = (/** @type {PageFacts} */ { mel }, /** @type {number} */ hertz) =>
  mel.bands_hz.find(([, centre]) => centre >= hertz) ?? mel.bands_hz[mel.bands_hz.length - 1];

/**
 * What can be measured on the page; NaN where it is not there. Shares and their changes are in points of a per cent.
 * @type {Record<string, (page: PageFacts, of: Arguments) => number>}
 */
export const FACTS = {
  probability: (page, { tag, model }) => share(page, tag, model),
  mean: (page, { tag }) => sum(page.models.map(({ name }) => share(page, tag, name))) / page.models.length,
  gap: (page, { tag }) => Math.abs(share(page, tag, "first") - share(page, tag, "second")),
  term: ({ why }, { scale }) => why?.relative[why.scales.indexOf(scale)] ?? NaN,
  remainder: ({ why }) => (why ? Math.abs(why.base + sum(why.relative) - why.logit) : NaN),
  map_limit: ({ maps }, { scale }) => maps?.maps.find((map) => map.scale === scale)?.limit ?? NaN,
  deletion_area: ({ curves }, { order }) => curves?.[["map", "random", "loudest"].indexOf(order)]?.deletion_area ?? NaN,
  near_correlation: ({ sanity }, { to }) => (sanity === null ? NaN : -Math.abs(sanity - to)),
  logit: (page, { tag }) => {
    const { network } = page, k = modelOf(page)?.tags.indexOf(tag) ?? -1;
    return network && k >= 0 ? network.base[k] + sum(network.relative.map((terms) => terms[k])) : NaN;
  },
  left: (page, { tag }) => switched(page, tag, page.kept),
  lost: (page, { tag }) => switched(page, tag, page.kept.map(() => true)) - switched(page, tag, page.kept),
  features: ({ network }) => (network ? sum(network.n_features) : NaN),
  bands_a_cell: (page, { scale }) => page.mel.bands_hz.length / (levelOf(page, scale)?.rows ?? NaN),
  field_s: (page, { scale }) => levelOf(page, scale)?.field_s ?? NaN,
  /** The longest field that is still shorter than so many seconds is the largest of these. */
  field_below: (page, { scale, seconds }) => {
    const field = levelOf(page, scale)?.field_s ?? NaN;
    return field < seconds ? field : -field;
  },
  change: points,
  /** How well "it rises", "it falls" or "it hardly changes" describes a change: the largest does best. */
  moves: (page, { way, hardly, ...of }) => {
    const change = points(page, of);
    return { up: change, down: -change, not: 2 * hardly - Math.abs(change) }[/** @type {string} */ (way)] ?? NaN;
  },
  edited_term: (page, { scale, ...of }) => {
    const name = of.model ?? page.model, model = page.edits?.models.find((each) => each.name === name);
    const scales = model?.scales ?? [];
    return Math.abs(changeOf(page, of)?.terms[scales.indexOf(scale)] ?? NaN);
  },
  top_hz: ({ mel }) => mel.bands_hz[mel.bands_hz.length - 1][2],
  above_top: ({ mel }, { hertz }) => hertz - mel.bands_hz[mel.bands_hz.length - 1][2],
  semitones: (page, { hertz }) => {
    const [low, , high] = bandAt(page, hertz);
    return 12 * Math.log2(high / low);
  },
  blind_s: ({ mel }) => (mel.crop_s === null ? NaN : mel.window_s - mel.crop_s),
};

/** Fields as intervals of seconds, in their order; those that touch are one. */
const joined = (/** @type {import("./types.d.ts").Field[]} */ fields) => {
  /** @type {[number, number][]} */
  const list = [];
  for (const { start_s: start, end_s: end } of [...fields].sort((a, b) => a.start_s - b.start_s)) {
    const last = list[list.length - 1];
    if (last && start <= last[1]) last[1] = Math.max(last[1], end);
    else list.push([start, end]);
  }
  return list;
};
/**
 * Places in the recording that are asked for.
 * @type {Record<string, (page: PageFacts, of: Arguments) => [number, number][]>}
 */
export const PLACES_ASKED = {
  evidence: ({ why }, { first }) => joined((why?.positive ?? []).slice(0, first)),
};

/**
 * What a step may wait for; some is only true from when the step began.
 * @type {Record<string, (page: PageFacts, of: Arguments) => boolean>}
 */
export const ACTS = {
  play: ({ now }) => now.playing,
  seek_blind: ({ mel, now }) => mel.crop_s !== null && now.seconds - now.window_s >= mel.crop_s,
  open_level: ({ level }, { scale }) => level === scale,
  open_channel: ({ channel }) => channel !== null,
  switch_off: ({ network, kept }, { off }) =>
    network !== null && network.scales.every((scale, s) => kept[s] !== off.includes(scale)),
  method: ({ method }, { method: asked }) => method === asked,
  listen: ({ heard }, { sound }) => heard === sound,
  check: ({ curves }) => curves !== null,
  edit: ({ edits, chain }, { edit }) =>
    edits !== null && chain.some((text) => text === edit || text.startsWith(`${edit}=`)),
  sort: ({ sort }, { by }) => sort === by,
  another_example: ({ example }, { than }) => example !== null && example !== than,
};

// ---- options
/** Families of tags that all shown networks know, the likeliest by their mean, in the order of the alphabet. */
const likelyTags = (/** @type {PageFacts} */ page, /** @type {number} */ n) => {
  const shared = Object.keys(page.families).filter((tag) => Number.isFinite(FACTS.mean(page, { tag })));
  return shared.sort((a, b) => FACTS.mean(page, { tag: b }) - FACTS.mean(page, { tag: a })).slice(0, n).sort();
};
/** @typedef {{name: string, of: Arguments, words?: string}} Option */
/** The scales of what the page shows now. @returns {string[]} */
const shownScales = ({ why, network, edits, model }) => why?.scales ?? network?.scales
  ?? edits?.models.find(({ name }) => name === model)?.scales ?? [];
/** What can be chosen; nothing before the page has it. @returns {Option[]} */
export const optionsOf = (/** @type {Ask} */ ask, /** @type {PageFacts} */ page) => {
  const { kind, tags, likely, scales, options = [] } = ask;
  if (kind === "choose-tag") return (tags ?? likelyTags(page, likely ?? 0)).map((tag) => ({ name: tag, of: { tag } }));
  if (kind === "choose-scale") {
    return (scales ?? shownScales(page)).map((scale) => ({ name: scale, of: { scale } }));
  }
  if (kind === "choose-model") return page.models.map(({ name }) => ({ name, of: { model: name } }));
  return options.map(({ words, ...of }) => ({ name: words, of, words }));
};

// ---- the key
//: Beside an interval this much is still in it, seconds.
const SLACK_S = 0.25;

/**
 * The right answer by what the page shows: names that are right, with by how far the best leads; a number and how far
 * from it is right; or intervals of seconds. Null where the page does not show what is asked for.
 * @returns {Key | null}
 */
export const keyOf = (/** @type {Ask} */ ask, /** @type {PageFacts} */ page) => {
  const { kind, fact, of = {}, pick = "largest", close = 0, within = 0 } = ask;
  if (kind === "choose-seconds") {
    const places = PLACES_ASKED[fact](page, of);
    return places.length ? { kind, places } : null;
  }
  if (kind === "number") {
    const value = FACTS[fact](page, of);
    return Number.isFinite(value) ? { kind, value, within } : null;
  }
  const sign = pick === "largest" ? 1 : -1;
  const valued = optionsOf(ask, page).map(({ name, of: own }) =>
    ({ name, value: sign * FACTS[fact](page, { ...of, ...own }) }));
  if (valued.length < 2 || valued.some(({ value }) => !Number.isFinite(value))) return null;
  const [best, next] = valued.sort((a, b) => b.value - a.value);
  const names = valued.filter(({ value }) => value >= best.value - close).map(({ name }) => name);
  return { kind, names, value: sign * best.value, lead: best.value - next.value };
};

/** Whether an answer is right: a name, a number, or seconds. */
export const isRight = (/** @type {Key} */ key, /** @type {string | number} */ given) => {
  if (key.names) return key.names.includes(String(given));
  if (key.places) return key.places.some(([a, b]) => Number(given) >= a - SLACK_S && Number(given) <= b + SLACK_S);
  return Math.abs(Number(given) - (key.value ?? NaN)) <= (key.within ?? 0);
};

export const isDone = (/** @type {Act} */ { act, of = {} }, /** @type {PageFacts} */ page) => ACTS[act](page, of);
