// The strongest evidence as a list: pointing at it marks it in the player, a click plays it.

import { button, h } from "./dom.js";
import { hertz, scaleTitle, signed } from "./format.js";
import { fixed, t, told } from "./language.js";
import { playPlace, player } from "./main_player.js";

/** @import { Event, Explanation } from "./types.d.ts" */

export const placeWords = ({ start_s: start, end_s: end, low_hz: low, high_hz: high }) =>
  t("{from} to {to} s, {low} to {high}", { from: fixed(start, 1), to: fixed(end, 1), low: hertz(Math.max(0, low)),
    high: hertz(high) });

const item = (/** @type {Event} */ event) => {
  const words = placeWords(event), title = scaleTitle(event.scale), adds = signed(event.relative);
  const attributes = {
    class: "mse-evidence",
    onclick: () => playPlace(event, event.relative),
    onmouseenter: () => player.mark([{ ...event, sign: event.relative }]), onmouseleave: () => player.mark([]),
  };
  const heard = h("span", { class: "mse-sr" }, t("Play"));
  return h("li", {}, button(attributes, h("i", { class: "mse-mini-play", "aria-hidden": "true" }),
    h("span", {}, heard, " ", h("strong", {}, title), ` ${words} `),
    h("b", { class: event.relative < 0 ? "down" : "up" }, adds)));
};

export const evidenceList = (/** @type {Explanation} */ { positive, negative, absences, evidence_follows }) =>
  h("div", { class: "mse-evidences" }, evidence_follows && h("p", { class: "mse-facts" }, t("Looking …")),
    positive.length > 0 && h("h3", {}, t("Strongest evidence")),
    h("ol", {}, positive.map(item)),
    negative.length > 0 && h("h3", {}, t("Against")), h("ol", {}, negative.map(item)),
    absences.length > 0 && h("h3", {}, t("In favour by what is absent")),
    h("ul", {}, absences.map(({ sentence, share }) =>
      h("li", {}, `${told(sentence)} `, h("b", { class: "up" }, signed(share))))));
