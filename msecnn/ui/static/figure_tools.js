// What every figure offers: to be saved as PNG, and to be looked at larger.

import { button, h, isVisible, saveBlob } from "./dom.js";
import { figureSvg, png } from "./figure_svg.js";
import { bareName, fileName } from "./file_names.js";
import { t } from "./language.js";
import { modelOf, state } from "./state.js";

//: Largest and smallest size of an enlarged figure, and a step.
const MOST = 6, LEAST = 0.5, STEP = 1.25;

/** What a figure is of, for who finds the file later. */
export const credit = () => {
  const { recording, tag, models, second, tab } = state;
  if (!recording) return "";
  const other = tab === "compare" && second ? [second.recording.name, second.recording.credit] : [];
  const names = models.map(({ title }) => title).join(", ");
  const about = tag ? t("{tag} in {model}", { tag, model: modelOf().title }) : names;
  return [recording.name, recording.credit, ...other, about].filter(Boolean).join(" · ");
};
export const savePng = (/** @type {Blob} */ blob, /** @type {string} */ title) =>
  saveBlob(blob, fileName([bareName(state.recording?.name ?? ""), title], ".png"));

// ---- larger
const picture = h("img", { alt: "", draggable: "false" });
const view = h("div", { class: "mse-enlarged-view", tabindex: 0 }, picture);
let size = 1, natural = 1;
const resize = (/** @type {number} */ next) => {
  const middle = [(view.scrollLeft + view.clientWidth / 2) / size, (view.scrollTop + view.clientHeight / 2) / size];
  size = Math.min(MOST, Math.max(LEAST, next));
  picture.style.width = `${natural * size}px`;
  view.scrollTo(middle[0] * size - view.clientWidth / 2, middle[1] * size - view.clientHeight / 2);
};
const tool = (/** @type {string} */ sign, /** @type {string} */ label, /** @type {() => void} */ act) =>
  button({ class: "mse-quiet", "aria-label": label, title: label, onclick: act }, sign);
const heading = h("strong");
const dialog = h("dialog", { class: "mse mse-dialog", "aria-label": t("A figure, enlarged") },
  h("div", { class: "mse-dialog-head" }, heading, tool("−", t("Smaller"), () => resize(size / STEP)),
    tool("+", t("Larger"), () => resize(size * STEP)), tool("×", t("Close"), () => dialog.close())), view);
view.addEventListener("wheel", (event) => {
  if (!event.ctrlKey && !event.metaKey) return;
  event.preventDefault();
  resize(size * STEP ** (-event.deltaY / 120));
}, { passive: false });
view.addEventListener("keydown", ({ key }) => {
  if (key === "+" || key === "=") resize(size * STEP);
  if (key === "-") resize(size / STEP);
});
const enlarge = async (/** @type {HTMLElement} */ element, /** @type {string} */ title) => {
  const { source, width } = await figureSvg(element, title, credit());
  if (!dialog.isConnected) (document.querySelector(".gradio-container") ?? document.body).append(dialog);
  picture.src = source;
  picture.alt = heading.textContent = title;
  natural = width;
  dialog.showModal();
  resize(Math.max(1, (view.clientWidth - 4) / width));
  view.focus();
};

// ---- the buttons
/** @typedef {{element: HTMLElement, title: string}} Figure */
/** @type {((element: HTMLElement, title: string) => Promise<void>) | null} */
let clip = null;
/** Gives the figures a third button, for a clip; where a browser makes none, nobody calls this. */
export const onClip = (/** @type {NonNullable<typeof clip>} */ open) => {
  clip = open;
  document.body.classList.add("mse-clips");
};
/** @type {WeakMap<Element, () => Figure | null>} What the buttons of a figure are for. */
const figures = new WeakMap();
/** A figure of Plotly's has its own buttons; what it shows is in its label, before a colon. */
const ofPlotly = (/** @type {HTMLElement} */ element) =>
  ({ element, title: (element.getAttribute("aria-label") ?? "").split(":")[0] });
/** All figures that are seen now, in their order on the page; none that is a part of another. @returns {Figure[]} */
export const seenFigures = () => {
  /** @type {HTMLElement[]} */
  const places = [...document.querySelectorAll(/** @type {any} */ (".mse-figure-tools, .mse-plot"))];
  const found = places.filter(isVisible)
    .map((place) => (place.matches(".mse-plot") ? ofPlotly(place) : figures.get(place)?.()))
    .filter((figure) => figure !== null && figure !== undefined)
    .filter(({ element }) => isVisible(element) && element.childElementCount > 0);
  return found.filter(({ element }) =>
    !found.some((other) => other.element !== element && other.element.contains(element)));
};

/**
 * Buttons for the figure in an element; `title` is called when it is saved.
 * @param {() => HTMLElement | null} find
 * @param {() => string} title
 */
export const figureTools = (find, title) => {
  const figure = () => {
    const element = find();
    return element && { element, title: title() };
  };
  const act = (/** @type {(element: HTMLElement, title: string) => Promise<void>} */ does) => () => {
    const found = figure();
    if (found) does(found.element, found.title);
  };
  const save = async (/** @type {HTMLElement} */ element, /** @type {string} */ name) =>
    savePng(await png(await figureSvg(element, name, credit())), name);
  const tools = h("div", { class: "mse-figure-tools mse-no-picture" },
    button({ class: "mse-quiet", onclick: act(save) }, t("Save PNG")),
    button({ class: "mse-quiet", onclick: act(enlarge) }, t("Enlarge")),
    button({ class: "mse-quiet mse-save-clip", onclick: act(async (...of) => clip?.(...of)) }, t("Save clip")));
  figures.set(tools, figure);
  return tools;
};
