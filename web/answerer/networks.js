// The graph of both networks in ONNX Runtime: one window of sound to its mel and to what each network makes of it.

// @ts-ignore: of the npm package onnxruntime-web, where the site has it
import * as ort from "../runtime/ort.wasm.min.mjs";

/** @import { Context, Knowledge, Matrix, NetworkFacts, Output } from "./types.d.ts" */

const fetched = async (/** @type {string} */ name) => {
  const answer = await fetch(new URL(`../data/${name}`, import.meta.url));
  if (!answer.ok) throw new Error(`${name} could not be fetched: open this page again.`);
  return answer.arrayBuffer();
};

/** @returns {Promise<Knowledge>} */
const loadKnowledge = async () => {
  const [text, weights] = await Promise.all([fetched("knowledge.json"), fetched("weights.bin")]);
  /** @type {Knowledge} */
  const knowledge = JSON.parse(new TextDecoder().decode(text));
  for (const model of knowledge.models) {
    for (const part of [model.classifier, model.mean_features, model.familiar_mean, model.familiar_axes]) {
      part.values = new Float32Array(weights, part.offset, part.shape[0] * part.shape[1]);
    }
  }
  return knowledge;
};

const startRuntime = async () => {
  const { wasm } = ort.env;
  wasm.numThreads = self.crossOriginIsolated ? Math.min(4, navigator.hardwareConcurrency) : 1;
  wasm.wasmPaths = new URL("../runtime/", import.meta.url).href;
  return ort.InferenceSession.create(await fetched("networks.onnx"), { graphOptimizationLevel: "all" });
};

/** One map a channel. @returns {Matrix[]} */
const channelsOf = ({ data, dims: [, channels, rows, columns] }) => Array.from({ length: channels }, (_, channel) =>
  ({ values: data.slice(channel * rows * columns, (channel + 1) * rows * columns), rows, columns }));

/** @returns {Promise<Pick<Context, "knowledge" | "run">>} */
export const load = async () => {
  const [knowledge, session] = await Promise.all([loadKnowledge(), startRuntime()]);
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
  return { knowledge, run };
};
