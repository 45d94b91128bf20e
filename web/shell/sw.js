// Keeps every file of this page in the browser, under the version that was built, and answers from there.

const VERSION = "@VERSION@", FILES = JSON.parse(`@FILES@`);

self.addEventListener("install", (event) => event.waitUntil(keep()));
self.addEventListener("activate", (event) => event.waitUntil(forget()));
self.addEventListener("fetch", (event) => event.respondWith(answer(event.request)));

const keep = async () => {
  const cache = await caches.open(VERSION);
  await cache.addAll(FILES);
  await self.skipWaiting();
};
const forget = async () => {
  const old = (await caches.keys()).filter((name) => name !== VERSION);
  await Promise.all(old.map((name) => caches.delete(name)));
  await self.clients.claim();
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
