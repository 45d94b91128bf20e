// Take it apart: every level's maps, its channels, and one channel; `ui/tabs/network.py` on the graph's own maps.

import { fieldOfCell, fieldSize } from "./geometry.js";
import { round } from "./numbers.js";
import { mapPicture, ownGrey, picture, pooled } from "./pictures.js";
import { asked, scaleParts, splitAnswer } from "./split.js";
import { windowOf } from "./sound.js";

/** @import { Context, Matrix, NetworkFacts } from "./types.d.ts" */

/**
 * The maps that were computed last, with what they are of.
 * @type {{key: object | null, which: string, maps: Matrix[][]}}
 */
let kept = { key: null, which: "", maps: [] };

const mapsOf = async (/** @type {Context} */ context, { tagged, model, opening }) => {
  if (kept.key !== tagged || kept.which !== model.name) {
    const { sample_rate: rate, window_samples: length } = context.knowledge.front_end;
    const window = windowOf(opening.sound, Math.round(tagged.start_s * rate), length);
    kept = { key: tagged, which: model.name, maps: (await context.run(window, model.name)).maps };
  }
  return kept.maps;
};
const refuseRandom = (/** @type {Context} */ { knowledge }, /** @type {any} */ request) => {
  if (request.random) throw new Error(knowledge.refused.sanity);
};

/**
 * One map for a whole level: the mean over its channels, each first brought to mean 0 and deviation 1.
 * @returns {Matrix}
 */
const typical = (/** @type {Matrix[]} */ maps) => {
  const [{ rows, columns }] = maps, size = rows * columns;
  if (size === 1) return { values: maps.map(({ values: [value] }) => value), rows: 1, columns: maps.length };
  const result = new Float32Array(size);
  for (const { values } of maps) {
    let sum = 0, squares = 0;
    for (const value of values) sum += value;
    const mean = sum / size;
    for (const value of values) squares += (value - mean) ** 2;
    const deviation = Math.max(Math.sqrt(squares / size), 1e-6);
    for (let i = 0; i < size; i++) result[i] += (values[i] - mean) / deviation / maps.length;
  }
  return { values: result, rows, columns };
};

export const takeApart = async (/** @type {Context} */ context, /** @type {any} */ request) => {
  refuseRandom(context, request);
  const { knowledge } = context, question = asked(context, request), { model } = question;
  const levels = (await mapsOf(context, question)).map((maps, level) => {
    const { bands, duration_s: seconds } = fieldSize(model, level, knowledge.front_end), name = model.maps[level];
    return { name, channels: maps.length, rows: maps[0].rows, columns: maps[0].columns,
      carried: model.scales.includes(name), picture: mapPicture(typical(maps), knowledge.thumbnail),
      field_s: round(seconds, 2), field_bands: bands };
  });
  return { levels, ...splitAnswer(context, request, "first") };
};

/** The strongest cell of a map among those that can reach the classifier. */
const winner = (/** @type {Matrix} */ { values, columns }, /** @type {[number, number]} */ [tall, wide]) => {
  let best = { value: -Infinity, row: 0, column: 0 };
  for (let row = 0; row < tall; row++) {
    for (let column = 0; column < wide; column++) {
      const value = values[row * columns + column];
      if (value > best.value) best = { value, row, column };
    }
  }
  return best;
};
const levelOf = (/** @type {NetworkFacts} */ model, /** @type {string} */ level) => {
  const number = model.maps.indexOf(level);
  if (number < 0) throw new Error(`The levels are ${model.maps.join(", ")}, not ${String(level).slice(0, 60)}.`);
  return number;
};
/** A channel's weight to the tag, and what it adds beyond the average clip; none of a level that is not carried on. */
const adds = (/** @type {NetworkFacts} */ model, /** @type {number} */ k, level, channel, value) => {
  const part = scaleParts(model).find((scale) => scale.level === level);
  if (!part) return null;
  const { classifier: { values: weights, shape: [, width] }, mean_features: { values: mean } } = model;
  const c = part.first + channel, weight = weights[k * width + c];
  return { weight, relative: weight * (value - mean[c]) };
};

export const showChannels = async (/** @type {Context} */ context, /** @type {any} */ request) => {
  refuseRandom(context, request);
  const question = asked(context, request), { model, k } = question, level = levelOf(model, request.level);
  const maps = (await mapsOf(context, question))[level];
  const small = maps.map((map) => pooled(map, context.knowledge.thumbnail));
  const [{ rows, columns }] = small, sprite = new Uint8Array(small.length * rows * columns);
  small.forEach((map, channel) => sprite.set(ownGrey(map), channel * rows * columns));
  const values = maps.map((map) => winner(map, model.crops[level]).value);
  const relative = values.map((value, channel) => adds(model, k, level, channel, value)?.relative);
  return { picture: picture(sprite, small.length * rows, columns), rows, columns,
    values: values.map((value) => round(value, 3)),
    relative: relative[0] === undefined ? null : relative.map((value) => round(value ?? 0, 4)) };
};

export const showChannel = async (/** @type {Context} */ context, /** @type {any} */ request) => {
  refuseRandom(context, request);
  const question = asked(context, request), { model, k, tagged } = question, level = levelOf(model, request.level);
  const map = (await mapsOf(context, question))[level][request.channel];
  if (!map) throw new Error(`The channel is a number from 0 to ${model.channels[level] - 1}.`);
  const { value, row, column } = winner(map, model.crops[level]), { examples, enlarged, front_end } = context.knowledge;
  const field = Object.entries(fieldOfCell(model, level, row, column, front_end, tagged.start_s));
  const moments = model.moments[model.maps[level]][request.channel].map((/** @type {any} */ moment) =>
    ({ ...moment, title: examples[moment.example].title }));
  return { picture: mapPicture(map, enlarged), rows: map.rows, columns: map.columns, crop: model.crops[level],
    row, column, value, ...Object.fromEntries(field.map(([key, number]) => [key, round(number, 3)])), moments,
    ...adds(model, k, level, request.channel, value) };
};

export const giveMoment = (/** @type {Context} */ { knowledge }, /** @type {any} */ { example }) => {
  if (!knowledge.examples[example]) throw new Error("There is no such example.");
  return { sound: { url: knowledge.examples[example].file } };
};
