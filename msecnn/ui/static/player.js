// The spectrogram is the player: picture, axes, playhead, seeking, reading values off, and the sound itself.
//
// `msecnn.createPlayer(element, {pictureOf})` makes one; `msecnn.player` is the page's. A player shows what `open({recording,
// mel, windows, window, picture, overview})` gives it and tells `on("tick" | "window" | "decoded" | "source", …)`.
(() => {
  const M = window.msecnn, { h, svg } = M;
  const GUTTER = { left: 46, right: 14, top: 6, bottom: 22 };
  const HZ_TICKS = [100, 250, 500, 1000, 2000, 4000];
  //: Frames that cascaded pooling crops away before the input skip's maximum (96x1366 becomes 96x1280).
  const CROPPED_FRAMES = 1280;
  const players = [];
  let active = null;   // the one that answers the keyboard

  const createPlayer = (element, { pictureOf = async () => null, height = 280 } = {}) => {
    const listeners = {};
    const on = (names, listener) => names.split(" ").forEach((name) => (listeners[name] ||= []).push(listener));
    const emit = (name, ...values) => (listeners[name] || []).forEach((listener) => listener(...values));
    let view = { recording: null, mel: null, windows: [], window: 0, picture: null, overview: null };
    const audio = new Audio();
    audio.preload = "auto";
    let source = null;       // {url, offset_s, loops}: what `audio` plays, and where it starts in the recording
    let original = null;
    let stopAt = null, frame = 0;
    let decoded = null;      // the chosen window's picture: values, colours, contrast
    let marks = [];          // overlays on the picture: {start_s, end_s, low_hz, high_hz, sign, label}
    let hover = null;
    let base, top, controls, overview;
    const windowPictures = new Map();

    // ---- time
    const span = () => {   // what the picture shows: a short recording is repeated in it up to a full window
      const [start] = view.windows[view.window] || [0];
      return [start, start + (view.mel ? view.mel.window_s : 1)];
    };
    const duration = () => (view.recording ? view.recording.duration_s : 0);
    const now = () => (source ? audio.currentTime + source.offset_s : 0);

    const seek = (seconds) => {
      if (!view.recording) return;
      const time = Math.max(0, Math.min(duration() - 0.01, seconds));
      if (source !== original && (time < source.offset_s || time > source.offset_s + source.duration_s)) useSource(original);
      audio.currentTime = Math.max(0, time - source.offset_s);
      stopAt = null;
      showWindowAt(time);
      emit("tick", time);
      draw();
    };
    const play = (from = null, to = null) => {
      if (!view.recording) return;
      active = self;
      players.filter((other) => other !== self).forEach((other) => other.pause());
      if (from !== null) seek(from);
      stopAt = to;
      audio.play().catch(() => emit("trouble", "This browser cannot play this file; its tags are unaffected."));
    };
    const pause = () => audio.pause();
    const toggle = () => (audio.paused ? play() : pause());

    // Other sounds of the same recording (one scale alone, evidence only) take over without losing the position.
    const useSource = (next) => {
      if (source && next.url === source.url) return;
      const time = now(), playing = !audio.paused;
      source = next;
      audio.src = next.url;
      const place = Math.max(0, time - next.offset_s);
      audio.addEventListener("loadedmetadata", () => {
        audio.currentTime = place;
        if (playing) audio.play().catch(() => {});
      }, { once: true });
      emit("source", source === original ? null : source);
    };

    const showWindowAt = (time) => {
      const [start, end] = span();
      if (time >= start && time < end) return;
      const at = view.windows.findLastIndex(([first]) => first <= time);
      if (at >= 0) chooseWindow(at);
    };

    const follow = () => {
      const time = now();
      if (stopAt !== null && time >= stopAt) { pause(); stopAt = null; }
      if (!audio.paused) {
        showWindowAt(time);
        cancelAnimationFrame(frame);   // one loop, however often the sound was started or exchanged
        frame = requestAnimationFrame(follow);
      }
      emit("tick", time);
      drawTop();
    };

    // ---- geometry, shared with the strips of "Why this tag"
    const inner = (width) => width - GUTTER.left - GUTTER.right;
    const toX = (seconds, width) => {
      const [start, end] = span();
      return GUTTER.left + ((seconds - start) / (end - start)) * inner(width);
    };
    const toSeconds = (x, width) => {
      const [start, end] = span();
      return start + ((x - GUTTER.left) / inner(width)) * (end - start);
    };
    // Bands are equally high; between two centres the frequency is read linearly.
    const hzToRow = (hz) => {   // 0 at the lowest band's centre
      const centres = view.mel.bands_hz.map((band) => band[1]);
      const above = centres.findIndex((centre) => centre >= hz);
      if (above <= 0) return above === 0 ? 0 : centres.length - 1;
      return above - (centres[above] - hz) / (centres[above] - centres[above - 1]);
    };
    const rowToY = (row, height) => {
      const rows = view.mel.bands_hz.length, tall = height - GUTTER.top - GUTTER.bottom;
      return GUTTER.top + tall * (1 - (row + 0.5) / rows);
    };

    // ---- drawing
    const prepare = (canvas) => {
      const ratio = window.devicePixelRatio || 1, box = canvas.getBoundingClientRect();
      const width = Math.round(box.width), height = Math.round(box.height);
      if (canvas.width !== width * ratio || canvas.height !== height * ratio) {
        canvas.width = width * ratio;
        canvas.height = height * ratio;
      }
      const context = canvas.getContext("2d");
      context.setTransform(ratio, 0, 0, ratio, 0, 0);
      context.clearRect(0, 0, width, height);
      return { context, width, height };
    };
    const colour = (name) => getComputedStyle(element).getPropertyValue(name).trim();

    // Across, columns are averaged; down, each band stays a crisp row.
    const drawCells = (context, image, x, y, width, height) => {
      const across = new OffscreenCanvas(Math.max(1, Math.round(width * (window.devicePixelRatio || 1))), image.height);
      const squeezed = across.getContext("2d");
      squeezed.imageSmoothingQuality = "high";
      squeezed.drawImage(image, 0, 0, across.width, across.height);
      context.imageSmoothingEnabled = false;
      context.drawImage(across, x, y, width, height);
    };

    const timeTicks = (start, end, width) => {
      const step = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600].find((s) => ((end - start) / s) * 62 < width) || 1200;
      const ticks = [];
      for (let t = Math.ceil(start / step) * step; t <= end; t += step) ticks.push(t);
      return ticks;
    };
    const drawTimeAxis = (context, width, height, [start, end] = span(), long = duration() >= 60) => {
      context.fillStyle = colour("--mse-soft");
      context.font = `12px ${colour("--mse-font")}`;
      context.textAlign = "center";
      context.textBaseline = "top";
      for (const t of timeTicks(start, end, inner(width))) {
        const x = GUTTER.left + ((t - start) / (end - start)) * inner(width);
        context.fillRect(Math.round(x), height - GUTTER.bottom, 1, 4);
        context.fillText(long ? M.clock(t, 0) : `${t} s`, x, height - GUTTER.bottom + 6);
      }
    };
    const drawHzAxis = (context, height) => {
      context.fillStyle = colour("--mse-soft");
      context.font = `12px ${colour("--mse-font")}`;
      context.textAlign = "right";
      context.textBaseline = "middle";
      for (const hz of HZ_TICKS) {
        const y = rowToY(hzToRow(hz), height);
        context.fillRect(GUTTER.left - 5, Math.round(y), 4, 1);
        context.fillText(hz >= 1000 ? `${hz / 1000} k` : hz, GUTTER.left - 8, y);
      }
    };
    const hatch = (context, x, y, width, height) => {
      context.save();
      context.beginPath();
      context.rect(x, y, width, height);
      context.clip();
      context.fillStyle = "rgba(10, 8, 6, .55)";
      context.fillRect(x, y, width, height);
      context.strokeStyle = "rgba(255, 255, 255, .28)";
      context.lineWidth = 1;
      for (let i = -height; i < width; i += 7) {
        context.beginPath();
        context.moveTo(x + i, y + height);
        context.lineTo(x + i + height, y);
        context.stroke();
      }
      context.restore();
    };
    const blindFrom = () => span()[0] + CROPPED_FRAMES * view.mel.hop_s;

    const drawBase = () => {
      if (!decoded || !base.isConnected) return;
      const { context, width, height } = prepare(base);
      const tall = height - GUTTER.top - GUTTER.bottom;
      drawCells(context, decoded.image, GUTTER.left, GUTTER.top, inner(width), tall);
      drawHzAxis(context, height);
      drawTimeAxis(context, width, height);
      const blind = toX(blindFrom(), width);
      hatch(context, blind, GUTTER.top, width - GUTTER.right - blind, tall);
      const end = toX(duration(), width);
      if (end < blind) hatch(context, end, GUTTER.top, blind - end, tall);
    };

    const drawTop = () => {
      if (!decoded || !top.isConnected) return;
      const { context, width, height } = prepare(top);
      const bottom = height - GUTTER.bottom;
      for (const mark of marks) drawMark(context, mark, width, height);
      if (hover) {
        context.fillStyle = "rgba(255, 255, 255, .45)";
        context.fillRect(hover.x, GUTTER.top, 1, bottom - GUTTER.top);
        context.fillRect(GUTTER.left, hover.y, inner(width), 1);
      }
      const x = toX(now(), width);
      if (x >= GUTTER.left - 1 && x <= width - GUTTER.right + 1) {
        context.fillStyle = "#fff";
        context.fillRect(x - 1, GUTTER.top, 2, bottom - GUTTER.top);
        context.beginPath();
        context.moveTo(x - 6, 0); context.lineTo(x + 6, 0); context.lineTo(x, 8);
        context.fillStyle = colour("--mse-accent");
        context.fill();
      }
      drawOverviewHead();
      showTime();
    };
    const drawMark = (context, mark, width, height) => {
      const left = toX(mark.start_s, width), right = toX(mark.end_s, width);
      const upper = rowToY(hzToRow(mark.high_hz), height), lower = rowToY(hzToRow(mark.low_hz), height);
      context.lineWidth = mark.strong ? 3 : 2;
      context.strokeStyle = mark.sign < 0 ? "#7db1ec" : "#ffb454";
      context.strokeRect(left - 2, upper - 2, Math.max(4, right - left) + 4, Math.max(4, lower - upper) + 4);
    };
    const draw = () => { drawBase(); drawTop(); };

    const drawOverview = () => {
      if (!view.overview || !overview.image || !overview.isConnected) return;
      const { context, width, height } = prepare(overview.canvas);
      context.drawImage(overview.image, GUTTER.left, 0, inner(width), height - 14);
      const [start, end] = span(), scale = inner(width) / duration();
      context.fillStyle = colour("--mse-veil");
      context.fillRect(GUTTER.left, 0, start * scale, height - 14);
      context.fillRect(GUTTER.left + end * scale, 0, inner(width) - end * scale, height - 14);
      context.fillStyle = colour("--mse-soft");
      view.windows.forEach(([first]) => context.fillRect(GUTTER.left + first * scale, height - 12, 1, 6));
      context.fillStyle = colour("--mse-accent");
      context.fillRect(GUTTER.left + start * scale, height - 12, (end - start) * scale, 6);
    };
    const drawOverviewHead = () => {
      if (!view.overview) return;
      overview.head.style.left = `${GUTTER.left + (now() / duration()) * inner(overview.canvas.clientWidth)}px`;
    };

    // ---- reading values off the picture
    const readAt = (x, y) => {
      const box = base.getBoundingClientRect(), rows = decoded.picture.height, columns = decoded.picture.width;
      const row = Math.floor(((y - GUTTER.top) / (box.height - GUTTER.top - GUTTER.bottom)) * rows);
      const column = Math.round(((x - GUTTER.left) / inner(box.width)) * (columns - 1));
      if (row < 0 || row >= rows || column < 0 || column >= columns) return null;
      const value = decoded.picture.values[row * columns + column];
      const decibels = view.mel.low_db + (value / 255) * (view.mel.high_db - view.mel.low_db);
      const band = rows - 1 - row, [low, , high] = view.mel.bands_hz[band];
      return { time: span()[0] + column * view.mel.hop_s, band, low, high, decibels };
    };
    const showReadout = (value) => {
      controls.readout.textContent = value
        ? `${value.time.toFixed(2)} s · ${Math.round(value.low)}–${Math.round(value.high)} Hz · band ${value.band + 1} · ${value.decibels.toFixed(0).replace("-", "−")} dB`
        : "";
    };
    const showTime = () => {
      const time = now();
      controls.time.textContent = `${M.clock(time)} / ${M.clock(duration())}`;
      controls.button.setAttribute("aria-label", audio.paused ? "Play" : "Pause");
      controls.button.classList.toggle("playing", !audio.paused);
      top.setAttribute("aria-valuenow", time.toFixed(1));
      top.setAttribute("aria-valuetext", `${time.toFixed(1)} of ${duration().toFixed(1)} seconds`);
    };

    const listenToPointer = () => {
      let dragging = false;
      const place = (event) => {
        const box = base.getBoundingClientRect();
        return [event.clientX - box.left, event.clientY - box.top, box.width];
      };
      top.addEventListener("pointerdown", (event) => {
        dragging = true;
        top.setPointerCapture(event.pointerId);
        const [x, , width] = place(event);
        seek(within(toSeconds(x, width)));
      });
      top.addEventListener("pointermove", (event) => {
        if (!decoded) return;
        const [x, y, width] = place(event);
        if (dragging) seek(within(toSeconds(x, width)));
        const value = readAt(x, y);
        hover = value && { x, y };
        showReadout(value);
        drawTop();
      });
      top.addEventListener("pointerup", () => { dragging = false; });
      top.addEventListener("pointerleave", () => { hover = null; showReadout(null); drawTop(); });
    };
    // A recording shorter than the window is repeated in it: a click on a repetition goes to where that sound really is.
    const within = (seconds) => {
      const [start, end] = span(), inside = Math.max(start, Math.min(end - 0.01, seconds));
      return duration() < end && inside >= duration() ? inside % duration() : inside;
    };

    const keys = { " ": toggle, ArrowLeft: (e) => seek(now() - (e.shiftKey ? 5 : 1)), ArrowRight: (e) => seek(now() + (e.shiftKey ? 5 : 1)),
      Home: () => seek(span()[0]), End: () => seek(span()[1] - 0.05),
      "[": () => stepWindow(-1), "]": () => stepWindow(1) };
    const stepWindow = (step) => {
      const next = view.window + step;
      if (view.windows[next]) { chooseWindow(next); seek(view.windows[next][0]); }
    };
    const press = (event) => {
      if (!view.recording || !keys[event.key]) return;
      event.preventDefault();
      keys[event.key](event);
    };

    // ---- putting it together
    const keyWords = () => (matchMedia("(hover: hover)").matches
      ? h("span", { class: "mse-keys" }, h("kbd", {}, "space"), " plays  ", h("kbd", {}, "←"), " ", h("kbd", {}, "→"), " seek") : null);
    const makeControls = () => {
      const button = h("button", { class: "mse-play", type: "button", "aria-label": "Play", onclick: toggle },
        svg("svg", { viewBox: "0 0 24 24", "aria-hidden": "true" },
          svg("path", { class: "shape-play", d: "M7 4.5v15l13-7.5z" }), svg("path", { class: "shape-pause", d: "M6 5h4v14H6zM14 5h4v14h-4z" })));
      const volume = h("input", { type: "range", min: 0, max: 1, step: 0.02, value: 1, class: "mse-volume", "aria-label": "Volume",
        oninput: () => { audio.volume = volume.value; } });
      const time = h("span", { class: "mse-time" }), readout = h("output", { class: "mse-readout", "aria-live": "off" });
      return { button, time, readout, row: h("div", { class: "mse-controls" }, button, time, volume, readout) };
    };

    const assemble = () => {
      base = h("canvas", { class: "mse-base", "aria-hidden": "true" });
      top = h("canvas", { class: "mse-top", tabindex: 0, role: "slider", "aria-label": "Position in the recording. Space plays, arrows seek.",
        "aria-valuemin": 0, "aria-valuenow": 0, onfocus: () => { active = self; } });
      controls = makeControls();
      overview = h("div", { class: "mse-overview", hidden: true });
      overview.canvas = h("canvas", { "aria-label": "The whole recording: click to go there" });
      overview.head = h("i", { class: "mse-overview-head" });
      overview.append(overview.canvas, overview.head);
      overview.canvas.addEventListener("pointerdown", (event) => {
        const box = overview.canvas.getBoundingClientRect();
        seek(((event.clientX - box.left - GUTTER.left) / inner(box.width)) * duration());
      });
      const blind = h("p", { class: "mse-blind" }, h("i", { class: "mse-hatch", "aria-hidden": "true" }), h("span", {}), keyWords());
      element.append(h("section", { class: "mse-player", "aria-label": "Player", hidden: true },
        overview, h("div", { class: "mse-stage", style: { height: `${height}px` } }, base, top), controls.row, blind,
        h("div", { class: "mse-notes", "aria-live": "polite" })));
      listenToPointer();
      const redraw = () => { draw(); drawOverview(); };
      new ResizeObserver(redraw).observe(element);
      new MutationObserver(redraw).observe(document.body, { attributes: true, attributeFilter: ["class"] });
      audio.addEventListener("play", follow);
      audio.addEventListener("pause", drawTop);
      audio.addEventListener("seeked", drawTop);
      audio.addEventListener("error", () => view.recording && emit("unplayable", source));
    };

    const open = async (opened) => {
      audio.pause();
      windowPictures.clear();
      marks = [];
      view = { ...view, ...opened };
      element.firstElementChild.hidden = false;
      windowPictures.set(view.window, view.picture);
      original = source = { url: view.recording.url, offset_s: 0, duration_s: view.recording.duration_s };
      audio.src = source.url;
      emit("source", null);
      top.setAttribute("aria-valuemax", duration().toFixed(1));
      element.querySelector(".mse-blind span").textContent = blindWords();
      M.fill(element.querySelector(".mse-notes"), view.recording.notes.map((note) => h("p", {}, note)));
      overview.hidden = !view.overview;
      if (view.overview) overview.image = M.pictures.paintMel(await M.pictures.read(view.overview));
      await showPicture();
    };
    const blindWords = () => {
      const tail = view.mel.window_s - CROPPED_FRAMES * view.mel.hop_s;
      const repeated = duration() < view.mel.window_s - 0.05 ? " Before it, the recording is repeated until it fills the window." : "";
      return `Blind tail: pooling crops the last ${tail.toFixed(1)} s of each window, so the shallow scales hardly hear them.${repeated}`;
    };
    const chooseWindow = (index) => {
      if (index === view.window || !view.windows[index]) return;
      view.window = index;
      emit("window", index);
      showPicture();
    };
    const showPicture = async () => {
      const { recording, window: index } = view;
      if (!windowPictures.has(index)) windowPictures.set(index, await pictureOf(index));
      const picture = await M.pictures.read(windowPictures.get(index));
      if (recording !== view.recording || index !== view.window) return;   // overtaken by a newer choice
      decoded = { picture, image: M.pictures.paintMel(picture) };
      emit("decoded", decoded);
      draw();
      drawOverview();
    };
    const replaceOriginal = (url) => {
      if (original.url === url) return;
      original = { ...original, url };
      useSource(original);
    };
    const mark = (list) => { marks = list; drawTop(); };

    const self = { on, open, chooseWindow, audio, play, pause, toggle, seek, now, press, mark, useSource, replaceOriginal, original: () => original,
      element, inner, toX, toSeconds, hzToRow, drawCells, drawTimeAxis, prepare, blindFrom, hatch, decoded: () => decoded, span };
    players.push(self);
    active ||= self;
    assemble();
    return self;
  };

  document.addEventListener("keydown", (event) => {
    const focus = document.activeElement, free = !focus || focus === document.body || focus.closest?.(".mse-player canvas");
    if (free && active && !event.ctrlKey && !event.metaKey && !event.altKey) active.press(event);
  });

  M.createPlayer = createPlayer;
  M.playerGutter = GUTTER;
  M.surface("player", (place) => {
    const player = createPlayer(place, { pictureOf: async (window) => (await M.call("window", { window })).picture });
    M.player = player;
    player.on("window", (window) => M.set({ window }));
    player.on("unplayable", async (source) => {   // some formats only the server can decode
      if (source !== player.original()) return;
      const { sound } = await M.call("sound");
      player.replaceOriginal(sound.url);
    });
    M.on("recording", ({ recording, mel, windows, window, picture, overview }) => recording && player.open({ recording, mel, windows, window, picture, overview }));
    M.on("window", ({ window }) => player.chooseWindow(window));
    M.emit("player", player);
  });
})();
