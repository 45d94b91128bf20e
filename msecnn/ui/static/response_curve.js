// A response curve: tags over the strengths of one more edit, as Python draws it for each model.

import { button, fill, h, part } from "./dom.js";
import { editsText } from "./edit_chain.js";
import { t } from "./language.js";
import { plot } from "./plotly.js";
import { call, isSuperseded } from "./rpc.js";
import { offered, state } from "./state.js";
import { WORDS } from "./what_if_words.js";
import { newToken, working } from "./working.js";

const KINDS = offered.edits.kinds.filter(({ curve }) => curve !== null);
const form = h("div", { class: "mse-toolbar mse-edit-form" }), place = part("curve-figures");
let kind = KINDS[0], span = [...(kind.curve ?? [0, 1])];
/** The curve that is drawn, for what is saved; "" where none is. */
let drawn = "";

const text = () => `${kind.name}=${span[0]}:${span[1]}:${offered.edits.points}`;
export const drawnCurve = () => drawn;
export const forgetCurve = () => {
  drawn = "";
  fill(place);
};

const ask = async () => {
  const curve = text(), edits = editsText(), { window, recording } = state, token = newToken();
  const isOld = () => edits !== editsText() || window !== state.window || recording?.url !== state.recording?.url;
  const progress = (/** @type {number | null} */ share) =>
    !isOld() && fill(place, working(share, token, "what-if-curve"));
  progress(null);
  try {
    const { figures } = await call("what-if-curve", { edits, window, curve, token }, { progress });
    if (isOld()) return;
    drawn = curve;
    fill(place, figures.map(({ title, figure }) => h("div", {}, h("h4", {}, title), plot(figure))),
      h("p", { class: "mse-facts" }, WORDS.curveNote));
  } catch (error) {
    if (!isOld() && !isSuperseded(error)) fill(place, h("p", { class: "mse-status error" }, error.message));
  }
};

const choose = (/** @type {string} */ name) => {
  kind = KINDS.find((other) => other.name === name) ?? kind;
  span = [...(kind.curve ?? span)];
  draw();
};
const end = (/** @type {0 | 1} */ which, /** @type {string} */ words) => {
  const [{ unit = "", low, high }] = kind.parameters, name = `${words}, ${unit}`;
  const number = h("input", { type: "number", step: "any", min: low, max: high, value: span[which],
    "aria-label": WORDS.field(WORDS.curve, name) });
  number.addEventListener("change", () => {
    if (number.reportValidity() && Number.isFinite(number.valueAsNumber)) span[which] = number.valueAsNumber;
  });
  return h("label", {}, name, number);
};
const draw = () => {
  const select = h("select", { "aria-label": WORDS.curve, onchange: () => choose(select.value) },
    KINDS.map(({ name, title }) => h("option", { value: name, selected: name === kind.name }, t(title))));
  fill(form, h("label", {}, WORDS.kind, select), end(0, WORDS.from), end(1, WORDS.to),
    button({ onclick: ask }, WORDS.drawCurve));
};
export const curveView = () => {
  draw();
  return h("section", {}, h("h3", {}, WORDS.curve), h("p", { class: "mse-facts" }, WORDS.curveWords), form, place);
};
