// What the page needs later, fetched once after the first answer: then nothing more is asked of the network.

/** @type {Map<string, Promise<Blob>>} */
const blobs = new Map();
/** @type {Map<string, Promise<string>>} */
const addresses = new Map();

const fetched = async (/** @type {string} */ file) => {
  const answer = await fetch(new URL(file, document.baseURI));
  if (!answer.ok) throw new Error(`${file} could not be fetched: try again with a network.`);
  return answer.blob();
};
/** @returns {Promise<any>} */
const kept = (/** @type {Map<string, Promise<any>>} */ map, /** @type {string} */ key, make) => {
  const known = map.get(key) ?? make().catch((/** @type {Error} */ error) => {
    map.delete(key);   // the next one who asks tries again
    throw error;
  });
  map.set(key, known);
  return known;
};

/** @returns {Promise<Blob>} */
export const blobOf = (/** @type {string} */ file) => kept(blobs, file, () => fetched(file));

/** Where this browser has the file itself. @returns {Promise<string>} */
export const addressOf = (/** @type {string} */ file) =>
  kept(addresses, file, async () => URL.createObjectURL(await blobOf(file)));

/** Keeps a copy of the whole page in the browser, for when there is no network. */
export const keepPage = async () => {
  if (!("serviceWorker" in navigator)) return;
  await navigator.serviceWorker.register(new URL("sw.js", document.baseURI));
  await navigator.serviceWorker.ready;
};
