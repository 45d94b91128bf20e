// What the networks themselves say to a question of the room: the page's own figures at the moment it is asked.

import { percent } from "./format.js";
import { t } from "./language.js";
import { call } from "./rpc.js";
import { likeliestTag, modelOf, offered, state } from "./state.js";

/** @import { RoomDraft, RoomNetwork } from "./types.d.ts" */

//: Tags that are offered of each network.
const N_TAGS = 4;

export const tagAsked = () => state.tag ?? likeliestTag(modelOf());

/** The likeliest tags of all networks. */
export const likeliestTags = () => [...new Set(state.models.flatMap(({ tags, probabilities: p }) =>
  tags.map((name, k) => ({ name, p: p[k] })).sort((a, b) => b.p - a.p).slice(0, N_TAGS).map(({ name }) => name)))];

/** @returns {RoomNetwork[]} Of each network that knows all of these tags: how probable they are to it. */
export const probabilities = (/** @type {string[]} */ tags) => state.models
  .filter((model) => tags.every((name) => model.tags.includes(name)))
  .map(({ title, tags: names, probabilities: p }) =>
    ({ title, unit: "probability", values: tags.map((name) => p[names.indexOf(name)]) }));

/** @returns {RoomNetwork[]} In which part of a range of percents each network's own number lies. */
export const placed = (/** @type {number} */ low, /** @type {number} */ high) => {
  const { bins = 1 } = offered.room ?? {}, tag = tagAsked();
  return state.models.filter(({ tags }) => tags.includes(tag)).map(({ title, tags, probabilities: p }) => {
    const value = 100 * p[tags.indexOf(tag)], part = (value - low) / (high - low);
    const bin = Math.min(bins - 1, Math.floor(part * bins));
    return { title: `${title} ${percent(value / 100)}`, unit: "place",
      values: Array.from({ length: bins }, (_, i) => Number(i === bin)) };
  });
};

/** Each network with scales: its exact terms for the tag, and when its winning cells speak for it. */
const networksSay = async () => {
  const { networks } = await call("room-networks", { tag: tagAsked(), window: state.window });
  if (!networks.length) throw new Error(t("No network with scales is chosen: choose another model."));
  return networks;
};
/** The scales, all of them unless some are named. @returns {Promise<RoomDraft>} */
export const scalesDraft = async (/** @type {string} */ text, /** @type {string[]} */ named = []) => {
  const said = await networksSay(), [all] = said.map((one) => one.scales).sort((a, b) => b.length - a.length);
  const choices = named.length ? named : all;
  const termOf = (/** @type {any} */ network, /** @type {string} */ scale) =>
    network.terms[network.scales.indexOf(scale)] ?? 0;   // a scale that is not connected adds nothing
  return { kind: "scales", text, choices, networks: said.map((network) =>
    ({ title: network.title, unit: "term", values: choices.map((scale) => termOf(network, scale)) })) };
};
/** @returns {Promise<RoomDraft>} */
export const secondsDraft = async (/** @type {string} */ text) => {
  const said = await networksSay(), [low, high] = said[0].span_s;
  const located = said.filter(({ seconds }) => seconds.some(Boolean));   // cells of the last level are nowhere
  return { kind: "seconds", text, low, high,
    networks: located.map(({ title, seconds: values }) => ({ title, unit: "share", values })) };
};
