// What every figure offers: to be saved as PNG, and to be looked at larger.

import { button, download, h } from "./dom.js";
import { figureSvg, png } from "./figure_svg.js";
import { t } from "./language.js";
import { modelOf, state } from "./state.js";

//: Largest and smallest size of an enlarged figure, and a step.
const MOST = 6, LEAST = 0.5, STEP = 1.25;

/** What a figure is of, for who finds the file later. */
export const credit = () => {
  const { recording, tag, models } = state;
  if (!recording) return "";
  const names = models.map(({ title }) => title).join(", ");
  const about = tag ? t("{tag} in {model}", { tag, model: modelOf().title }) : names;
  return [recording.name, recording.credit, about].filter(Boolean).join(" · ");
};
const fileName = (/** @type {string} */ title) =>
  `${state.recording?.name.replace(/\.[^.]*$/, "") ?? ""} ${title}.png`.replace(/[\\/:*?"<>|]/g, " ").trim();

export const savePng = async (/** @type {Blob} */ blob, /** @type {string} */ title) => {
  const url = URL.createObjectURL(blob);
  download(url, fileName(title));
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
};

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

/**
 * Two buttons for the figure in an element; `title` is called when it is saved.
 * @param {() => HTMLElement | null} find
 * @param {() => string} title
 */
export const figureTools = (find, title) => {
  const act = (/** @type {(element: HTMLElement, title: string) => Promise<void>} */ does) => () => {
    const element = find();
    if (element) does(element, title());
  };
  const save = async (/** @type {HTMLElement} */ element, /** @type {string} */ name) =>
    savePng(await png(await figureSvg(element, name, credit())), name);
  return h("div", { class: "mse-figure-tools mse-no-picture" },
    button({ class: "mse-quiet", onclick: act(save) }, t("Save PNG")),
    button({ class: "mse-quiet", onclick: act(enlarge) }, t("Enlarge")));
};
