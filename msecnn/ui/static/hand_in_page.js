// A worksheet as an HTML page that needs nothing else: built as elements, so that no text can become markup.

import { h } from "./dom.js";
import { t } from "./language.js";

/**
 * @typedef {{step: number, text: string, question: string, answer: string}} Answer
 * @typedef {{id: string, title: string, answers: Answer[]}} AnsweredLesson
 * @typedef {object} HandIn What a worksheet says, as plain values; `python -m msecnn worksheets` reads it.
 * @property {number} schema
 * @property {string} kind
 * @property {string} student
 * @property {string} saved when, ISO 8601
 * @property {string} language
 * @property {string} recording
 * @property {string} credit
 * @property {string} link to what was seen; empty of an own recording
 * @property {AnsweredLesson[]} lessons
 * @property {[string, string][]} settings
 * @typedef {{title: string, source: string, width?: number}} Part A figure or a sound, where it is, pixels
 */

const STYLE = `
body { font: 16px/1.5 system-ui, sans-serif; max-width: 54rem; margin: 2rem auto; padding: 0 1rem; color: #1c1917; }
h1 { line-height: 1.2; margin-bottom: .2rem; overflow-wrap: anywhere; } h2 { margin: 2rem 0 .4rem; font-size: 1.2rem; }
p { margin: .4rem 0; } .soft { color: #69625b; } img { max-width: 100%; border: 1px solid #e3ddd5; }
audio { width: 24rem; max-width: 100%; } figure { margin: 1rem 0; break-inside: avoid; }
table { border-collapse: collapse; font-size: .9rem; } th { text-align: left; font-weight: 400; color: #69625b; }
th, td { padding: .15rem .9rem .15rem 0; vertical-align: top; overflow-wrap: anywhere; }
.name { border-bottom: 1px solid #69625b; display: inline-block; min-width: 12rem; overflow-wrap: anywhere; }
.answer { border: 1px solid #e3ddd5; border-radius: 6px; min-height: 5.5rem; padding: .5rem .7rem; }
.answer { white-space: pre-wrap; overflow-wrap: anywhere; }
section { break-inside: avoid; }
@page { size: A4; margin: 16mm; }
@media print { body { margin: 0; max-width: none; font-size: 11pt; } audio { display: none; } }
`;
//: By this the page's data is found again.
const DATA = "msecnn-worksheet";

const answers = (/** @type {AnsweredLesson} */ { title, answers: given }, /** @type {boolean} */ named) => [
  named && h("h2", {}, title), ...given.map(({ step, text, question, answer }) => h("section", {},
    h(named ? "h3" : "h2", {}, t("Question {n}", { n: step + 1 })), h("p", { class: "soft" }, text),
    h("p", {}, question), h("div", { class: "answer" }, answer)))];
const heading = (/** @type {HandIn} */ { recording, lessons }) =>
  (lessons.length === 1 ? lessons[0].title : t("{name}: a worksheet", { name: recording }));
const day = (/** @type {string} */ saved, /** @type {string} */ language) =>
  new Date(saved).toLocaleDateString(language, { dateStyle: "long" });

/**
 * The page's text.
 * @param {HandIn} data
 * @param {string[]} sentences what the page said
 * @param {Part[]} figures
 * @param {Part[]} sounds
 */
export const handInPage = (data, sentences, figures, sounds) => {
  const { student, saved, language, credit, recording, lessons, settings } = data, title = heading(data);
  const said = sentences.filter(Boolean).map((words) => h("p", {}, words));
  const body = h("body", {}, h("h1", {}, title),
    h("p", { class: "soft" }, t("Name"), " ", h("span", { class: "name" }, student), " ", t("Date"), " ",
      h("span", { class: "name" }, day(saved, language))),
    h("h2", {}, t("The clip")), h("p", {}, [recording, credit].filter(Boolean).join(". ")),
    ...sounds.map(({ title: words, source }) =>
      h("p", {}, words, h("br"), h("audio", { controls: true, "data-at": source }))),
    h("h2", {}, t("What the page showed")), ...said,
    ...figures.map(({ title: words, source, width }) =>
      h("figure", {}, h("img", { alt: words, width, "data-at": source }))),
    ...lessons.map((lesson) => answers(lesson, lessons.length > 1)),
    h("h2", {}, t("Settings")), h("table", {}, settings.map(([key, value]) =>
      h("tr", {}, h("th", {}, key), h("td", {}, value)))));
  const head = h("head", {}, h("meta", { charset: "utf-8" }),
    h("meta", { name: "viewport", content: "width=device-width, initial-scale=1" }), h("title", {}, title));
  head.append(h("style", {}, STYLE));
  // Inside a script element, only a "<" could end it.
  body.append(h("script", { type: "application/json", id: DATA }, JSON.stringify(data).replaceAll("<", "\\u003c")));
  const text = asText(h("html", { lang: language }, head, body));
  return `<!DOCTYPE HTML>\n${text}\n`;
};
/** As text; pictures and sounds get their addresses in a document that loads none. */
const asText = (/** @type {HTMLElement} */ root) => {
  const inert = document.implementation.createHTMLDocument();
  inert.documentElement.replaceWith(root);
  for (const element of root.querySelectorAll("[data-at]")) {
    element.setAttribute("src", element.getAttribute("data-at") ?? "");
    element.removeAttribute("data-at");
  }
  return root.outerHTML;
};
