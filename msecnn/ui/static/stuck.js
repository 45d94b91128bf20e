// The player stays: when it has been scrolled out of view, a small one of the same takes its place on top of the page.

//: Height of the small player, pixels; style.css gives it to the picture.
const SMALL = 90;

/**
 * @param {HTMLElement} element
 * @param {HTMLElement} place where it lies in the page; keeps its height, so that nothing below moves
 */
export const keepInView = (element, place) => {
  const watch = () => {
    const { left, right, bottom, height } = place.getBoundingClientRect();
    const isStuck = !element.hidden && height > 0 && bottom < SMALL;
    if (isStuck && !element.classList.contains("stuck")) place.style.height = `${height}px`;
    element.classList.toggle("stuck", isStuck);
    if (!isStuck) place.style.height = "";
    element.style.paddingLeft = isStuck ? `${left}px` : "";
    element.style.paddingRight = isStuck ? `${document.documentElement.clientWidth - right}px` : "";
  };
  addEventListener("scroll", watch, { passive: true });
  new ResizeObserver(watch).observe(document.body);
};
