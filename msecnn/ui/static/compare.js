// Compare two recordings: a second player, both recordings' tags on one chart, and the difference of each scale.
(() => {
  const M = window.msecnn, { h, state } = M;
  const FEW = 12;

  let place, parts, player, view = { sort: "difference", all: false };
  let windowB = 0, splits = null, shown = "";

  const visible = () => place && place.offsetParent !== null;
  const model = () => M.modelOf(state.model);
  const same = () => state.second.models.find((one) => one.name === model().name);
  const tag = () => state.tag || rows()[0].name;
  const key = () => JSON.stringify([state.recording.url, state.second.url, model().name, state.window, windowB]);
  const names = () => state.models.map((one) => one.name);
  const sigmoid = (x) => 1 / (1 + Math.exp(-x));
  const say = (words, kind = "") => { parts.status.textContent = words; parts.status.className = `mse-status ${kind}`; };

  // ---- the second way in
  const open = async (request, url, name) => {
    say(`Tagging ${name} …`, "busy");
    const answer = await M.call("second", { models: names(), ...request });
    windowB = answer.window;
    M.set({ second: { ...answer, url: url || answer.recording.audio?.url } });
    say("");
  };
  const openExample = async (id) => {
    await M.when(() => parts);
    try {
      await open({ example: id }, null, M.offered.examples.find((example) => example.id === id)?.title || id);
    } catch (error) { say(error.message, "error"); }
  };
  const take = async (file) => {
    try {
      const { request, url } = await M.intake.bring(file, file.name, (words) => say(words, "busy"));
      await open(request, url, file.name);
    } catch (error) { say(error.message, "error"); }
  };
  // The second recording is always heard by the same models as the first.
  const keepModels = async () => {
    if (!state.second || JSON.stringify(names()) === JSON.stringify(state.second.models.map((one) => one.name))) return;
    try {
      await open({}, state.second.url, state.second.recording.name);
    } catch (error) { say(error.message, "error"); }
  };

  // ---- asking
  const refresh = async () => {
    if (!visible() || !state.recording || !state.second || !same()) return;
    drawTags();
    if (key() === shown) return drawScales();
    const asked = (shown = key());
    splits = null;
    M.fill(parts.scales);
    const ask = { model: model().name, tag: tag() };
    try {
      const found = await Promise.all([M.call("split", { ...ask, window: state.window }), M.call("second-split", { ...ask, window: windowB })]);
      if (asked !== key()) return;
      splits = found;
      drawScales();
    } catch (error) {
      if (asked === key()) { shown = ""; M.fill(parts.scales, h("p", { class: "mse-status" }, error.message)); }
    }
  };

  // ---- tags
  const windowOf = (one) => Math.max(0, one.windows.findLastIndex(([start]) => start <= state.second.windows[windowB][0] + 0.01));
  const rows = () => {
    const first = model().timeline[M.windowOf(model())], other = same().timeline[windowOf(same())];
    return model().tags.map((name, k) => ({ name, values: [first[k], other[k]] })).sort((a, b) => ORDER[view.sort](b) - ORDER[view.sort](a));
  };
  const gap = (row) => Math.abs(row.values[0] - row.values[1]);
  const ORDER = { difference: gap, first: (row) => row.values[0], second: (row) => row.values[1] };
  const drawTags = () => {
    const all = rows(), list = view.all ? all : all.slice(0, FEW);
    const most = [...all].sort((a, b) => gap(b) - gap(a)).slice(0, 2).filter((row) => gap(row) >= 0.02);
    const said = most.length ? `${model().title} tells A and B apart most by ${most.map((row) => `${row.name} (A ${M.percent(row.values[0])}, B ${M.percent(row.values[1])})`).join(" and by ")}.`
      : `To ${model().title} these two sound alike: no tag differs by more than 2 points.`;
    const line = (row) => h("button", { type: "button", class: `mse-tag${row.name === tag() ? " chosen" : ""}`, "data-tag": row.name, onclick: () => M.set({ tag: row.name }),
      "aria-label": `${row.name}: A ${M.percent(row.values[0])}, B ${M.percent(row.values[1])}. Show its scales` },
    h("span", { class: "mse-tag-name" }, row.name), h("span", { class: "mse-bars" }, row.values.map((value, i) => h("span", { class: `mse-bar side-${i}`, style: { "--p": value } }))),
    h("span", { class: "mse-numbers" }, row.values.map((value, i) => h("b", { class: `side-${i}` }, M.percent(value)))));
    const toggle = (name, title) => h("button", { type: "button", class: "mse-toggle", "aria-pressed": String(view.sort === name), onclick: () => { view.sort = name; drawTags(); } }, title);
    M.fill(parts.sentence, M.warnUntrained([model()]), h("p", { class: "mse-sentence" }, said));
    M.fill(parts.tags, h("div", { class: "mse-toolbar" }, h("span", { class: "mse-segment", role: "group", "aria-label": "Sort by" }, h("em", {}, "sort by"), toggle("difference", "difference"), toggle("first", "A"), toggle("second", "B"))),
      h("div", { class: "mse-tags mse-one-column" }, list.map(line)),
      h("button", { type: "button", class: "mse-button", onclick: () => { view.all = !view.all; drawTags(); } }, view.all ? `Show the first ${FEW}` : `Show all ${all.length}`));
  };

  // ---- scales: both logits begin at the same average clip, so six differences are the whole difference
  const drawScales = () => {
    if (!splits) return;
    const k = model().tags.indexOf(tag()), [a, b] = splits.map((found) => found.relative.map((terms) => terms[k]));
    const logits = splits.map((found, i) => found.base[k] + [a, b][i].reduce((sum, value) => sum + value, 0));
    const most = Math.max(0.05, ...a.map(Math.abs), ...b.map(Math.abs)), gaps = a.map((value, s) => value - b[s]);
    const bar = (value, i) => h("i", { class: `side-${i}`, style: { left: `${50 + Math.min(0, (50 * value) / most)}%`, width: `${Math.max(0.4, (50 * Math.abs(value)) / most)}%` } });
    const line = (scale, s) => h("div", { class: "mse-pair" }, h("span", {}, M.scaleTitle(scale)), h("span", { class: "mse-pair-track", role: "img", "aria-label": `A ${M.signed(a[s])}, B ${M.signed(b[s])}` }, bar(a[s], 0), bar(b[s], 1)),
      h("b", { class: gaps[s] < 0 ? "down" : "up" }, M.signed(gaps[s])));
    const plain = (value) => value.toFixed(2).replace("-", "−");
    M.fill(parts.scales, h("h3", {}, `${tag()}, scale by scale`),
      h("div", { class: "mse-pair mse-step-head" }, h("span", {}), h("span", { class: "mse-pair-axis" }, h("span", {}, "−"), h("span", {}, "against the average clip"), h("span", {}, "+")), h("b", {}, "A − B")),
      splits[0].scales.map(line),
      h("div", { class: "mse-pair total" }, h("span", {}, "Logit"), h("span", {}, h("em", { class: "side-0" }, `A ${plain(logits[0])} (${M.percent(sigmoid(logits[0]))})`), " ", h("em", { class: "side-1" }, `B ${plain(logits[1])} (${M.percent(sigmoid(logits[1]))})`)), h("b", {}, M.signed(logits[0] - logits[1]))),
      h("p", { class: "mse-facts" }, `Exact: both logits begin at the same ${splits[0].mean_known ? "average clip" : "bias"}, so the differences of the scales add up to the difference of the logits.`),
      h("p", { class: "mse-toolbar" }, h("button", { type: "button", class: "mse-button", onclick: () => M.tags.explain(tag(), model().name) }, `Why ${tag()} in A?`)));
  };

  // ---- putting it together
  const choose = () => h("span", { class: "mse-compare-choose" },
    M.offered.examples.length ? h("select", { "aria-label": "Second recording", onchange: (event) => event.target.value && openExample(event.target.value) }, h("option", { value: "" }, "an example …"),
      M.offered.examples.map((example) => h("option", { value: example.id, selected: example.id === state.second?.recording.example }, `${example.title} (${example.kind})`))) : null,
    h("label", { class: "mse-button", for: "mse-second-file", tabindex: 0, onkeydown: (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); parts.input.click(); } } }, "Choose a file"));
  const stretch = (opened, index) => opened.windows.length > 1 ? `, ${M.clock(opened.windows[index][0], 0)} to ${M.clock(opened.windows[index][1], 0)}` : "";
  const side = (i, name, where) => h("span", { class: `side-${i}` }, h("i"), h("strong", {}, "AB"[i]), ` ${name}${where}`);
  const drawHead = () => {
    if (!state.recording) return;
    M.fill(parts.head, h("span", {}, state.second ? "Compare with" : `Compare ${state.recording.name} with`), choose(),
      state.second ? h("span", { class: "mse-segment", role: "group", "aria-label": "Model" }, state.models.map((one) =>
        h("button", { type: "button", class: "mse-toggle", "aria-pressed": String(one.name === model().name), onclick: () => M.set({ model: one.name }) }, one.title))) : null);
    M.fill(parts.legend, state.second ? [side(0, state.recording.name, stretch(state, state.window)), side(1, state.second.recording.name, stretch(state.second, windowB))] : null);
  };

  M.surface("compare", (element) => {
    place = element;
    const part = (name) => h("div", { class: `mse-compare-${name}` });
    const input = h("input", { type: "file", id: "mse-second-file", class: "mse-sr", accept: "audio/*,video/mp4,video/webm,.opus,.flac,.m4a,.ogg", onchange: () => input.files[0] && take(input.files[0]) });
    parts = { input, head: h("div", { class: "mse-why-head" }), status: h("p", { class: "mse-status", role: "status" }), player: part("player"), legend: h("div", { class: "mse-legend mse-compare-legend" }),
      sentence: part("sentence"), tags: part("tags"), scales: part("scales") };
    element.append(input, parts.head, parts.status, parts.legend, parts.player, parts.sentence, h("div", { class: "mse-compare-numbers" }, parts.tags, parts.scales));
    element.addEventListener("drop", (event) => {   // dropped here, it is the second
      event.preventDefault();
      event.stopPropagation();
      if (event.dataTransfer.files[0]) take(event.dataTransfer.files[0]);
    });
    player = M.createPlayer(parts.player, { pictureOf: async (window) => (await M.call("second-window", { window })).picture, height: 220 });
    player.on("window", (window) => { windowB = window; drawHead(); refresh(); });
    player.on("unplayable", async (source) => {
      if (source === player.original()) player.replaceOriginal((await M.call("second-sound")).sound.url);
    });
    M.on("second", ({ second }) => {
      const { recording, mel, windows, window, picture, overview, url } = second;
      player.open({ recording: { ...recording, url }, mel, windows, window, picture, overview });
    });
    M.on("models", keepModels);
    M.on("recording models model window tag second", () => { drawHead(); refresh(); });
    new ResizeObserver(refresh).observe(element);   // also when its tab is opened
    drawHead();
  });
  M.compare = { openExample };
})();
