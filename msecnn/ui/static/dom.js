// Small tools for drawing: elements, buttons, choices, status lines.

import { t } from "./language.js";

/** @import { Model } from "./types.d.ts" */
/** @typedef {Node | string | number | null | undefined | false} Leaf */
/** @typedef {Leaf | (Leaf | any[])[]} Child */

export const SVG = "http://www.w3.org/2000/svg";

const shown = (child) => child !== null && child !== undefined && child !== false;

const setAttribute = (element, key, value) => {
  if (!shown(value)) return;
  if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
  else if (key === "style" && typeof value === "object") {
    Object.entries(value).forEach(([property, setting]) => element.style.setProperty(property, setting));
  } else element.setAttribute(key, value === true ? "" : value);
};
const build = (element, attributes, children) => {
  Object.entries(attributes ?? {}).forEach(([key, value]) => setAttribute(element, key, value));
  element.append(...children.flat(Infinity).filter(shown));
  return element;
};

/**
 * An HTML element. Attributes that begin with "on" are listeners; those that are null or false are left out.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} name
 * @param {Record<string, any> | null} [attributes]
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export const h = (name, attributes = {}, ...children) => build(document.createElement(name), attributes, children);

/**
 * @param {keyof SVGElementTagNameMap} name
 * @param {Record<string, any>} [attributes]
 * @param {...Child} children
 * @returns {SVGElement}
 */
export const svg = (name, attributes = {}, ...children) =>
  build(document.createElementNS(SVG, name), attributes, children);

/** What a control is, for finding it again after it was drawn anew. */
const identity = (/** @type {Element} */ control) =>
  [control.tagName, control.id, control.getAttribute("aria-label") ?? control.textContent].join();

/** Draws anew what is in an element; focus stays on the control that had it. */
export const fill = (/** @type {Element} */ element, /** @type {Child[]} */ ...children) => {
  const focused = element.contains(document.activeElement) ? document.activeElement : null;
  element.replaceChildren(...children.flat(Infinity).filter((child) => child));
  if (!focused || focused === element || focused.isConnected) return;
  const controls = [...element.querySelectorAll(focused.tagName)];
  const again = controls.find((control) => identity(control) === identity(focused));
  /** @type {HTMLElement | undefined} */ (again)?.focus({ preventScroll: true });
};

/** Whether an element is laid out: in the tab that is open. */
export const isVisible = (/** @type {HTMLElement} */ element) => element.offsetParent !== null;

/**
 * @param {Record<string, any>} attributes
 * @param {...Child} children
 */
export const button = (attributes, ...children) =>
  h("button", { type: "button", class: "mse-button", ...attributes }, ...children);

/**
 * @param {string} label
 * @param {boolean} pressed
 * @param {() => void} onclick
 */
export const toggle = (label, pressed, onclick, attributes = {}) =>
  button({ class: "mse-toggle", "aria-pressed": String(pressed), onclick, ...attributes }, label);

/**
 * @param {string} label
 * @param {boolean} on
 * @param {() => void} onclick
 */
export const onOff = (label, on, onclick, attributes = {}) => button(
  { class: "mse-switch", role: "switch", "aria-checked": String(on), "aria-label": label, onclick, ...attributes },
  h("i"));

/** A line that tells what is going on; `say` writes it. */
export const statusLine = (/** @type {"p" | "span"} */ tag = "p") => h(tag, { class: "mse-status", role: "status" });
export const say = (/** @type {HTMLElement} */ line, /** @type {string} */ words, kind = "") => {
  line.textContent = words;
  line.className = `mse-status ${kind}`;
};

/**
 * A button for a file, and the input that it opens; the keyboard meets the button only.
 * @param {string} id
 * @param {string} kind
 * @param {(file: File) => void} take
 */
export const fileChooser = (id, kind, take) => {
  const input = h("input", { type: "file", id, class: "mse-sr", tabindex: -1, "aria-hidden": "true",
    "aria-label": t("A file"), accept: "audio/*,video/mp4,video/webm,.opus,.flac,.m4a,.ogg" });
  input.addEventListener("change", () => {
    const file = input.files?.[0];
    if (file) take(file);
  });
  return { input, label: button({ class: `mse-button ${kind}`, onclick: () => input.click() }, t("Choose a file")) };
};

/** What is read off, beside the pointer: on the side where there is room. */
export const placeBeside = (/** @type {HTMLElement} */ readout, x, y, width) => {
  const isLeft = x < width / 2;
  Object.assign(readout.style, { top: `${Math.max(4, y - 34)}px`, left: isLeft ? `${x + 12}px` : "auto",
    right: isLeft ? "auto" : `${width - x + 12}px` });
};

export const download = (/** @type {string} */ href, /** @type {string} */ name) => {
  const link = h("a", { href, download: name });
  document.body.append(link);
  link.click();
  link.remove();
};

/** The same of a file that a server names otherwise: the name that it gives would win. */
export const downloadAs = async (/** @type {string} */ href, /** @type {string} */ name) => {
  const answer = await fetch(href);
  if (!answer.ok) throw new Error(answer.statusText);
  saveBlob(await answer.blob(), name);
};
//: For so long a browser may take to begin saving, milliseconds.
const KEPT_MS = 60_000;
export const saveBlob = (/** @type {Blob} */ blob, /** @type {string} */ name) => {
  const url = URL.createObjectURL(blob);
  download(url, name);
  setTimeout(() => URL.revokeObjectURL(url), KEPT_MS);
};

/** A div for a part of a view. */
export const part = (/** @type {string} */ name) => h("div", { class: `mse-${name}` });

/** Said wherever such a model's numbers are shown. */
export const warnUntrained = (/** @type {Model[]} */ models) => {
  const names = models.filter((model) => model.untrained).map((model) => model.title);
  const words = { models: names.join(t(" and ")) };
  return names.length > 0 && h("p", { class: "mse-warning" }, names.length > 1
    ? t("{models} have random weights and learned nothing: these numbers mean nothing about the music.", words)
    : t("{models} has random weights and learned nothing: these numbers mean nothing about the music.", words));
};

/**
 * A row of a chart of tags: its name, one bar a value, and the values. The label says it in words to those who do not
 * see it: as text, since an `aria-label` would have to hold all that is written on it.
 */
export const tagRow = ({ label = "", ...attributes }, name, /** @type {Child} */ bars, numbers) => {
  const seen = { "aria-hidden": label ? "true" : null };
  return button(attributes, label && h("span", { class: "mse-sr" }, label),
    h("span", { class: "mse-tag-name", ...seen }, name), h("span", { class: "mse-bars", ...seen }, bars),
    h("span", { class: "mse-numbers", ...seen }, numbers));
};
