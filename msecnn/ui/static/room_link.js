// How phones come into the room: a QR picture, an address and a code; small beside the page, large for a projector.

import { h, svg } from "./dom.js";
import { t } from "./language.js";

//: White around a QR picture, in its squares, as its standard asks for.
const MARGIN = 4;

/** @typedef {{base: string, qr: string[]}} Way */

const dark = (/** @type {string[]} */ rows) => rows.flatMap((row, y) =>
  [...row].map((square, x) => (square === "1" ? `M${x + MARGIN} ${y + MARGIN}h1v1h-1z` : ""))).join("");

/** Black on white in either theme: that is what cameras read. */
const qrPicture = (/** @type {Way} */ { base, qr }) => {
  const side = qr.length + 2 * MARGIN;
  return svg("svg", { class: "mse-room-qr", viewBox: `0 0 ${side} ${side}`, role: "img",
    "aria-label": t("QR picture of {address}", { address: base }), "shape-rendering": "crispEdges" },
  svg("rect", { width: side, height: side, fill: "#fff" }), svg("path", { d: dark(qr), fill: "#000" }));
};
/** What people type who have no camera at hand. */
export const typed = (/** @type {Way} */ { base }) => `${base.replace(/^\w+:\/\//, "")}room`;

/** The picture, the address and the code. */
export const joinCard = (/** @type {Way | undefined} */ way, /** @type {string} */ code) =>
  h("div", { class: "mse-room-join" }, way && qrPicture(way),
    h("p", {}, way && h("span", {}, typed(way)), h("strong", { class: "mse-room-code" }, code)));
