// What the page's modules must know before the first of them runs.

export {};   // a module, so that it can wait

const told = JSON.parse(document.getElementById("offered")?.textContent ?? "{}");

/** The language that the address names, the one kept, or the browser's. @returns {string} */
const chosenLanguage = () => {
  const kept = () => { try { return localStorage.getItem("msecnn-language"); } catch { return null; } };
  const asked = [new URLSearchParams(location.search).get("lang"), kept(), ...navigator.languages];
  return asked.map((name) => name?.slice(0, 2)).find((name) => told.site.languages.includes(name)) ?? "en";
};
told.offered.language = document.documentElement.lang = chosenLanguage();
window.msecnn = { ...told, ready: Promise.resolve() };
await import("./start.js");
