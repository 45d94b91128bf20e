// In place of Gradio's controls: the browser's own, which the page's modules fill and hear by the same names.

/** @typedef {import("../../msecnn/ui/static/controls.js").Offer} Offer */
/** @typedef {(name: string, value?: any, key?: string) => void} Chosen */

const make = (/** @type {string} */ tag, properties, /** @type {Node[]} */ ...children) => {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
};

const radio = (/** @type {HTMLElement} */ element, /** @type {(value: any) => void} */ choose) => {
  const wrap = /** @type {HTMLElement} */ (element.querySelector(".wrap")), name = element.dataset.control;
  const mark = () => wrap.querySelectorAll("label").forEach((label) =>
    label.classList.toggle("selected", Boolean(label.querySelector("input")?.checked)));
  /** @type {Offer} */
  let shown = {};
  const draw = () => {
    const pill = (/** @type {string} */ title, /** @type {string} */ value) => make("label", {},
      make("input", { type: "radio", name, value, checked: value === shown.value }),
      make("span", { textContent: title }));
    wrap.replaceChildren(...(shown.choices ?? []).map((choice) => pill(...choice)));
    mark();
  };
  wrap.addEventListener("change", (event) => {
    shown.value = /** @type {HTMLInputElement} */ (event.target).value;
    mark();
    choose(shown.value);
  });
  return (/** @type {Offer} */ offer) => {
    const focused = wrap.contains(document.activeElement);
    shown = { ...shown, ...offer };
    draw();
    if (focused) /** @type {HTMLElement | null} */ (wrap.querySelector("input:checked"))?.focus();
  };
};

const dropdown = (/** @type {HTMLElement} */ element, /** @type {(value: any) => void} */ choose) => {
  const select = /** @type {HTMLSelectElement} */ (element.querySelector("select"));
  select.addEventListener("change", () => choose(select.value));
  return ({ choices, value }) => {
    const options = choices?.map(([textContent, name]) => make("option", { textContent, value: name }));
    if (options) select.replaceChildren(...options);
    if (value !== undefined) select.value = value ?? "";
  };
};

const checkbox = (/** @type {HTMLElement} */ element, /** @type {(value: any) => void} */ choose) => {
  const input = /** @type {HTMLInputElement} */ (element.querySelector("input"));
  input.addEventListener("change", () => choose(input.checked));
  return ({ value }) => { if (value !== undefined) input.checked = value; };
};

const button = (/** @type {HTMLElement} */ element, /** @type {(value?: any) => void} */ choose) => {
  element.addEventListener("click", () => choose());
  return ({ value }) => { if (value !== undefined) element.textContent = value; };
};

const accordion = (/** @type {HTMLElement} */ element, /** @type {(value?: any) => void} */ choose) => {
  element.addEventListener("toggle", () => { if (/** @type {HTMLDetailsElement} */ (element).open) choose(); });
  return () => {};
};

const tabs = (/** @type {HTMLElement} */ element, /** @type {(value: any, key: string) => void} */ choose) => {
  const heads = [.../** @type {NodeListOf<HTMLElement>} */ (element.querySelectorAll("[role=tab]"))];
  const show = (/** @type {string} */ name) => heads.forEach((head) => {
    const selected = head.dataset.tab === name, panel = document.getElementById(`tab-${head.dataset.tab}`);
    head.classList.toggle("selected", selected);
    head.setAttribute("aria-selected", String(selected));
    head.tabIndex = selected ? 0 : -1;
    if (panel) panel.hidden = !selected;
  });
  const press = (/** @type {HTMLElement} */ head) => {
    show(head.dataset.tab ?? "");
    head.focus();
    choose(head.dataset.tab, "selected");
  };
  heads.forEach((head, i) => {
    head.addEventListener("click", () => press(head));
    head.addEventListener("keydown", ({ key }) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[key];
      if (step) press(heads[(i + step + heads.length) % heads.length]);
    });
  });
  return ({ selected }) => { if (selected) show(selected); };
};

/** What the layout says of a control, in the visitor's language. @returns {Offer} */
const firstOffer = (/** @type {DOMStringMap} */ { kind, offer = "{}" }, /** @type {(text: string) => string} */ t) => {
  /** @type {Offer} */
  const told = JSON.parse(offer);
  if (kind === "button" && told.value) told.value = t(told.value);
  if (told.choices) told.choices = told.choices.map(([title, name]) => [t(title), name]);
  return told;
};

const KINDS = { radio, dropdown, checkbox, button, accordion, tabs };

/**
 * Brings every control of the page to life.
 * @param {{chosen: Chosen, connectControls: Function, takeOffers: Function, t: (text: string) => string}} app
 */
export const connectAll = ({ chosen, connectControls, takeOffers, t }) => {
  const elements = [.../** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-control]"))];
  const names = elements.map(({ dataset }) => dataset.control ?? "");
  const appliers = elements.map((element, i) =>
    KINDS[element.dataset.kind ?? ""](element, (value, key) => chosen(names[i], value, key)));
  const apply = (/** @type {Offer} */ offer, /** @type {number} */ i) => {
    if (offer.visible !== undefined) elements[i].hidden = !offer.visible;
    appliers[i](offer);
  };
  elements.forEach(({ dataset }, i) => apply(firstOffer(dataset, t), i));
  connectControls(names, () => takeOffers().forEach((offer, i) => offer && apply(offer, i)));
};
