// The player stays: when it has been scrolled out of view, or lies below a lesson's panel, a small one of the same
// takes its place on top of the page.

//: Height of the small player, pixels; style.css gives it to the picture.
const SMALL = 90;
//: The panel that must not cover the player's button.
export const PANEL = "mse-lesson-panel";

/**
 * @param {HTMLElement} element
 * @param {HTMLElement} place where it lies in the page; keeps its height, so that nothing below moves
 */
export const keepInView = (element, place) => {
  const play = /** @type {HTMLElement} */ (element.querySelector(".mse-play"));
  let depth = 0;   // of the button in its place
  const isUnderPanel = (/** @type {DOMRect} */ { left, top }) => {
    const panel = document.querySelector(`.${PANEL}`)?.getBoundingClientRect();
    if (!element.classList.contains("stuck")) depth = play.getBoundingClientRect().bottom - top;
    return panel !== undefined && panel.left < left + play.offsetWidth && panel.top < top + depth;
  };
  const watch = () => {
    const box = place.getBoundingClientRect(), { left, right, bottom, height } = box;
    const isStuck = !element.hidden && height > 0 && (bottom < SMALL || isUnderPanel(box));
    if (isStuck && !element.classList.contains("stuck")) place.style.height = `${height}px`;
    element.classList.toggle("stuck", isStuck);
    if (!isStuck) place.style.height = "";
    element.style.paddingLeft = isStuck ? `${left}px` : "";
    element.style.paddingRight = isStuck ? `${document.documentElement.clientWidth - right}px` : "";
  };
  addEventListener("scroll", watch, { passive: true });
  new ResizeObserver(watch).observe(document.body);
};
