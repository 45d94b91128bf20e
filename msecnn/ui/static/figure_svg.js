// A figure of the page as an SVG picture that looks the same anywhere: for saving as PNG, and for enlarging.

import { SVG } from "./dom.js";

//: What the figures' styles are made of; the rest has no effect on a still picture.
const STYLES = ["align-content", "align-items", "align-self", "background", "background-clip", "border-bottom",
  "border-collapse", "border-left", "border-radius", "border-right", "border-spacing", "border-top", "bottom",
  "box-shadow", "box-sizing", "color", "column-count", "column-gap", "content", "display", "fill",
  "fill-opacity", "flex", "flex-wrap", "font", "gap",
  "grid-auto-columns", "grid-auto-flow", "grid-column", "grid-row", "grid-template-columns", "grid-template-rows",
  "height", "image-rendering", "inset", "justify-content", "justify-items", "justify-self", "left", "letter-spacing",
  "line-height", "list-style", "margin", "max-width", "min-height", "min-width", "opacity", "order", "outline",
  "outline-offset", "overflow", "overflow-wrap", "padding", "position", "right", "stroke",
  "stroke-dasharray", "stroke-opacity", "stroke-width", "text-align",
  "text-decoration", "text-overflow", "text-shadow", "top", "transform", "vertical-align", "visibility", "white-space",
  "width", "z-index"];

const styleText = (/** @type {CSSStyleDeclaration} */ style) =>
  STYLES.map((name) => `${name}:${style.getPropertyValue(name)}`).join(";");

/** What a style sheet draws before or after an element. */
const drawnBeside = (/** @type {Element} */ element, /** @type {"::before" | "::after"} */ side) => {
  const style = getComputedStyle(element, side), { content } = style;
  if (content === "none" || content === "normal") return null;
  const span = document.createElement("span");
  span.setAttribute("style", styleText(style));
  span.textContent = content.replace(/^"|"$/g, "");
  return span;
};

//: What is not for a picture; Plotly's buttons are one.
const NO_PICTURE = "[hidden], .mse-no-picture, .mse-sr, output, .modebar-container";
/** A copy that needs no style sheet; canvases become pictures, and what is not for a picture is left out. */
const copy = (/** @type {Element} */ element) => {
  if (element.matches(NO_PICTURE)) return null;
  const isCanvas = element instanceof HTMLCanvasElement, isHtml = element instanceof HTMLElement;
  const name = isCanvas ? "img" : element.localName;
  const twin = document.createElementNS(element.namespaceURI, name);
  if (isCanvas) twin.setAttribute("src", element.toDataURL());
  if (!isHtml) [...element.attributes].forEach(({ name: key, value }) => twin.setAttribute(key, value));
  twin.setAttribute("style", styleText(getComputedStyle(element)));
  if (isCanvas) return twin;
  const parts = [isHtml && drawnBeside(element, "::before"), ...[...element.childNodes].map((node) =>
    (node instanceof Element ? copy(node) : node.nodeType === Node.TEXT_NODE && node.cloneNode())),
  isHtml && drawnBeside(element, "::after")];
  twin.append(...parts.filter((part) => part instanceof Node));
  return twin;
};

/** The page's own fonts, which a picture must bring with it. */
const fontFaces = async () => {
  const rules = [...document.styleSheets].flatMap((sheet) => {
    try { return [...sheet.cssRules]; } catch { return []; }
  }).filter((rule) => rule instanceof CSSFontFaceRule && /Plex Sans/.test(rule.cssText));
  const faces = rules.map(async (/** @type {any} */ rule) => {
    const [, source] = rule.cssText.match(/url\("?([^")]+)"?\)/) ?? [];
    if (!source) return "";
    const base = rule.parentStyleSheet?.href ?? document.baseURI, answer = await fetch(new URL(source, base));
    return answer.ok ? rule.cssText.replace(source, await dataUrl(await answer.blob())) : "";
  });
  return (await Promise.all(faces)).join("\n");
};
const dataUrl = (/** @type {Blob} */ blob) => new Promise((resolve) => {
  const reader = new FileReader();
  reader.onload = () => resolve(reader.result);
  reader.readAsDataURL(blob);
});
/** @type {Promise<string> | null} */
let fonts = null;

const PAD = 16, LINE = 22, GAP = 6;
const line = (/** @type {string} */ words, /** @type {string} */ style) => {
  const element = document.createElement("div");
  element.setAttribute("style", `${style};height:${LINE}px;overflow:hidden;white-space:nowrap;text-overflow:ellipsis`);
  element.textContent = words;
  return element;
};

/**
 * @param {HTMLElement} element
 * @param {string} title
 * @param {string} credit
 * @returns {Promise<{source: string, width: number, height: number, inside: [number, number]}>} `source` is a data
 *   URI, `inside` where in it the element begins
 */
export const figureSvg = async (element, title, credit) => {
  fonts ??= fontFaces().catch(() => "");
  const style = getComputedStyle(document.body), faces = await fonts;
  const width = Math.ceil(Math.max(element.scrollWidth, element.getBoundingClientRect().width)) + 2 * PAD;
  const height = Math.ceil(element.scrollHeight) + 2 * LINE + 2 * PAD + 12;
  const root = document.createElement("div");
  const font = getComputedStyle(element).fontFamily;
  root.setAttribute("style", `box-sizing:border-box;width:${width}px;height:${height}px;padding:${PAD}px;`
    + `background:${style.backgroundColor};color:${style.color};font:15px ${font}`);
  const twin = copy(element);
  const laid = `margin:${GAP}px 0;width:${width - 2 * PAD}px;overflow:visible`;
  twin?.setAttribute("style", `${twin.getAttribute("style")};${laid}`);
  const css = document.createElement("style");
  css.textContent = faces;
  root.append(css, line(title, "font-weight:700"), twin ?? "", line(credit, "font-size:12px;opacity:.75"));
  const body = new XMLSerializer().serializeToString(root);
  const svg = `<svg xmlns="${SVG}" width="${width}" height="${height}" `
    + `viewBox="0 0 ${width} ${height}"><foreignObject width="100%" height="100%">${body}</foreignObject></svg>`;
  const source = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
  return { source, width, height, inside: [PAD, PAD + LINE + GAP] };
};

/** The picture on a canvas, in so many times its size. */
export const painted = async ({ source, width, height }, scale = 2) => {
  const image = new Image();
  image.src = source;
  await image.decode();
  const canvas = new OffscreenCanvas(Math.round(width * scale), Math.round(height * scale));
  const context = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  return canvas;
};
/** The picture as PNG. @returns {Promise<Blob>} */
export const png = async (picture, scale = 2) => (await painted(picture, scale)).convertToBlob({ type: "image/png" });
