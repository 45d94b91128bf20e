// Tags of two models on one aligned chart.
(() => {
  const M = window.msecnn, { h, state } = M;
  const FEW = 16;
  let place, view = { sort: "mean", all: false, fold: false, scope: "recording" };

  // ---- rows: {name, members, values: [probability for each model]}
  const probabilities = (model) => (view.scope === "window" ? model.timeline[M.windowOf(model)] : model.probabilities);
  const rows = () => {
    const value = (model, tag) => probabilities(model)[model.tags.indexOf(tag)];
    const tags = state.models[0].tags;
    const groups = view.fold ? Object.entries(state.families) : tags.map((tag) => [tag, [tag]]);
    // Synonyms are one statement said several ways: a family has the probability of its likeliest word.
    return groups.map(([name, members]) => {
      const best = (model) => members.reduce((a, b) => (value(model, b) > value(model, a) ? b : a));
      return { name, members, best: state.models.map(best), values: state.models.map((model) => value(model, best(model))) };
    });
  };
  const mean = (row) => row.values.reduce((a, b) => a + b) / row.values.length;
  const difference = (row) => Math.abs(row.values[0] - (row.values[1] ?? row.values[0]));
  const ORDER = { mean, first: (row) => row.values[0], second: (row) => row.values[1], difference };
  const sorted = () => rows().sort((a, b) => ORDER[view.sort](b) - ORDER[view.sort](a));

  // ---- sentences
  const disagreement = (all) => {
    if (state.models.length < 2) return "";
    const [first, second] = state.models;
    const most = [...all].sort((a, b) => difference(b) - difference(a)).slice(0, 2).filter((row) => difference(row) >= 0.02);
    if (!most.length) return `${first.title} and ${second.title} agree: no tag differs by more than 2 points.`;
    return "They disagree most on " + most.map((row) => `${row.name} (${first.title} ${M.percent(row.values[0])}, ${second.title} ${M.percent(row.values[1])})`).join(" and on ") + ".";
  };

  const explain = (tag, model = state.model) => {
    M.set({ tag, model });
    M.emit("ask", tag);
  };

  const row = (entry) => {
    const bar = (value, which) => h("span", { class: `mse-bar model-${which}`, style: { "--p": value } });
    return h("button", { type: "button", class: `mse-tag${entry.members.includes(state.tag) ? " chosen" : ""}`, "data-tag": entry.name,
      "aria-label": `${entry.name}: ${state.models.map((model, i) => `${model.title} ${M.percent(entry.values[i])}`).join(", ")}. Why?`,
      title: entry.members.length > 1 ? entry.members.join(", ") : null,
      onclick: () => explain(entry.best[state.models.findIndex((model) => model.name === state.model)] || entry.best[0]) },
    h("span", { class: "mse-tag-name" }, entry.name, entry.members.length > 1 ? h("small", {}, `${entry.members.length} words`) : null),
    h("span", { class: "mse-bars" }, entry.values.map(bar)),
    h("span", { class: "mse-numbers" }, entry.values.map((value, which) => h("b", { class: `model-${which}` }, M.percent(value)))));
  };

  const toggle = (label, pressed, change) => h("button", { type: "button", class: "mse-toggle", "aria-pressed": String(pressed), onclick: () => { change(); draw(); } }, label);
  const toolbar = () => {
    const names = { mean: state.models.length > 1 ? "both" : "probability", first: state.models[0].title, second: state.models[1]?.title, difference: "difference" };
    const keys = state.models.length > 1 ? Object.keys(names) : ["mean"];
    return h("div", { class: "mse-toolbar" },
      h("span", { class: "mse-segment", role: "group", "aria-label": "Sort by" }, h("em", {}, "sort by"), keys.map((key) => toggle(names[key], view.sort === key, () => { view.sort = key; }))),
      toggle("fold synonyms", view.fold, () => { view.fold = !view.fold; }),
      state.windows.length > 1 ? h("span", { class: "mse-segment", role: "group", "aria-label": "Numbers for" },
        toggle("whole recording", view.scope === "recording", () => { view.scope = "recording"; }),
        toggle("this window", view.scope === "window", () => { view.scope = "window"; })) : null,
      legend());
  };
  const legend = () => h("div", { class: "mse-legend", "aria-hidden": "true" }, state.models.map((model, which) => h("span", { class: `model-${which}` }, h("i"), model.title)));

  const meaning = () => {
    const figures = state.models.map((model, which) => {
      const figure = M.reliability(model);
      figure?.classList.add(`model-${which}`);
      return figure;
    }).filter(Boolean);
    return h("div", { class: "mse-meaning" }, h("p", {}, "A number estimates the probability that listeners would have given it this tag. It is not the truth about the music. Choose a tag to see why.",
      figures.length ? " Compared with the mean of three teacher networks, on the clips that also set the calibration: agreement, not truth." : ""), h("div", { class: "mse-reliabilities" }, figures));
  };

  const draw = () => {
    if (!place || !state.recording) return;
    const all = sorted(), shown = view.all ? all : all.slice(0, FEW);
    M.fill(place, M.warnUntrained(state.models), h("p", { class: "mse-sentence" }, disagreement(all)), toolbar(),
      h("div", { class: `mse-tags${view.all ? " all" : ""}` }, shown.map(row)),
      h("button", { type: "button", class: "mse-button", onclick: () => { view.all = !view.all; draw(); } }, view.all ? `Show the first ${FEW}` : `Show all ${all.length}`),
      meaning(), M.timeline(view.all));
  };

  M.surface("tags", (element) => {
    place = element;
    M.on("models window tag", draw);
    draw();
  });
  M.tags = { explain, rows };
})();
