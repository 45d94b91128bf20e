// Handing in: a worksheet as one page, or as a zip with its figures as files. Neither name nor answers are sent.

import { keepName, studentName } from "./answers.js";
import { onChoice } from "./controls.js";
import { button, h, isVisible, saveBlob, say, statusLine } from "./dom.js";
import { editsText } from "./edit_chain.js";
import { bareName, fileName } from "./file_names.js";
import { LONGEST_NAME, handIn, sentences } from "./hand_in_data.js";
import { figuresAsSeen, pictures } from "./hand_in_figures.js";
import { handInPage } from "./hand_in_page.js";
import { t } from "./language.js";
import { call, isSuperseded } from "./rpc.js";
import { offered, state } from "./state.js";
import { zip } from "./zip.js";

/** @import { HandIn } from "./hand_in_page.js" */
/** @typedef {{name: string, title: string, blob: Blob, width?: number}} File */

//: What a worksheet may have, bytes, and what of that its frame takes; base64 makes four letters of three bytes.
const MOST = 1_500_000, FRAME = 30_000, AS_TEXT = 3 / 4;

// ---- its files
const fetched = async (/** @type {{url: string}} */ { url }) => {
  const response = await fetch(url);
  if (!response.ok) throw new Error(response.statusText);
  return response.blob();
};
/** Two sounds at most, as small as the server makes them. @returns {Promise<File[]>} */
const soundsOf = async (facts) => {
  const named = [["clip", t("As the networks receive it:")], ["edited", t("With the edits:")]];
  const made = named.filter(([name]) => facts[name]);
  return Promise.all(made.map(async ([name, title]) => {
    const blob = await fetched(facts[name]), end = blob.type.includes("wav") ? "wav" : "mp3";
    return { name: `${name}.${end}`, title, blob };
  }));
};
const figureFiles = async (/** @type {import("./hand_in_figures.js").Seen[]} */ seen, /** @type {number} */ most) => {
  const blobs = await pictures(seen, most);
  return blobs.map((blob, i) => {
    const number = String(i + 1).padStart(2, "0"), end = blob.type === "image/png" ? ".png" : ".jpg";
    const { title, svg: { width } } = seen[i];
    return { name: `figures/${number} ${fileName([title], end)}`, title, blob, width };
  });
};
const dataUrl = (/** @type {Blob} */ blob) => new Promise((resolve) => {
  const reader = new FileReader();
  reader.onload = () => resolve(reader.result);
  reader.readAsDataURL(blob);
});
const readMe = (/** @type {HandIn} */ { recording, saved }) => [t("A worksheet of the MsE-CNN page."), "",
  t("worksheet.html shows it all: unpack the zip first, then open it in a browser; it needs no internet."),
  t("figures: each figure as it was seen, with its credit."),
  t("clip is what the networks received; edited is the same with the edits, if there were any."),
  t("answers.json holds name, questions, answers and settings. Those of a class become one table: python -m msecnn "
    + "worksheets FOLDER --out table.csv"), "", `${recording}, ${saved}`, ""].join("\r\n");

/** The parts of both forms. */
const collect = async () => {
  const facts = await call("worksheet", { window: state.window, edits: editsText() });
  const sounds = await soundsOf(facts), seen = await figuresAsSeen(), data = handIn(facts), said = sentences();
  const written = 3 * new TextEncoder().encode(JSON.stringify(data)).length;   // as a page and as data
  const room = AS_TEXT * (MOST - FRAME - written) - sounds.reduce((sum, { blob }) => sum + blob.size, 0);
  return { data, said, sounds, figures: await figureFiles(seen, room) };
};
const asPage = async () => {
  const { data, said, sounds, figures } = await collect();
  const inside = (/** @type {File[]} */ files) => Promise.all(files.map(async ({ title, blob, width }) =>
    ({ title, width, source: await dataUrl(blob) })));
  return new Blob([handInPage(data, said, await inside(figures), await inside(sounds))], { type: "text/html" });
};
const asZip = async () => {
  const { data, said, sounds, figures } = await collect(), text = new TextEncoder();
  const beside = (/** @type {File[]} */ files) => files.map(({ name, title, width }) =>
    ({ title, width, source: name.split("/").map(encodeURIComponent).join("/") }));
  const binary = await Promise.all([...figures, ...sounds].map(async ({ name, blob }) =>
    ({ name, bytes: new Uint8Array(await blob.arrayBuffer()) })));
  return zip([{ name: "README.txt", bytes: text.encode(readMe(data)) },
    { name: "worksheet.html", bytes: text.encode(handInPage(data, said, beside(figures), beside(sounds))) },
    { name: "answers.json", bytes: text.encode(`${JSON.stringify(data, null, 1)}\n`) }, ...binary], new Date());
};

// ---- the dialog
const status = statusLine();
const nameField = h("input", { type: "text", maxlength: LONGEST_NAME, autocomplete: "name", id: "mse-student",
  oninput: () => keepName(nameField.value) });
const save = async (/** @type {() => Promise<Blob>} */ make, /** @type {string} */ end) => {
  const lesson = offered.lessons.find(({ id }) => id === state.lesson?.id);
  const names = [bareName(state.recording?.name ?? ""), studentName(), lesson ? t(lesson.title) : t("worksheet")];
  buttons.forEach((choice) => { choice.disabled = true; });
  say(status, t("Collecting what you saw …"), "busy");
  try {
    saveBlob(await make(), fileName(names, end));
    say(status, t("Saved."));
  } catch (error) {
    if (!isSuperseded(error)) say(status, error.message, "error");
  }
  buttons.forEach((choice) => { choice.disabled = false; });
};
const buttons = [
  button({ class: "mse-button primary", onclick: () => save(asPage, ".html") }, t("Save as one page")),
  button({ onclick: () => save(asZip, ".zip") }, t("Save as a zip")),
];
const dialog = h("dialog", { class: "mse mse-dialog mse-hand-in", "aria-label": t("Worksheet") },
  h("div", { class: "mse-dialog-head" }, h("strong", {}, t("Worksheet")),
    button({ class: "mse-quiet", "aria-label": t("Close"), onclick: () => dialog.close() }, "×")),
  h("p", {}, t("One page to keep or to hand in: the clip, every figure as you saw it, the settings, and the questions "
    + "with your answers. It opens without this page and without the internet.")),
  h("label", { for: "mse-student" }, t("Your name")), nameField,
  h("p", { class: "mse-facts" }, t("Name and answers stay in this browser: they are in what you save, and nowhere "
    + "else.")),
  h("div", { class: "mse-toolbar" }, buttons), status);

/** Asks for the name, and saves what is chosen. */
export const openHandIn = () => {
  if (!dialog.isConnected) (document.querySelector(".gradio-container") ?? document.body).append(dialog);
  nameField.value = studentName();
  say(status, "");
  if (!isVisible(dialog)) dialog.showModal();
};
onChoice("worksheet", openHandIn);
