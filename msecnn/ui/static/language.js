// The page's texts in the visitor's language. The English text is the key; assets/locales has the other languages.

const { language, locales } = window.msecnn.offered;

/** Modules wait for this, so that no text is seen in another language first; without it, the page is English. */
const load = async () => {
  if (!locales[language]) return {};
  try {
    return await (await fetch(new URL(locales[language], document.baseURI))).json();
  } catch {
    return {};
  }
};
/** @type {Record<string, string>} */
const catalogue = await load();

const PLACE = /\{(\w+)\}/g;
const insert = (/** @type {string} */ text, /** @type {Record<string, any>} */ values) =>
  text.replace(PLACE, (whole, /** @type {string} */ name) => (name in values ? String(values[name]) : whole));

/** A text of the page; each {name} in it becomes what `values` has for it. */
export const t = (/** @type {string} */ text, /** @type {Record<string, any>} */ values = {}) =>
  insert(catalogue[text] ?? text, values);

/** A text that speaks of a number, {n}. */
export const plural = (/** @type {number} */ n, /** @type {string} */ one, /** @type {string} */ many) =>
  t(n === 1 ? one : many, { n });

// ---- sentences that the server wrote
const escape = (/** @type {string} */ text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
const PATTERNS = Object.entries(catalogue).filter(([text]) => text.match(PLACE)).map(([text, words]) => {
  const names = [...text.matchAll(PLACE)].map(([, name]) => name);
  return { pattern: new RegExp(`^${text.split(/\{\w+\}/).map(escape).join("(.+?)")}$`, "s"), names, words };
});

/** What the server says, which knows no language: found among the texts by what is the same in all such sentences. */
export const told = (/** @type {string} */ text) => {
  if (catalogue[text]) return catalogue[text];
  for (const { pattern, names, words } of PATTERNS) {
    const match = text.match(pattern);
    if (match) return insert(words, Object.fromEntries(names.map((name, i) => [name, match[i + 1]])));
  }
  return text;
};

/** A number with so many digits after its point, or comma. */
export const fixed = (/** @type {number} */ value, /** @type {number} */ digits) =>
  (language === "de" ? value.toFixed(digits).replace(".", ",") : value.toFixed(digits));
