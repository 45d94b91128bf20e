// Copy link: the address of what is seen, for others. A Space's own address bar is out of reach of the page in it.

import { writeAddress } from "./address.js";
import { button, fill, h, part } from "./dom.js";
import { t } from "./language.js";
import { state } from "./state.js";

//: How long it is said that the link was copied, milliseconds.
const SAID_MS = 2500;

/** The page's address without what a Space adds for itself: parameters of a visitor, such as a signature. */
export const pageLink = () => {
  writeAddress();
  const address = new URL(location.href);
  [...address.searchParams.keys()].filter((key) => key.startsWith("__"))
    .forEach((key) => address.searchParams.delete(key));
  return address.href;
};
/** Where the clipboard is closed, as in many a frame and without HTTPS, a selection may still be copied. */
const copySelection = (/** @type {string} */ text) => {
  const field = h("textarea", { class: "mse-copied", readonly: true });
  field.value = text;
  document.body.append(field);
  field.select();
  const copied = document.execCommand("copy");
  field.remove();
  return copied;
};
const copy = async (/** @type {string} */ text) => {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copySelection(text);
  }
};

/** The button, and where neither way works, the link to be copied by hand. */
export const copyLink = () => {
  const place = part("share"), said = h("span", { role: "status" });
  const share = async () => {
    const text = pageLink(), copied = await copy(text), own = state.recording && !state.recording.example;
    if (!copied) return fill(place, copying, h("input", { readonly: true, value: text, "aria-label": t("Link") }));
    said.textContent = own ? t("Copied, without your recording") : t("Copied");
    setTimeout(() => { said.textContent = ""; }, SAID_MS);
  };
  const copying = button({ class: "mse-quiet", onclick: share }, t("Copy link"));
  place.append(copying, said);
  return place;
};
