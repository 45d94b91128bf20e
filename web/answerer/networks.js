// The graph of both networks in ONNX Runtime: one window of sound to its mel and to what each network makes of it.

// @ts-ignore: of the npm package onnxruntime-web, where the site has it
import * as ort from "../runtime/ort.wasm.min.mjs";

/** @import { Context, Knowledge, Level, Matrix, NetworkFacts, Output } from "./types.d.ts" */

const fetched = async (/** @type {string} */ name) => {
  const answer = await fetch(new URL(`../data/${name}`, import.meta.url));
  if (!answer.ok) throw new Error(`${name} could not be fetched: open this page again.`);
  return answer.arrayBuffer();
};

/** Gives each tensor that is told by its place its values. */
const fill = (/** @type {any} */ told, /** @type {ArrayBuffer} */ weights) => {
  if (told === null || typeof told !== "object") return;
  if ("offset" in told) told.values = new Float32Array(weights, told.offset, told.shape[0] * told.shape[1]);
  else Object.values(told).forEach((part) => fill(part, weights));
};
/** A level's filters out of the graph, its normalisation folded in. @returns {Level} */
const folded = ({ filters: { shape, offset }, gain, bias }, /** @type {ArrayBuffer} */ graph) => {
  const size = shape[1] * shape[2] * shape[3];
  const filters = new Float32Array(graph.slice(offset, offset + 4 * shape[0] * size));
  return { shape, weight: filters.map((value, i) => value * gain.values[Math.floor(i / size)]), bias: bias.values };
};
/** @returns {Promise<Knowledge>} */
const loadKnowledge = async (/** @type {ArrayBuffer} */ graph) => {
  const [text, weights] = await Promise.all([fetched("knowledge.json"), fetched("weights.bin")]);
  /** @type {Knowledge} */
  const knowledge = JSON.parse(new TextDecoder().decode(text));
  const levels = knowledge.models.map((model) => model.levels);
  levels.flat().forEach(({ gain, bias }) => fill([gain, bias], weights));
  knowledge.models.forEach((model, i) => {
    model.levels = [];
    model.folded = levels[i].map((level) => folded(level, graph));
  });
  fill(knowledge, weights);
  return knowledge;
};

const startRuntime = async (/** @type {ArrayBuffer} */ graph) => {
  const { wasm } = ort.env;
  wasm.numThreads = self.crossOriginIsolated ? Math.min(4, navigator.hardwareConcurrency) : 1;
  wasm.wasmPaths = new URL("../runtime/", import.meta.url).href;
  return ort.InferenceSession.create(graph, { graphOptimizationLevel: "all" });
};

/** One level of a network by itself, for some of its columns; see web/convolution.py. @returns {Context["convolve"]} */
const levelRunner = (/** @type {Record<string, string>} */ graphs) => {
  /** @type {Map<string, Promise<any>>} */
  const sessions = new Map();
  const session = (/** @type {string} */ pool) => {
    const known = sessions.get(pool)
      ?? ort.InferenceSession.create(Uint8Array.from(atob(graphs[pool]), (letter) => letter.charCodeAt(0)));
    sessions.set(pool, known);
    return known;
  };
  return async ({ values, dims }, { weight, shape, bias }, pool = null) => {
    const [x, filters, biases] = [[values, dims], [weight, shape], [bias, [bias.length]]].map(([data, of]) =>
      new ort.Tensor("float32", data, of));
    const { y } = await (await session(pool ? pool.join() : "")).run({ x, weight: filters, bias: biases });
    return { values: y.data, dims: y.dims };
  };
};

/** One map a channel. @returns {Matrix[]} */
const channelsOf = ({ data, dims: [, channels, rows, columns] }) => Array.from({ length: channels }, (_, channel) =>
  ({ values: data.slice(channel * rows * columns, (channel + 1) * rows * columns), rows, columns }));

/** @returns {Promise<Pick<Context, "knowledge" | "run" | "convolve">>} */
export const load = async () => {
  const graph = await fetched("networks.onnx");
  const [knowledge, session] = await Promise.all([loadKnowledge(graph), startRuntime(graph)]);
  const { models } = knowledge, parts = ["logits", "features", "cells"];
  const always = ["mel", ...models.flatMap(({ name }) => parts.map((part) => `${name}.${part}`))];
  /** @returns {Output} */
  const outputOf = (results, /** @type {NetworkFacts} */ { name }) => ({ logits: results[`${name}.logits`].data,
    features: results[`${name}.features`].data, cells: Int32Array.from(results[`${name}.cells`].data, Number) });
  /** @type {Context["run"]} */
  const run = async (window, which) => {
    const model = models.find(({ name }) => name === which), wanted = model?.maps.map((map) => `${which}.${map}`) ?? [];
    const waveform = new ort.Tensor("float32", window, [1, window.length]);
    const results = await session.run({ waveform }, [...always, ...wanted]);
    return { mel: results.mel.data, outputs: models.map((each) => outputOf(results, each)),
      maps: wanted.map((name) => channelsOf(results[name])) };
  };
  return { knowledge, run, convolve: levelRunner(knowledge.graphs) };
};
