// Tags over time, for recordings longer than one window: a heat map for each model; a click goes there.
(() => {
  const M = window.msecnn, { h, state } = M;
  const FEW = 10;

  // The rows that say most: tags by their highest probability in any window of any model.
  const rows = (all) => {
    const tags = state.models[0].tags;
    const peak = (tag) => Math.max(...state.models.map((model) => Math.max(...model.timeline.map((window) => window[model.tags.indexOf(tag)]))));
    const order = tags.map((tag) => [tag, peak(tag)]).sort((a, b) => b[1] - a[1]).map(([tag]) => tag);
    return all ? order : order.slice(0, FEW);
  };
  // Windows may overlap: each is drawn until the next begins.
  const pieces = (model) => {
    const total = state.recording.duration_s;
    return model.windows.map(([start], w) => {
      const end = w + 1 < model.windows.length ? model.windows[w + 1][0] : total;
      return { w, left: (100 * start) / total, width: (100 * (end - start)) / total };
    });
  };
  const heat = (model, which, tag) => {
    const k = model.tags.indexOf(tag);
    return pieces(model).map(({ w, left, width }) => h("i", { "data-window": w, style: { left: `${left}%`, width: `${width}%`, "--p": model.timeline[w][k] },
      title: `${M.clock(model.windows[w][0], 0)} ${tag} ${M.percent(model.timeline[w][k])}` }));
  };
  const block = (model, which, shown) => h("div", { class: `mse-heat model-${which}` }, h("h3", {}, model.title),
    shown.map((tag) => h("div", { class: "mse-heat-row" },
      h("button", { type: "button", onclick: () => M.tags.explain(tag, model.name), "aria-label": `${tag} in ${model.title}: why?` }, tag),
      h("span", { onclick: (event) => go(event, model, tag) }, heat(model, which, tag)))),
    h("div", { class: "mse-heat-row axis", "aria-hidden": "true" }, h("span", {}), h("span", {}, h("em", {}, "0:00"), h("em", {}, M.clock(state.recording.duration_s, 0)))));
  const go = (event, model, tag) => {
    const w = event.target.dataset?.window;
    if (w === undefined) return;
    const [start] = model.windows[w];   // the last window may overlap the one before: it is chosen by number, not by time
    M.set({ tag, model: model.name, window: Math.max(0, state.windows.findLastIndex(([first]) => first <= start + 0.01)) });
    M.player.seek(start);
  };
  M.timeline = (all) => (state.windows.length < 2 ? null : h("section", { class: "mse-timeline", "aria-label": "Tags over time" },
    h("h3", { class: "mse-timeline-title" }, "Over time"), h("p", { class: "mse-facts" }, "A row is a tag, a column a window of 29 s; the deeper the colour, the likelier. Click to go there."),
    h("div", { class: "mse-heats" }, state.models.map((model, which) => block(model, which, rows(all))))));

  // ---- calibration: predicted probabilities beside the teachers' mean
  M.reliability = (model) => {
    const bins = model.calibration && (Array.isArray(model.calibration) ? model.calibration : model.calibration.bins);
    if (!bins || !bins.length) return null;
    const size = 132, at = (p) => 6 + p * (size - 12), most = Math.max(...bins.map((bin) => bin.n));
    return h("figure", { class: "mse-reliability" }, M.svg("svg", { viewBox: `0 0 ${size} ${size}`, role: "img",
      "aria-label": `${model.title}: ${bins.map((bin) => `predicted ${M.percent(bin.claimed)}, teachers' mean ${M.percent(bin.true)}`).join("; ")}` },
    M.svg("path", { d: `M${at(0)} ${at(1)}L${at(1)} ${at(0)}`, class: "diagonal" }),
    ...bins.map((bin) => M.svg("circle", { cx: at(bin.claimed), cy: at(1 - bin.true), r: 2 + 4 * Math.sqrt(bin.n / most) }))),
    h("figcaption", {}, model.title, h("br"), "predicted → / teachers' mean ↑"));
  };
})();
