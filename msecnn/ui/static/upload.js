// The one way in: drop, choose, record or take an example; then tagging starts by itself.

import { button, fileChooser, h } from "./dom.js";
import { fixed, plural, t } from "./language.js";
import { busy, mountStatus, openExample, openRecording, tellError } from "./open.js";
import { paintMel, read } from "./pictures.js";
import { recordButton } from "./recorder.js";
import { call } from "./rpc.js";
import { offered } from "./state.js";

const MB = 2 ** 20;
//: A browser that cannot tell a recording's length says nothing at all.
const PATIENCE_MS = 5000;

const minutes = (/** @type {number} */ seconds) => plural(seconds / 60, "{n} minute", "{n} minutes");

// ---- a file becomes what the server can open
// The length is read in the browser where it can be, so that nobody uploads what will be refused.
const durationOf = (url) => new Promise((resolve) => {
  const probe = new Audio();
  probe.preload = "metadata";
  probe.onloadedmetadata = () => resolve(Number.isFinite(probe.duration) ? probe.duration : null);
  probe.onerror = () => resolve(null);
  setTimeout(() => resolve(null), PATIENCE_MS);
  probe.src = url;
});
const check = (name, { size }, length_s) => {
  if (size === 0) throw new Error(t("{name} is empty.", { name }));
  if (size > offered.max_bytes) {
    throw new Error(t("{name} has {size} MB; this page takes up to {most} MB.",
      { name, size: Math.round(size / MB), most: offered.max_bytes / MB }));
  }
  if (length_s > offered.max_s) {
    throw new Error(t("{name} lasts {length} minutes; this page takes up to {most}.",
      { name, length: fixed(length_s / 60, 1), most: minutes(offered.max_s) }));
  }
};
/** By XMLHttpRequest, for it tells how far it is. */
const send = (file, name, progress) => new Promise((resolve, reject) => {
  const body = new FormData(), request = new XMLHttpRequest();
  const refuse = (/** @type {string} */ words) => reject(new Error(words));
  body.append("files", file, name);
  request.open("POST", new URL("gradio_api/upload", document.baseURI));
  request.upload.onprogress = (event) => event.lengthComputable && progress(event.loaded / event.total);
  request.onload = () => {
    if (request.status === 200) resolve(JSON.parse(request.responseText)[0]);
    else if (request.status === 413) refuse(t("{name} is larger than this page takes.", { name }));
    else refuse(t("{name} could not be uploaded (the server said {status}).", { name, status: request.status }));
  };
  request.onerror = () => refuse(t("{name} could not be uploaded: the server does not answer.", { name }));
  request.send(body);
});

/** Where the page has no server, what answers in its place takes the file itself. */
const handOver = window.msecnn.handOver ?? send;

/**
 * What the server can open, and the address at which this browser has the file itself.
 * @param {Blob} file
 * @param {string} name
 * @param {(words: string) => void} tell
 */
export const upload = async (file, name, tell) => {
  check(name, file, null);
  const url = URL.createObjectURL(file);
  tell(t("Reading {name} …", { name }));
  check(name, file, await durationOf(url));
  const path = await handOver(file, name, (part) => tell(t("Uploading {name}: {percent} %",
    { name, percent: Math.round(100 * part) })));
  return { request: { path, name }, url };
};
const take = async (/** @type {Blob} */ file, /** @type {string} */ name) => {
  try {
    const { request, url } = await upload(file, name, busy);
    await openRecording(request, url, name);
  } catch (error) {
    tellError(error);
  }
};

// ---- what is seen
const exampleCards = () => {
  const card = ({ id, title, artist, licence, kind, description }) => button(
    { class: "mse-card", title: [t(description), artist, licence].filter(Boolean).join(" · "), "data-example": id,
      onclick: () => openExample(id) },
    h("img", { alt: "", width: 200, height: 64 }), h("strong", {}, title), h("span", {}, t(kind)));
  const cards = offered.examples.map(card);
  showPictures(cards).catch(() => {});   // the cards can be chosen without them
  return h("div", { class: "mse-cards", role: "group", "aria-label": t("Examples") }, cards);
};
const showPictures = async (/** @type {HTMLElement[]} */ cards) => {
  const { pictures } = await call("example-pictures");
  for (const card of cards) {
    const canvas = paintMel(await read(pictures[card.dataset.example ?? ""]));
    /** @type {HTMLImageElement} */ (card.querySelector("img")).src = URL.createObjectURL(await canvas.convertToBlob());
  }
};
const dropArea = (/** @type {HTMLElement} */ status) => {
  const { input, label } = fileChooser("mse-file", "primary", (file) => take(file, file.name));
  const hours = offered.deleted_within_h;
  const length = minutes(offered.max_s);
  const promise = hours === null
    ? t("Any audio format that this browser plays, up to {length}; it stays on this device.", { length })
    : t("Any audio format, up to {length}; deleted from this page's server within {hours}.",
      { length, hours: plural(hours, "{n} hour", "{n} hours") });
  return h("div", { class: "mse-drop" }, h("div", { class: "mse-drop-actions" }, label, recordButton(take)),
    h("p", { class: "mse-drop-hint" }, h("strong", {}, t("Or drop a recording anywhere.")), " ", promise),
    input, status);
};
/** A file may be dropped anywhere on the page. */
const takeDrops = (/** @type {HTMLElement} */ area) => {
  const drag = (event) => {
    event.preventDefault();
    area.classList.add("over");
  };
  document.addEventListener("dragenter", drag);
  document.addEventListener("dragover", drag);
  document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) area.classList.remove("over"); });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    area.classList.remove("over");
    const file = event.dataTransfer?.files[0];
    if (file) take(file, file.name);
  });
};

export const mountUpload = (/** @type {HTMLElement} */ place) => {
  const area = dropArea(mountStatus(place));
  takeDrops(area);
  place.append(h("div", { class: "mse-upload" }, area, offered.examples.length > 0 ? exampleCards() : ""));
};
