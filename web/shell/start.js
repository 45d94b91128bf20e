// In place of Gradio and its server: mounts the page's modules, and lets a worker answer what they ask.

import { connectAll } from "./controls.js";
import { decode } from "./decode.js";
import { addressOf, blobOf, keepPage } from "./files.js";

/** @import { Decoded } from "../answerer/types.d.ts" */
/** @typedef {{value: any, changed: () => void}} Endpoint */

const { offered } = window.msecnn;
/** @type {{examples: Record<string, {file: string, title: string}>}} */
const { examples } = /** @type {any} */ (window.msecnn.site);

if (matchMedia("(prefers-color-scheme: dark)").matches) document.body.classList.add("dark");

// ---- the worker
const worker = new Worker(new URL("../answerer/worker.js", import.meta.url), { type: "module" });
/** @type {Map<string, Endpoint>} By the id of a request that was not answered yet. */
const asked = new Map();

/**
 * The file that a request opens, decoded; null where it asks for the open one again.
 * @returns {Promise<Decoded | null>}
 */
const decoded = async (/** @type {any} */ { example = null, path, name }) => {
  if (example !== null && !examples[example]) {
    throw new Error(`There is no example called ${String(example).slice(0, 60)}.`);
  }
  if (example === null && !path) return null;
  const blob = example === null ? await (await fetch(path)).blob() : await blobOf(examples[example].file);
  return decode(blob, { name: examples[example]?.title ?? name, example, max_s: offered.max_s });
};
const send = async (/** @type {Endpoint} */ endpoint, /** @type {string} */ name, /** @type {any} */ request) => {
  asked.set(request.id, endpoint);
  try {
    const sound = name === "open" || name === "second" ? await decoded(request) : null;
    const parts = sound?.channels.map(({ buffer }) => buffer) ?? [];
    worker.postMessage({ name, request: { ...request, decoded: sound } }, parts);
  } catch (error) {
    settle({ request: request.id, error: error.message });
  }
};
/** An example's sound is already in this browser; files become one zip. */
const withAddresses = async (/** @type {any} */ { files, ...answer }) => {
  if (files) answer.file = { url: URL.createObjectURL(app.zip(files, new Date())) };
  for (const part of [answer.sound, answer.recording?.audio]) {
    if (part && Object.values(examples).some(({ file }) => file === part.url)) part.url = await addressOf(part.url);
  }
  return answer;
};
const settle = async (/** @type {any} */ answer) => {
  const endpoint = asked.get(answer.request);
  if (!endpoint) return;
  if (answer.progress === undefined) asked.delete(answer.request);
  endpoint.value = await withAddresses(answer);
  endpoint.changed();
};
worker.onmessage = ({ data }) => settle(data);
worker.onerror = () => [...asked.keys()].forEach((request) =>
  settle({ request, error: "The networks could not be started in this browser: open this page again." }));

/** A file stays in this browser: what opens it is its address here. */
window.msecnn.handOver = async (/** @type {Blob} */ file) => URL.createObjectURL(file);

// ---- the page
const app = await import(new URL("../page/app.js", import.meta.url).href);
document.querySelectorAll("[data-t]").forEach((element) => { element.textContent = app.t(element.textContent); });
document.querySelectorAll("fieldset[aria-label]").forEach((element) =>
  element.setAttribute("aria-label", app.t(element.getAttribute("aria-label"))));
document.querySelectorAll(`.prose[lang]:not([lang="${offered.language}"])`).forEach((element) => element.remove());
for (const name of offered.endpoints ?? []) {
  /** @type {Endpoint} */
  const endpoint = { value: null, changed: () => {} };
  app.connect(name, { props: endpoint, send: (/** @type {any} */ request) => send(endpoint, name, request),
    watch: (/** @type {string} */ _, /** @type {() => void} */ changed) => { endpoint.changed = changed; } });
}
document.querySelectorAll("[data-mount]").forEach((place) =>
  app.mount(/** @type {HTMLElement} */ (place).dataset.mount, place.firstElementChild));
connectAll(app);

// ---- after the first answer
const later = async () => {
  await Promise.all(Object.values(examples).map(({ file }) => addressOf(file)));
  offered.plotly = await addressOf(offered.plotly);
  await keepPage();
};
/** @type {any} */ (window.msecnn).kept = new Promise((resolve) => {
  const wait = () => (/** @type {any} */ (window.msecnn.state).recording ? resolve(later()) : setTimeout(wait, 200));
  wait();
});
