// The exact part of an explanation: from the average clip to this one, one step a scale, as a sentence and a figure.
// The page draws this figure itself: as Plotly's it would make that library's script a part of every explanation.

import { h } from "./dom.js";
import { percent, plain, scaleTitle, sigmoid, signed } from "./format.js";
import { withTerms } from "./glossary.js";
import { t, told } from "./language.js";

/** @import { Explanation } from "./types.d.ts" */

//: Contributions that are not told, for they would be rounded to nothing.
const NOTHING = 0.005;

/**
 * @param {Explanation} answer
 * @param {string} title
 * @param {string | null} tag
 */
export const sentence = (answer, title, tag) => {
  const { scales, relative, probability, base_probability: base, mean_known: known } = answer;
  if (answer.cannot) {
    return `${t("{model} gives {tag} {probability}.", { model: title, tag, probability: percent(probability) })} ${
      told(answer.cannot)}`;
  }
  const numbers = { model: title, tag, probability: percent(probability), base: percent(base) };
  const start = known ? t("{model} gives {tag} {probability}; the average clip gets {base}.", numbers)
    : t("{model} gives {tag} {probability}; with no features at all it would give {base}.", numbers);
  if (scales.length < 2) {
    return `${start} ${t("It has one scale, so all of the difference comes from {scale}.",
      { scale: scaleTitle(scales[0]) })}`;
  }
  const words = (value) => ({ scale: scaleTitle(scales[relative.indexOf(value)]), value: signed(value) });
  const best = Math.max(...relative), worst = Math.min(...relative);
  const both = [best > NOTHING && t("{scale} lifts it most ({value}).", words(best)),
    worst < -NOTHING && t("{scale} pulls it down most ({value}).", words(worst))];
  return [start, ...both].filter(Boolean).join(" ");
};

const row = (name, number, /** @type {number[]} */ [left, right], kind, hint = "") => {
  const style = { left: `${left}%`, width: `${Math.max(0.35, right - left)}%` };
  return h("div", { class: `mse-step ${kind}`, "data-hint": hint || null }, h("span", {}, name),
    h("span", { class: "mse-track" }, h("i", { style })), h("b", {}, number));
};

/** From where to where a step leads, for the pointer. */
const stepWords = (/** @type {number} */ from, /** @type {number} */ to) =>
  t("logit {from} → {to}: probability {before} → {after}", { from: plain(from, 3), to: plain(to, 3),
    before: percent(sigmoid(from)), after: percent(sigmoid(to)) });

export const waterfall = (/** @type {Explanation} */ answer) => {
  const { scales, relative, base, logit, base_probability: baseP, probability, mean_known: known } = answer;
  const totals = relative.reduce((list, step) => [...list, (list.at(-1) ?? base) + step], [base]);
  const low = Math.min(...totals), high = Math.max(...totals), pad = Math.max(0.2, (high - low) * 0.08);
  const x = (value) => (100 * (value - low + pad)) / (high - low + 2 * pad);
  const between = (a, b) => [Math.min(x(a), x(b)), Math.max(x(a), x(b))];
  const point = (name, value, p) => row(name, `${plain(value)} (${percent(p)})`, between(value, value), "point");
  const steps = scales.map((scale, s) => row(scaleTitle(scale), signed(relative[s]),
    between(totals[s], totals[s + 1]), relative[s] < 0 ? "down" : "up", stepWords(totals[s], totals[s + 1])));
  return h("figure", { class: "mse-waterfall", "aria-label": t("From the average clip to this one, one step a scale") },
    h("div", { class: "mse-step-head" }, h("span"), h("span", {}, withTerms(t("logit"))), h("b")),
    point(known ? t("Average clip") : t("Bias alone"), base, baseP), steps, point(t("This clip"), logit, probability),
    h("figcaption", {}, t("Exact: the classifier is linear, so the steps add up to the logit.")));
};
