// What the page's modules must know before the first of them runs.

export {};   // a module, so that it can wait

const told = JSON.parse(document.getElementById("offered")?.textContent ?? "{}");
window.msecnn = { ...told, ready: Promise.resolve() };
await import("./start.js");
