// The address bar holds what is seen, so that a link shows it to another: example, models, tag, model, window, tab.
// A visitor's own recording is never in it.
(() => {
  const M = window.msecnn, { state } = M;
  const wanted = new URLSearchParams(location.search);

  const tabButton = (name) => document.getElementById(`tab-${name}-button`);
  const showTab = (name) => { tabButton(name)?.click(); };
  const shownTab = () => document.querySelector('#tabs button[role="tab"][aria-selected="true"]')?.id.replace(/^tab-|-button$/g, "");

  const write = () => {
    if (!state.recording) return;
    const address = new URL(location.href), { searchParams: search } = address;
    const kept = { example: state.recording.example, second: state.second?.recording.example, lesson: state.lesson?.id, step: state.lesson?.step, tag: state.tag, model: state.tag && state.model, window: state.window || null,
      tab: state.tab === "tags" ? null : state.tab, models: M.offered.models.length > 2 ? state.models.map((model) => model.name).join(",") : null };
    for (const [key, value] of Object.entries(kept)) value ? search.set(key, value) : search.delete(key);
    if (address.href !== location.href) history.replaceState(null, "", address);
  };

  // What the address asked for is done once, after the example it names has been opened.
  const apply = () => {
    const model = state.models.find((one) => one.name === wanted.get("model")) || M.modelOf(state.model);
    const window = Number(wanted.get("window")) || 0, tag = wanted.get("tag");
    M.set({ model: model.name, tag: model.tags.includes(tag) ? tag : null, window: state.windows[window] ? window : 0 });
    if (wanted.get("tab")) showTab(wanted.get("tab"));
  };

  M.on("recording second lesson models tag model window tab", write);
  M.on("ask", () => showTab("why"));
  M.on("ready", async () => {
    await M.when(() => M.player && tabButton("tags"));
    const observer = new MutationObserver(() => { const tab = shownTab(); if (tab) M.set({ tab }); });
    observer.observe(tabs, { subtree: true, attributes: true, attributeFilter: ["aria-selected"], childList: true });
    if (wanted.get("lesson")) await M.lessons.begin(wanted.get("lesson"), wanted.get("step"));
    else if (wanted.get("example")) {
      await M.intake.openExample(wanted.get("example"), (wanted.get("models") || "").split(",").filter(Boolean));
      if (state.recording) apply();
      if (state.recording && wanted.get("second")) M.compare.openExample(wanted.get("second"));
    }
  });
  M.showTab = showTab;
})();
