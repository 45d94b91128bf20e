// The strongest evidence as a list: pointing at it marks it in the player, a click plays it.

import { button, h } from "./dom.js";
import { hertz, scaleTitle, signed } from "./format.js";
import { playPlace, player } from "./main_player.js";

/** @import { Event, Explanation } from "./types.d.ts" */

export const placeWords = ({ start_s: start, end_s: end, low_hz: low, high_hz: high }) =>
  `${start.toFixed(1)} to ${end.toFixed(1)} s, ${hertz(Math.max(0, low))} to ${hertz(high)}`;

const item = (/** @type {Event} */ event) => {
  const words = placeWords(event), title = scaleTitle(event.scale), adds = signed(event.relative);
  const attributes = {
    class: "mse-evidence", "aria-label": `Play ${title}, ${words}, ${adds}`,
    onclick: () => playPlace(event, event.relative),
    onmouseenter: () => player.mark([{ ...event, sign: event.relative }]), onmouseleave: () => player.mark([]),
  };
  return h("li", {}, button(attributes, h("i", { class: "mse-mini-play", "aria-hidden": "true" }),
    h("span", {}, h("strong", {}, title), ` ${words}`), h("b", { class: event.relative < 0 ? "down" : "up" }, adds)));
};

export const evidenceList = (/** @type {Explanation} */ { positive, negative, absences }) =>
  h("div", { class: "mse-evidences" }, positive.length > 0 && h("h3", {}, "Strongest evidence"),
    h("ol", {}, positive.map(item)),
    negative.length > 0 && h("h3", {}, "Against"), h("ol", {}, negative.map(item)),
    absences.length > 0 && h("h3", {}, "In favour by what is absent"),
    h("ul", {}, absences.map(({ sentence, share }) =>
      h("li", {}, `${sentence} `, h("b", { class: "up" }, signed(share))))));
