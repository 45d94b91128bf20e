// Keeps every file of this page in the browser, under the version that was built, and answers from there.

const worker = /** @type {any} */ (self);   // a service worker, which has more than a page's `self`
const VERSION = "@VERSION@", FILES = JSON.parse(`@FILES@`);

worker.addEventListener("install", (/** @type {any} */ event) => event.waitUntil(keep()));
worker.addEventListener("activate", (event) => event.waitUntil(forget()));
worker.addEventListener("fetch", (event) => event.respondWith(answer(event.request)));

const keep = async () => {
  const cache = await caches.open(VERSION);
  await cache.addAll(FILES);
  await worker.skipWaiting();
};
const forget = async () => {
  const old = (await caches.keys()).filter((name) => name !== VERSION);
  await Promise.all(old.map((name) => caches.delete(name)));
  await worker.clients.claim();
};
const answer = async (request) => {
  const kept = await caches.match(request, { ignoreSearch: request.mode === "navigate" });
  return isolated(kept ?? await fetch(request));
};
/** Lets the page use several threads: browsers share memory only between documents that say so. */
const isolated = (response) => {
  if (!response.ok || response.type === "opaque") return response;
  const headers = new Headers(response.headers);
  headers.set("Cross-Origin-Opener-Policy", "same-origin");
  headers.set("Cross-Origin-Embedder-Policy", "require-corp");
  return new Response(response.body, { status: response.status, statusText: response.statusText, headers });
};
