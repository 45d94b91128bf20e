// The page's texts in the visitor's language. The English text is the key; assets/locales has the other languages.

const { language, locales } = window.msecnn.offered;

/** Modules wait for this, so that no text is seen in another language first; without it, the page is English. */
const load = async () => {
  const none = { page: {}, controls: {}, sentences: {} };
  if (!locales[language]) return none;
  try {
    return await (await fetch(new URL(locales[language], document.baseURI))).json();
  } catch {
    return none;
  }
};
/** @type {{page: Record<string, string>, controls: Record<string, string>, sentences: Record<string, string>}} */
const { page, controls, sentences } = await load();
/** @type {Record<string, string>} */
const catalogue = { ...sentences, ...controls, ...page };

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
const PATTERNS = Object.entries(sentences).filter(([text]) => text.match(PLACE)).map(([text, words]) => {
  const parts = text.split(PLACE), names = parts.filter((_, i) => i % 2 === 1);
  const fixedParts = parts.filter((_, i) => i % 2 === 0).map(escape);
  return { pattern: new RegExp(`^${fixedParts.join("(.+?)")}$`, "s"), names, words };
});
/** One sentence, by what is the same in all such sentences; what varies in it may be a text, too. */
const toldOne = (/** @type {string} */ text) => {
  if (catalogue[text]) return catalogue[text];
  for (const { pattern, names, words } of PATTERNS) {
    const match = text.match(pattern);
    if (!match) continue;
    return insert(words, Object.fromEntries(names.map((name, i) => [name, toldOne(match[i + 1]) ?? match[i + 1]])));
  }
  return null;
};

/** What the server says, which knows no language; what is not among the texts stays as it is. */
export const told = (/** @type {string} */ text) =>
  toldOne(text) ?? text.split(/(?<=\.) (?=[A-Z“])/).map((sentence) => toldOne(sentence) ?? sentence).join(" ");

/** A number with two digits that count. */
export const precise = (/** @type {number} */ value) =>
  (language === "de" ? value.toPrecision(2).replace(".", ",") : value.toPrecision(2));
/** A number with so many digits after its point, or comma. */
export const fixed = (/** @type {number} */ value, /** @type {number} */ digits) =>
  (language === "de" ? value.toFixed(digits).replace(".", ",") : value.toFixed(digits));
