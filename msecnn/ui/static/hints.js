// One small box of words beside what is pointed at or has the focus: values of figures, and what a term means.

import { h } from "./dom.js";

const box = h("div", { class: "mse-hint", role: "tooltip", id: "mse-hint", hidden: true });
const MARGIN = 8;
/** @type {Element | null} */
let shown = null;

/** The nearest element that has something to say. */
const hinted = (/** @type {Event} */ { target }) => (target instanceof Element ? target.closest("[data-hint]") : null);

const show = (/** @type {Element} */ element) => {
  if (!box.isConnected) (document.querySelector(".gradio-container") ?? document.body).append(box);
  shown?.removeAttribute("aria-describedby");
  shown = element;
  element.setAttribute("aria-describedby", box.id);
  box.textContent = element.getAttribute("data-hint");
  box.hidden = false;
  const { left, top, bottom, width } = element.getBoundingClientRect(), { offsetWidth, offsetHeight } = box;
  const x = Math.min(innerWidth - offsetWidth - MARGIN, Math.max(MARGIN, left + width / 2 - offsetWidth / 2));
  const above = top - offsetHeight - MARGIN;
  Object.assign(box.style, { left: `${x}px`, top: `${above > MARGIN ? above : bottom + MARGIN}px` });
};
const hide = () => {
  shown?.removeAttribute("aria-describedby");
  shown = null;
  box.hidden = true;
};

for (const name of ["pointerover", "focusin", "click"]) {
  document.addEventListener(name, (event) => {
    const element = hinted(event);
    if (element && name !== "click") show(element);
    else if (element?.matches(".mse-term")) show(element);   // a finger does not hover
    else if (shown && !shown.contains(/** @type {Node} */ (event.target))) hide();
  });
}
document.addEventListener("focusout", hide);
addEventListener("scroll", () => {   // focus scrolls, too
  if (shown && shown === document.activeElement) show(shown);
  else hide();
}, { passive: true });
document.addEventListener("keydown", ({ key }) => { if (key === "Escape") hide(); });
