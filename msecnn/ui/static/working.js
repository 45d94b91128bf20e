// A slow request: how far it is, and a button that stops it.

import { button, h } from "./dom.js";
import { t } from "./language.js";
import { call, queuePlace } from "./rpc.js";

/** By which the server knows the request that is to stop; nobody else can guess it. */
export const newToken = () =>
  [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

/**
 * @param {number | null} part the share that is done, null before it is known
 * @param {string} token
 * @param {string} endpoint
 */
export const working = (part, token, endpoint) => {
  const bar = part === null ? { "aria-label": t("Working") } : { value: part, max: 1, "aria-label": t("Progress") };
  const words = queuePlace(endpoint) || (part === null ? t("Computing …") : `${Math.round(100 * part)} %`);
  const stop = () => call("stop", { token }, { parallel: true }).catch(() => {});   // it then goes on to its end
  return h("span", { class: "mse-working" }, h("progress", bar), h("span", {}, words),
    button({ onclick: stop }, t("Stop")));
};
