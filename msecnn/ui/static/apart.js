// Take it apart: Figure 1 with this clip's activations, a switch on each connection to the classifier, every channel.
(() => {
  const M = window.msecnn, { h, state } = M;
  const FEW = 12;
  //: Methods that answer in a moment.
  const QUICK = ["gradient", "gradient_x_input", "grad_cam"];

  let place, parts, view = { random: false, all: false, level: null, channel: null, method: "gradient" };
  let answer = null, kept = [], shown = "", failed = "";
  const momentPlayer = new Audio();

  const model = () => M.modelOf(state.model);
  // Beside the network as switched stands the other model; beside random weights, the same network trained.
  const other = () => (view.random ? model() : state.models.find((one) => one.name !== model().name));
  const tag = () => state.tag || model().tags[0];
  const question = () => ({ model: state.model || model().name, tag: tag(), window: state.window, random: view.random });
  const key = () => JSON.stringify([state.recording?.url, state.recording?.name, { ...question(), tag: null }]);
  const visible = () => place && place.offsetParent !== null;
  const sigmoid = (x) => 1 / (1 + Math.exp(-x));

  // ---- asking
  const refresh = async () => {
    if (!state.recording || !visible()) return;
    if (!state.tag) { const said = model(); return M.set({ tag: said.tags[said.probabilities.indexOf(Math.max(...said.probabilities))] }); }
    if (key() === shown) return drawNumbers();
    const asked = (shown = key());
    failed = "";
    parts.status.textContent = "Looking …";
    try {
      const result = await M.call("apart", question());
      if (asked !== key()) return;
      result.pictures = await Promise.all(result.levels.map(async (level) => M.pictures.paintMel(await M.pictures.read(level.picture), [0, 255])));
      answer = result;
      kept = answer.scales.map(() => true);
      parts.status.textContent = "";
      draw();
      if (view.level) openLevel(view.level);
    } catch (error) {
      if (asked === key()) { parts.status.textContent = error.message; shown = ""; failed = asked; }
    }
  };

  // ---- arithmetic on what one forward pass left: the logit is a base value plus a term for each scale
  const logit = (k, keep = kept) => answer.relative.reduce((sum, terms, s) => sum + (keep[s] ? terms[k] : 0), answer.base[k]);
  const whole = () => answer.scales.map(() => true);

  // ---- the figure
  const paintInto = (canvas, image) => {
    canvas.width = image.width;
    canvas.height = image.height;
    canvas.getContext("2d").drawImage(image, 0, 0);
  };
  const picture = (image, label) => {
    const canvas = h("canvas", { class: "mse-cells", role: "img", "aria-label": label });
    paintInto(canvas, image);
    return canvas;
  };
  const plural = (n, one, many = `${one}s`) => `${n} ${n === 1 ? one : many}`;
  const bandWords = (level) => plural(level.field_bands, "band");
  const sizeWords = (level) => `${level.channels} × ${level.rows}×${level.columns}`;
  const column = (level, i, carried) => {
    const scale = answer.scales.indexOf(level.name), title = M.scaleTitle(level.name);
    return h("div", { class: `mse-level${view.level === level.name ? " chosen" : ""}` },
      h("button", { type: "button", class: "mse-level-card", "data-level": level.name, "aria-expanded": String(view.level === level.name),
        title: `One cell of this map depends on ${bandWords(level)} and ${level.field_s.toFixed(2)} s of sound`, onclick: () => openLevel(view.level === level.name ? null : level.name) },
      picture(answer.pictures[i], `${title}: mean of its channels over time and frequency`), h("strong", {}, title), h("small", {}, sizeWords(level)),
      h("small", {}, `sees ${level.field_s < 1 ? level.field_s.toFixed(2) : level.field_s.toFixed(1)} s × ${bandWords(level)}`)),
      h("div", { class: `mse-skip${scale < 0 ? " none" : ""}` }, scale < 0 ? h("span", {}, "not carried on") : [
        h("button", { type: "button", role: "switch", class: "mse-switch", "aria-checked": String(kept[scale]), "data-scale": level.name,
          "aria-label": `${title} reaches the classifier`, onclick: () => flip(scale) }, h("i", {})),
        h("span", {}, plural(answer.n_features[scale], "maximum", "maxima"))]),
      h("div", { class: `mse-bus${carried ? "" : " none"}` }, carried ? plural(carried, "feature") : ""));
  };
  const drawFigure = () => {
    let carried = 0;
    const columns = answer.levels.map((level, i) => {
      const scale = answer.scales.indexOf(level.name);
      if (scale >= 0) carried += answer.n_features[scale];
      return column(level, i, carried);
    });
    parts.intro.textContent = "Above, the convolutions: each level hears more of the sound at once, less sharply. Below, the skip path: of each channel, the one strongest cell goes straight to the classifier. Choose a level to see its channels.";
    M.fill(parts.figure, h("div", { class: "mse-figure", role: "group", "aria-label": "The network of the paper's Figure 1" },
      columns, h("div", { class: "mse-level mse-end" }, h("div", { class: "mse-classifier" }, h("strong", {}, `${model().tags.length} tags`), h("small", {}, `one linear layer over ${carried} features`)))));
  };
  const flip = (scale) => {
    kept[scale] = !kept[scale];
    parts.figure.querySelectorAll(".mse-switch").forEach((button) => button.setAttribute("aria-checked", String(kept[answer.scales.indexOf(button.dataset.scale)])));
    drawNumbers();
  };

  // ---- bars and table
  const rows = () => {
    const whole_ = whole();
    const all = model().tags.map((name, k) => ({ name, k, full: sigmoid(logit(k, whole_)), now: sigmoid(logit(k)) }));
    all.sort((a, b) => b.full - a.full);
    return view.all ? all : all.slice(0, FEW);
  };
  const bar = (value, kind, ghost) => h("span", { class: `mse-bar ${kind}`, style: { "--p": value } }, ghost === undefined ? null : h("i", { style: { left: `${100 * ghost}%` } }));
  const compared = (row) => {
    const rival = other(), k = rival ? rival.tags.indexOf(row.name) : -1;
    return k < 0 ? null : rival.timeline[M.windowOf(rival)][k];
  };
  const drawBars = (list) => {
    const title = model().title, rival = other(), off = answer.scales.filter((_, s) => !kept[s]).map(M.scaleTitle);
    const said = off.length === 0 ? `${title}, whole. Switch a connection off and its scale ${answer.mean_known ? "is replaced by the average clip's" : "adds nothing"}.`
      : off.length === answer.scales.length ? "Nothing is connected: every clip gets these numbers." : `${title} without ${off.join(", ").toLowerCase()}.`;
    const line = (row) => {
      const beside = compared(row);
      return h("button", { type: "button", class: `mse-tag${row.name === state.tag ? " chosen" : ""}`, "data-tag": row.name, onclick: () => M.tags.explain(row.name, model().name),
        "aria-label": `${row.name}: ${M.percent(row.now)}, whole network ${M.percent(row.full)}. Why?` },
      h("span", { class: "mse-tag-name" }, row.name), h("span", { class: "mse-bars" }, bar(row.now, ownColour(), row.full), beside === null ? null : bar(beside, otherColour())),
      h("span", { class: "mse-numbers" }, h("b", { class: ownColour() }, M.percent(row.now)), beside === null ? null : h("b", { class: otherColour() }, M.percent(beside))));
    };
    M.fill(parts.bars, h("p", { class: "mse-sentence" }, view.random ? `Random weights. ${said}` : said),
      h("div", { class: "mse-legend" }, h("span", { class: ownColour() }, h("i"), `${title}${view.random ? " with random weights" : ""} as switched; the line marks it whole`), rival ? h("span", { class: otherColour() }, h("i"), view.random ? `${title}, trained` : rival.title) : null),
      h("div", { class: "mse-tags all mse-one-column" }, list.map(line)));
  };
  const ownColour = () => view.random ? "model-none" : `model-${Math.max(0, state.models.indexOf(model()))}`;
  const otherColour = () => `model-${state.models.indexOf(other())}`;
  const plain = (value) => (Math.abs(value) < 0.05 ? "0.0" : value.toFixed(1).replace("-", "−"));
  const drawTable = (list) => {
    const most = Math.max(1e-6, ...list.flatMap((row) => answer.relative.map((terms) => Math.abs(terms[row.k]))));
    const cell = (value, keep) => h("td", { class: `${value < 0 ? "down" : "up"}${keep ? "" : " off"}`, style: { "--p": Math.abs(value) / most } }, M.signed(value));
    M.fill(parts.table, h("h3", {}, "What each tag leans on"),
      h("div", { class: "mse-scroll" }, h("table", { class: "mse-leans" },
        h("thead", {}, h("tr", {}, h("th", {}, "logit"), h("th", {}, answer.mean_known ? "average" : "bias"), answer.scales.map((scale) => h("th", {}, M.scaleTitle(scale))), h("th", {}, "this clip"))),
        h("tbody", {}, list.map((row) => h("tr", { class: row.name === state.tag ? "chosen" : "" },
          h("th", { scope: "row" }, h("button", { type: "button", onclick: () => M.tags.explain(row.name, model().name) }, row.name)),
          h("td", { class: "plain" }, plain(answer.base[row.k])), answer.relative.map((terms, s) => cell(terms[row.k], kept[s])),
          h("td", { class: "plain" }, plain(logit(row.k)))))))),
      h("button", { type: "button", class: "mse-button", onclick: () => { view.all = !view.all; drawNumbers(); } }, view.all ? `Show the first ${FEW}` : `Show all ${model().tags.length}`));
  };
  const drawNumbers = () => {
    if (!answer) return;
    const list = rows();
    drawHead();
    drawBars(list);
    drawTable(list);
  };

  // ---- channels
  const openLevel = async (name) => {
    view.level = name;
    parts.figure.querySelectorAll(".mse-level-card").forEach((card) => card.setAttribute("aria-expanded", String(card.dataset.level === name)));
    M.fill(parts.channel);
    if (!name) return M.fill(parts.channels);
    const asked = key();
    const result = await M.call("channels", { ...question(), level: name }).catch((error) => ({ error }));
    if (asked !== key() || view.level !== name) return;
    if (result.error) return M.fill(parts.channels, h("p", { class: "mse-status error" }, result.error.message));
    const sprite = M.pictures.paintMel(await M.pictures.read(result.picture), [0, 255]);
    const order = result.values.map((_, channel) => channel);
    if (result.relative) order.sort((a, b) => Math.abs(result.relative[b]) - Math.abs(result.relative[a]));
    const tile = (channel) => {
      const canvas = h("canvas", { class: "mse-cells", width: result.columns, height: result.rows, "aria-hidden": "true" });
      canvas.getContext("2d").drawImage(sprite, 0, -channel * result.rows);
      const adds = result.relative ? M.signed(result.relative[channel]) : "";
      return h("button", { type: "button", class: "mse-channel-tile", "data-channel": channel, onclick: () => openChannel(name, channel),
        "aria-label": `Channel ${channel + 1}${adds && `, adds ${adds} to ${tag()}`}` }, canvas,
      h("span", {}, `${channel + 1}`, adds ? h("b", { class: result.relative[channel] < 0 ? "down" : "up" }, adds) : null));
    };
    M.fill(parts.channels, h("h3", {}, `${M.scaleTitle(name)}: ${plural(result.values.length, "channel")}${result.relative ? `, those that move ${tag()} most come first` : ""}`),
      h("div", { class: `mse-channel-grid${result.columns < 8 ? " small" : ""}` }, order.map(tile)));
  };
  const openChannel = async (level, channel) => {
    view.channel = channel;
    const asked = key();
    const result = await M.call("channel", { ...question(), level, channel }).catch((error) => ({ error }));
    if (asked !== key() || view.level !== level || view.channel !== channel) return;
    if (result.error) return M.fill(parts.channel, h("p", { class: "mse-status error" }, result.error.message));
    const image = M.pictures.paintMel(await M.pictures.read(result.picture), [0, 255]);
    const where = { left: `${(100 * (result.column + 0.5)) / result.columns}%`, top: `${100 * (1 - (result.row + 0.5) / result.rows)}%` };
    const range = `${result.start_s.toFixed(1)} to ${result.end_s.toFixed(1)} s, ${M.hertz(Math.max(0, result.low_hz))} to ${M.hertz(result.high_hz)}`;
    const counts = result.weight === undefined ? "This model's classifier does not see this level."
      : `Value ${result.value.toFixed(2)}; its weight to ${tag()} is ${M.signed(result.weight, 3)}, so against the average clip it adds ${M.signed(result.relative, 3)}.`;
    M.fill(parts.channel, h("h3", {}, `${M.scaleTitle(level)}, channel ${channel + 1}`),
      h("div", { class: "mse-enlarged" }, picture(image, `Map of channel ${channel + 1}`), h("i", { style: where, title: "the cell that won" })),
      h("p", {}, `The winning cell hears ${range}. ${counts} `, h("button", { type: "button", class: "mse-button", onclick: () => hear(result) }, "Play that moment")),
      h("h3", {}, "What it hears best in the examples"), moments(result.moments));
    parts.channel.scrollIntoView({ block: "nearest" });
  };
  const hear = ({ start_s: start, end_s: end, low_hz, high_hz, relative }) => {
    M.player.mark([{ start_s: start, end_s: end, low_hz, high_hz, sign: relative ?? 1, strong: true }]);
    const middle = (start + end) / 2, half = Math.max(0.5, (end - start) / 2);
    M.player.play(Math.max(0, middle - half), middle + half);
  };
  const moments = (found) => {
    if (typeof found === "string") return h("p", { class: "mse-facts" }, found);
    return h("ol", { class: "mse-moments" }, found.map((moment) => h("li", {}, h("button", { type: "button", class: "mse-evidence", onclick: () => playMoment(moment) },
      h("i", { class: "mse-mini-play", "aria-hidden": "true" }), h("span", {}, h("strong", {}, moment.title), ` ${moment.start_s.toFixed(1)} to ${moment.end_s.toFixed(1)} s`), h("b", {}, moment.value.toFixed(2))))));
  };
  const playMoment = async (moment) => {
    M.player.pause();
    const { sound } = await M.call("moment", { example: moment.example });
    const middle = (moment.start_s + moment.end_s) / 2, half = Math.max(0.5, (moment.end_s - moment.start_s) / 2), until = middle + half;
    if (!momentPlayer.src.endsWith(sound.url)) momentPlayer.src = sound.url;
    momentPlayer.ontimeupdate = () => { if (momentPlayer.currentTime >= until) momentPlayer.pause(); };
    momentPlayer.currentTime = Math.max(0, middle - half);
    momentPlayer.play().catch(() => {});
  };

  // ---- putting it together
  const drawHead = () => M.fill(parts.head, h("span", {}, "Take apart "),
    h("span", { class: "mse-segment", role: "group", "aria-label": "Model" }, state.models.map((one) =>
      h("button", { type: "button", class: "mse-toggle", "aria-pressed": String(one.name === model().name), onclick: () => M.set({ model: one.name }) }, one.title))),
    h("span", { class: "mse-random" }, h("button", { type: "button", role: "switch", class: "mse-switch", "aria-checked": String(view.random), "aria-label": "Random weights", onclick: () => { view.random = !view.random; refresh(); drawHead(); parts.head.querySelector(".mse-random button").focus(); } }, h("i", {})),
      h("small", {}, "random weights")));
  // ---- the sanity check: what a method shows of a network that learnt nothing
  const checkSanity = async () => {
    if (!view.random) return M.fill(parts.sanity);
    const asked = key(), method = view.method, asking = tag();
    const choose = h("select", { "aria-label": "Map", onchange: (event) => { view.method = event.target.value; checkSanity(); } },
      Object.entries(M.why.methods).filter(([name]) => QUICK.includes(name)).map(([name, [title]]) => h("option", { value: name, selected: name === method }, title)));
    const words = h("p", { class: "mse-sentence", role: "status" }, "Drawing both maps …"), strips = h("div", { class: "mse-sanity-strips" });
    M.fill(parts.sanity, h("h3", {}, `Can a map of ${asking} tell what was learnt from what was not?`), h("div", { class: "mse-toolbar" }, h("label", {}, "Method ", choose)), words, strips);
    try {
      const found = await M.call("sanity", { ...question(), method });
      if (asked !== key() || method !== view.method || !view.random) return;
      words.textContent = `Rank correlation of the two maps: ${Math.abs(found.correlation) < 0.005 ? "0.00" : M.signed(found.correlation)}. ${found.correlation > 0.5 ? "They look alike, so this method shows the sound more than what was learnt." : found.correlation > 0.2 ? "They share something that was not learnt." : "What this method shows does depend on what was learnt."}`;
      const strip = async (title, map) => {
        const canvas = h("canvas", { role: "img", "aria-label": `${title}: map of ${asking}` });
        strips.append(h("div", { class: "mse-strip" }, canvas, h("span", {}, title)));
        drawOver(canvas, M.pictures.paintSigned(await M.pictures.read(map.picture)));
      };
      await strip(`${model().title}, trained`, found.trained);
      await strip("The same network, random weights", found.random);
    } catch (error) {
      words.textContent = error.message;
    }
  };
  const drawOver = (canvas, map) => {
    const player = M.player, decoded = player.decoded(), { left, right } = M.playerGutter;
    if (!decoded) return;
    const { context, width, height } = player.prepare(canvas);
    decoded.grey ||= M.pictures.paintGrey(decoded.picture);
    for (const image of [decoded.grey, map]) player.drawCells(context, image, left, 0, width - left - right, height);
  };


  const draw = () => {
    place.classList.toggle("random", view.random);
    M.fill(parts.warning, view.random ? h("p", { class: "mse-warning" }, "Random weights: these numbers mean nothing about the music. Whatever still looks like an explanation here is not one.") : M.warnUntrained([model()]));
    drawHead();
    drawFigure();
    drawNumbers();
    checkSanity();
  };

  // What a lesson asks to see: {random, off: scales switched off, level, channel}.
  const show = async ({ random = false, off = [], level = null, channel = null }) => {
    view.random = random;
    refresh();
    await M.when(() => failed === key() || (answer && shown === key()));
    if (failed === key()) return;
    kept = answer.scales.map((scale) => !off.includes(scale));
    draw();
    await openLevel(level);
    if (level && channel !== null) openChannel(level, channel);
  };

  M.surface("apart", (element) => {
    place = element;
    const part = (name) => h("div", { class: `mse-apart-${name}` });
    parts = { head: h("div", { class: "mse-why-head" }), warning: part("warning"), status: h("p", { class: "mse-status", role: "status" }), intro: h("p", { class: "mse-facts mse-apart-intro" }), figure: part("figure"), channels: part("channels"), channel: part("channel"),
      bars: part("bars"), table: part("table"), sanity: part("sanity") };
    element.append(parts.head, parts.warning, parts.status, parts.intro, h("div", { class: "mse-scroll" }, parts.figure), parts.channels, parts.channel, parts.sanity, h("div", { class: "mse-apart-numbers" }, parts.bars, parts.table));
    M.on("models model window recording tag", () => { if (answer && key() !== shown) { answer = null; view.channel = null; } refresh(); if (view.level && answer) openLevel(view.level); });
    new ResizeObserver(refresh).observe(element);   // also when its tab is opened
  });
  M.apart = { show, settings: () => ({ random: view.random, off: answer ? answer.scales.filter((_, s) => !kept[s]) : [] }) };
})();
