// Why a tag: waterfall over the scales, the evidence, one strip of saliency a scale, sound, and a check.
(() => {
  const M = window.msecnn, { h, state } = M;
  const METHODS = {
    gradient: ["Gradient", "how the logit would change if a cell grew a little"],
    gradient_x_input: ["Gradient × input", "that, times how far the cell is from the baseline"],
    integrated_gradients: ["Integrated gradients", "the same, averaged on the way from the baseline: the sum is the whole change"],
    shapley: ["Shapley values of maxima", "each maximum's change shared fairly among its cells, level by level: the sum is the whole change"],
    grad_cam: ["Grad-CAM", "the scale's own channels, weighted by what they add to the logit"],
    occlusion: ["Occlusion", "what happens when a patch is replaced by the baseline"],
    smooth_gradient: ["Smoothed gradient", "the gradient averaged over noisy copies"],
  };
  const NEEDS_BASELINE = ["gradient_x_input", "integrated_gradients", "shapley", "occlusion"];
  const BASELINES = { floor: "silence", clip_mean: "this clip's mean", training_mean: "the average clip" };
  const QUIET = { evidence: "Strongest evidence only", rest: "All but it" };
  const STRIP = 92;

  // As quick as the gradient, and unlike it faithful by measurement, from this baseline (README).
  const FIRST = { method: "gradient_x_input", baseline: "clip_mean" };

  let place, parts, view = { ...FIRST, marks: true, listen: "original" };
  let answer = null, maps = null, shown = "", failed = "", sounds = new Map(), checked = false;

  const question = () => ({ model: state.model, tag: state.tag, window: state.window });
  const key = () => JSON.stringify([state.recording?.url, question()]);
  const visible = () => place && place.offsetParent !== null;

  // ---- asking
  const refresh = async () => {
    if (!state.recording || !visible()) return;
    if (!state.tag) { const model = M.modelOf(state.model); return M.set({ tag: model.tags[model.probabilities.indexOf(Math.max(...model.probabilities))] }); }
    if (key() === shown) return;
    const asked = (shown = key());
    failed = "";
    sounds.clear();
    maps = answer = null;
    M.player.useSource(M.player.original());
    view.listen = "original";
    parts.status.textContent = "Looking …";
    try {
      const exact = M.call("why", question());
      const estimated = askMaps();
      answer = await exact;
      if (asked !== key()) return;
      parts.status.textContent = "";
      drawExact();
      await estimated;
    } catch (error) {
      if (asked === key()) { parts.status.textContent = error.message; shown = ""; failed = asked; }
    }
  };
  const askMaps = async () => {
    const asked = key();
    const token = newToken(), progress = (part) => M.fill(parts.progress, working(part, token, "maps"));
    M.fill(parts.progress);   // what an earlier question failed with is no longer so
    const waiting = setTimeout(() => progress(null), 400);
    drawCheck();
    try {
      const result = await M.call("maps", { ...question(), method: view.method, baseline: view.baseline, token }, { progress });
      if (asked !== key()) return;
      const read = await Promise.all(result.maps.map(async (map) => M.pictures.paintSigned(await M.pictures.read(map.picture))));
      if (asked !== key()) return;
      maps = { ...result, read };   // at once: a redraw in between must not meet half of it
      drawStrips();
    } catch (error) {
      if (asked !== key()) return;
      M.fill(parts.progress, h("p", { class: "mse-status" }, error.message));
      if (maps) { Object.assign(view, { method: maps.method, baseline: maps.baseline || view.baseline }); drawToolbar(); }
      return;
    } finally {
      clearTimeout(waiting);
    }
    M.fill(parts.progress);
  };
  const newToken = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const working = (part, token, wire) => h("span", { class: "mse-working" },
    h("progress", part === null ? { "aria-label": "Working" } : { value: part, max: 1, "aria-label": "Progress" }),
    h("span", {}, part === null ? M.queuePlace(wire) || "Computing …" : `${Math.round(100 * part)} %`),
    h("button", { type: "button", class: "mse-button", onclick: () => M.call("stop", { token }) }, "Stop"));

  // ---- what is asked
  const chooseTag = () => {
    const model = M.modelOf(state.model), order = model.tags.map((tag, k) => [tag, model.probabilities[k]]).sort((a, b) => b[1] - a[1]);
    return h("select", { "aria-label": "Tag", onchange: (event) => M.set({ tag: event.target.value }) },
      order.map(([tag, p]) => h("option", { value: tag, selected: tag === state.tag }, `${tag}  ${M.percent(p)}`)));
  };
  const chooseModel = () => h("span", { class: "mse-segment", role: "group", "aria-label": "Model" }, state.models.map((model) =>
    h("button", { type: "button", class: "mse-toggle", "aria-pressed": String(model.name === state.model), onclick: () => M.set({ model: model.name }) }, model.title)));
  const drawHead = () => {
    if (!parts || !state.recording) return;
    const [start, end] = state.windows[state.window];
    M.fill(parts.head, h("span", {}, "Why "), chooseTag(), h("span", {}, " in "), chooseModel(),
      state.windows.length > 1 ? h("span", { class: "mse-facts" }, `window ${state.window + 1} of ${state.windows.length}, ${M.clock(start, 0)} to ${M.clock(end, 0)}`) : null);
  };

  // ---- the exact part
  const sentence = () => {
    const { scales, relative, probability, base_probability: base, mean_known: known } = answer, title = M.modelOf(state.model).title;
    const start = `${title} gives ${state.tag} ${M.percent(probability)}; ${known ? "the average clip gets" : "with no features at all it would give"} ${M.percent(base)}.`;
    if (scales.length < 2) return `${start} It has one scale, so all of the difference comes from ${M.scaleTitle(scales[0]).toLowerCase()}.`;
    const best = relative.indexOf(Math.max(...relative)), worst = relative.indexOf(Math.min(...relative));
    const lift = relative[best] > 0.005 ? ` ${M.scaleTitle(scales[best])} lifts it most (${M.signed(relative[best])})` : "";
    const pull = relative[worst] < -0.005 ? `${lift ? "; " : " "}${M.scaleTitle(scales[worst]).toLowerCase()} pulls it down most (${M.signed(relative[worst])})` : "";
    return `${start}${lift}${pull}${lift || pull ? "." : ""}`;
  };
  const waterfall = () => {
    const { scales, relative, base, logit, base_probability: baseP, probability, mean_known: known } = answer;
    const totals = relative.reduce((list, step) => [...list, list.at(-1) + step], [base]);
    const low = Math.min(...totals), high = Math.max(...totals), pad = Math.max(0.2, (high - low) * 0.08);
    const x = (value) => (100 * (value - low + pad)) / (high - low + 2 * pad);
    const row = (name, number, from, to, kind) => h("div", { class: `mse-step ${kind}` }, h("span", {}, name),
      h("span", { class: "mse-track" }, h("i", { style: { left: `${Math.min(x(from), x(to))}%`, width: `${Math.max(0.35, Math.abs(x(to) - x(from)))}%` } })), h("b", {}, number));
    const steps = scales.map((scale, s) => row(M.scaleTitle(scale), M.signed(relative[s]), totals[s], totals[s + 1], relative[s] < 0 ? "down" : "up"));
    return h("figure", { class: "mse-waterfall", "aria-label": "From the average clip to this one, one step a scale" },
      h("div", { class: "mse-step-head" }, h("span", {}), h("span", {}, "logit"), h("b", {}, "")),
      row(known ? "Average clip" : "Bias alone", `${base.toFixed(2).replace("-", "−")} (${M.percent(baseP)})`, base, base, "point"), steps,
      row("This clip", `${logit.toFixed(2).replace("-", "−")} (${M.percent(probability)})`, logit, logit, "point"),
      h("figcaption", {}, "Exact: the classifier is linear, so the steps add up to the logit."));
  };
  const eventWords = (event) => {
    const whole = event.end_s - event.start_s > 0.9 * state.mel.window_s;
    if (whole) return "the whole window";
    return `${event.start_s.toFixed(1)} to ${event.end_s.toFixed(1)} s, ${M.hertz(Math.max(0, event.low_hz))} to ${M.hertz(event.high_hz)}`;
  };
  const playEvent = (event) => {
    const middle = (event.start_s + event.end_s) / 2, half = Math.max(0.5, (event.end_s - event.start_s) / 2);
    M.player.mark([{ ...event, sign: event.relative, strong: true }]);
    M.player.play(Math.max(0, middle - half), middle + half);
  };
  const evidenceList = () => {
    const item = (event) => h("li", {},
      h("button", { type: "button", class: "mse-evidence", onclick: () => playEvent(event),
        onmouseenter: () => M.player.mark([{ ...event, sign: event.relative }]), onmouseleave: () => M.player.mark([]),
        "aria-label": `Play ${M.scaleTitle(event.scale)}, ${eventWords(event)}, ${M.signed(event.relative)}` },
      h("i", { class: "mse-mini-play", "aria-hidden": "true" }), h("span", {}, h("strong", {}, M.scaleTitle(event.scale)), ` ${eventWords(event)}`),
      h("b", { class: event.relative < 0 ? "down" : "up" }, M.signed(event.relative))));
    const { positive, negative } = answer;
    return h("div", { class: "mse-evidences" }, h("h3", {}, "Strongest evidence"), h("ol", {}, positive.slice(0, 7).map(item)),
      negative.length ? h("h3", {}, "Against") : null, h("ol", {}, negative.slice(0, 3).map(item)));
  };
  const drawExact = () => {
    M.fill(parts.warning, M.warnUntrained([M.modelOf(state.model)]));
    M.fill(parts.sentence, sentence());
    M.fill(parts.exact, waterfall(), evidenceList());
    drawToolbar();
    drawStrips();
    drawListen();
  };

  // ---- the strips
  const chooseMethod = () => h("div", { class: "mse-toolbar" },
    h("label", {}, "Method ", h("select", { onchange: (event) => { view.method = event.target.value; drawToolbar(); askMaps(); } },
      Object.entries(METHODS).map(([name, [title]]) => h("option", { value: name, selected: name === view.method }, `${title}${measured(name)?.faithful === false ? ": not faithful" : ""}`)))),
    NEEDS_BASELINE.includes(view.method) ? h("label", {}, "Baseline ", h("select", { onchange: (event) => { view.baseline = event.target.value; askMaps(); } },
      Object.entries(BASELINES).map(([name, title]) => h("option", { value: name, selected: name === view.baseline }, title)))) : null,
    h("button", { type: "button", class: "mse-toggle", "aria-pressed": String(view.marks), onclick: () => { view.marks = !view.marks; drawToolbar(); drawStrips(); } }, "winning cells"),
    h("span", { class: "mse-facts" }, METHODS[view.method][1]),
    h("span", { class: "mse-scalebar", "aria-hidden": "true" }, "against", h("i"), "in favour"),
    verdict());
  // What was measured of the method: a warning where it is no better than an order that knows nothing of the network.
  const verdict = () => {
    const found = measured(view.method);
    return found && h("p", { class: `mse-verdict${found.faithful === false ? " failed" : ""}` }, found.sentence);
  };
  const measured = (method) => answer && answer.measured[method];
  const drawToolbar = () => M.fill(parts.toolbar, chooseMethod());

  const drawStrips = () => {
    if (!answer || !visible()) return;
    if (parts.strips.children.length !== answer.scales.length) {
      M.fill(parts.strips, answer.scales.map((scale) => h("div", { class: "mse-strip" }, h("span", {}, M.scaleTitle(scale)), h("canvas", { "aria-hidden": "true" }), h("small", {}))));
    }
    answer.scales.forEach((scale, s) => drawStrip(parts.strips.children[s], scale, s));
    moveHead(M.player.now());
  };
  const drawStrip = (strip, scale, s) => {
    const player = M.player, decoded = player.decoded(), { left, right } = M.playerGutter;
    if (!decoded) return;
    const { context, width, height } = player.prepare(strip.querySelector("canvas"));
    const across = width - left - right;
    decoded.grey ||= M.pictures.paintGrey(decoded.picture);
    player.drawCells(context, decoded.grey, left, 0, across, height);
    const map = maps && maps.maps[s];
    if (maps) player.drawCells(context, maps.read[s], left, 0, across, height);
    const blind = player.toX(player.blindFrom(), width);   // as in the player: hardly heard by the shallow scales
    if (["input", "level1", "level2", "level3"].includes(scale)) player.hatch(context, blind, 0, width - right - blind, height);
    if (view.marks) answer.marks.filter((mark) => mark.scale === scale).forEach((mark) => drawWinner(context, mark, width, height));
    strip.querySelector("span").textContent = M.scaleTitle(scale);
    strip.querySelector("small").textContent = map ? `±${map.limit.toPrecision(2)}${map.thickened ? ", cells drawn larger" : ""}` : "";
  };
  const winnerPlace = (mark, width, height) => [
    M.player.toX((mark.start_s + mark.end_s) / 2, width),
    height * (1 - (M.player.hzToRow(Math.sqrt(Math.max(30, mark.low_hz) * mark.high_hz)) + 0.5) / state.mel.bands_hz.length)];
  const drawWinner = (context, mark, width, height) => {
    const [x, y] = winnerPlace(mark, width, height), most = Math.max(...answer.marks.map((other) => Math.abs(other.relative)));
    context.beginPath();
    context.arc(x, y, 2.5 + 4.5 * Math.sqrt(Math.abs(mark.relative) / most), 0, 2 * Math.PI);
    context.fillStyle = mark.relative < 0 ? "#4f9bff" : "#ff9d2e";
    context.fill();
    context.lineWidth = 1.5;
    context.strokeStyle = "rgba(0, 0, 0, .75)";
    context.stroke();
  };
  const channelWords = (channels) => channels.length === 1 ? `channel ${channels[0] + 1}`
    : channels.length <= 3 ? `channels ${channels.map((channel) => channel + 1).join(", ")}` : `${channels.length} channels`;
  const nearestWinner = (event, canvas) => {
    const box = canvas.getBoundingClientRect(), scale = answer.scales[[...parts.strips.children].indexOf(canvas.parentElement)];
    const near = answer.marks.filter((mark) => mark.scale === scale).map((mark) => {
      const [x, y] = winnerPlace(mark, box.width, box.height);
      return [Math.hypot(event.clientX - box.left - x, event.clientY - box.top - y), mark];
    }).sort((a, b) => a[0] - b[0])[0];
    return near && near[0] < 10 ? near[1] : null;
  };
  const moveHead = (time) => {
    if (!parts || !visible()) return;
    const canvas = parts.strips.querySelector("canvas");
    if (!canvas) return;
    const x = M.player.toX(time, canvas.clientWidth), inside = x >= M.playerGutter.left && x <= canvas.clientWidth - M.playerGutter.right;
    parts.playhead.style.opacity = inside ? 1 : 0;
    parts.playhead.style.transform = `translateX(${x}px)`;
  };
  const listenToStrips = () => {
    parts.strips.addEventListener("click", (event) => {
      const canvas = event.target.closest("canvas");
      if (!canvas) return;
      const winner = nearestWinner(event, canvas);
      if (winner) return playEvent(winner);
      const box = canvas.getBoundingClientRect();
      M.player.seek(M.player.toSeconds(event.clientX - box.left, box.width));
    });
    parts.strips.addEventListener("pointermove", (event) => {
      const canvas = event.target.closest("canvas"), winner = canvas && nearestWinner(event, canvas);
      parts.readout.textContent = winner ? `${M.scaleTitle(winner.scale)}, ${channelWords(winner.channels)}: ${eventWords(winner)}, ${M.signed(winner.relative, 3)}` : "";
    });
  };

  // ---- listening
  const drawListen = () => {
    const options = { original: "Original", ...QUIET, ...Object.fromEntries(answer.scales.length > 1 ? answer.scales.map((scale) => [`scale:${scale}`, M.scaleTitle(scale)]) : []) };
    M.fill(parts.listen, h("span", { class: "mse-segment", role: "group", "aria-label": "Listen to" }, h("em", {}, "listen to"), Object.entries(options).map(([what, title]) =>
      h("button", { type: "button", class: "mse-toggle", "data-listen": what, "aria-pressed": String(view.listen === what), onclick: () => listen(what) }, title))),
    h("span", { class: "mse-status", role: "status" }));
  };
  const listen = async (what) => {
    const asked = key(), status = parts.listen.querySelector(".mse-status");
    view.listen = what;
    parts.listen.querySelectorAll("button").forEach((button) => button.setAttribute("aria-pressed", String(button.dataset.listen === what)));
    if (what === "original") return M.player.useSource(M.player.original());
    try {
      if (!sounds.has(what)) {
        status.textContent = "Rendering …";
        const { sound, start_s, duration_s } = await M.call("listen", { ...question(), what });
        if (asked !== key()) return;
        sounds.set(what, { url: sound.url, offset_s: start_s, duration_s });
      }
      status.textContent = "";
      if (view.listen === what) M.player.useSource(sounds.get(what));
    } catch (error) {
      status.textContent = error.message;
    }
  };

  // ---- the check
  const drawCheck = () => { checked = false; M.fill(parts.check, h("button", { type: "button", class: "mse-button", onclick: check }, "Check this explanation"),
    h("span", { class: "mse-facts" }, "Removes the cells the map names first, then in random order: a faithful map makes the logit fall faster.")); };
  const check = async () => {
    const asked = key(), token = newToken();
    const progress = (part) => M.fill(parts.check, working(part, token, "check"));
    progress(null);
    try {
      const result = await M.call("check", { ...question(), method: view.method, baseline: view.baseline, token }, { progress });
      checked = true;
      if (asked === key()) M.fill(parts.check, M.curves(result));
    } catch (error) {
      if (asked === key()) M.fill(parts.check, h("p", { class: "mse-status error" }, error.message));
    }
  };

  M.surface("why", (element) => {
    place = element;
    const part = (name, tag = "div") => h(tag, { class: `mse-why-${name}` });
    parts = { head: part("head"), warning: part("warning"), status: h("p", { class: "mse-status", role: "status" }), sentence: h("p", { class: "mse-sentence" }), exact: part("exact"),
      toolbar: part("toolbar"), progress: part("progress"), strips: part("strips"), playhead: h("i", { class: "mse-strip-head" }), readout: h("p", { class: "mse-readout" }),
      listen: part("listen"), check: part("check") };
    element.append(parts.head, parts.warning, parts.status, parts.sentence, parts.exact, h("h3", {}, "Where each scale looks"), parts.toolbar, parts.listen, parts.progress,
      h("div", { class: "mse-strip-stack" }, parts.strips, parts.playhead), parts.readout, parts.check);
    drawToolbar();
    listenToStrips();
    M.on("models tag model window recording", () => { drawHead(); refresh(); });
    const follow = (player) => { player.on("tick", moveHead); player.on("decoded", drawStrips); };
    M.player ? follow(M.player) : M.on("player", follow);
    new ResizeObserver(() => { refresh(); drawStrips(); }).observe(element);   // also when its tab is opened
    new MutationObserver(drawStrips).observe(document.body, { attributes: true, attributeFilter: ["class"] });
    drawHead();
  });
  // What a lesson asks to see and to hear: {method, listen}.
  const show = async ({ method = FIRST.method, listen: what = "original" }) => {
    await M.when(() => parts);
    if (method !== view.method) {
      view.method = method;
      drawToolbar();
      if (answer) askMaps();
    }
    if (failed === key()) refresh();
    await M.when(() => failed === key() || (answer && shown === key()));
    if (answer && view.listen !== what) listen(what);
  };
  M.why = { refresh, show, methods: METHODS, settings: () => ({ method: view.method, baseline: view.baseline, checked }) };
})();
