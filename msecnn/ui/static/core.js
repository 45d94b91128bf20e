// What every part of the page shares: the state, the wires to the server, and small tools for drawing.
(() => {
  const surfaces = {};   // name -> function(element) that fills it
  const places = {};     // name -> element, where mounted before its function was known
  const wires = {};      // name -> {trigger, root}
  const waiting = {};    // wire name -> calls made before it was there
  const pending = {};    // request id -> {resolve, reject, progress}
  const listeners = {};
  let serial = 0;

  // ---- state: plain values; `set` tells those who listen to the keys that changed
  const state = {
    recording: null, mel: null, windows: [], window: 0, picture: null, overview: null, families: {}, models: [],
    model: null, tag: null, tab: "tags", busy: null,
  };
  const on = (names, listener) => names.split(" ").forEach((name) => (listeners[name] ||= []).push(listener));
  const emit = (name, ...values) => (listeners[name] || []).forEach((listener) => listener(...values));
  const set = (patch) => {
    const changed = Object.keys(patch).filter((key) => state[key] !== patch[key]);
    Object.assign(state, patch);
    const heard = new Set();   // a listener to several keys is told once
    changed.forEach((key) => (listeners[key] || []).forEach((listener) => heard.add(listener)));
    heard.forEach((listener) => listener(state));
  };

  // ---- surfaces: visible places in Gradio's layout
  const surface = (name, fill) => {
    surfaces[name] = fill;
    if (places[name]) fill(places[name]);
  };
  const mount = (name, element) => {
    places[name] = element;
    if (surfaces[name]) surfaces[name](element);
  };

  // ---- wires: questions to the server
  const connect = (name, element, trigger, props, watch, event) => {
    wires[name] = { send: (request) => trigger(event, request), root: element.closest(".mse-wire") || element };
    watch("value", () => settle(props.value));
    (waiting[name] || []).forEach((request) => wires[name].send(request));
    delete waiting[name];
  };
  const settle = (answer) => {
    const call = answer && pending[answer.request];
    if (!call) return;
    if (answer.progress !== undefined) return call.progress && call.progress(answer.progress, answer);
    delete pending[answer.request];
    if (answer.error) call.reject(new Error(answer.error));
    else call.resolve(answer);
  };
  // A later call of the same `name` makes an earlier one that is still waiting moot: its promise never settles.
  const latest = {};
  const call = (name, request = {}, { progress, parallel = false } = {}) => {
    const id = `${++serial}`;
    if (!parallel) {
      delete pending[latest[name]];
      latest[name] = id;
    }
    return new Promise((resolve, reject) => {
      pending[id] = { resolve, reject, progress, name };
      const asked = { ...request, id };
      if (wires[name]) wires[name].send(asked);
      else (waiting[name] ||= []).push(asked);
    });
  };
  // A question that went down with the server would wait for ever: while any waits, the server is asked now and then
  // whether it is there, and still the one that was asked. It need not answer at once, for it may be busy.
  const CARE_MS = 4000;
  let server = null, failures = 0;
  const care = async () => {
    const lost = Object.keys(pending);
    if (!lost.length) return;
    const { root, api_prefix: prefix = "", app_id } = window.gradio_config;
    server ??= app_id;
    try {
      const answer = await fetch(`${root}${prefix}/app_id`, { cache: "no-store" });
      if (!answer.ok) throw new Error(answer.statusText);   // of the proxy in front
      const before = server;
      server = (await answer.json()).app_id;
      failures = 0;
      if (server === before) return;
    } catch {
      if (++failures < 2) return;   // once may be the network's hiccup
    }
    for (const id of lost.filter((id) => pending[id])) {
      pending[id].reject(new Error("The server stopped before it answered: try again in a moment."));
      delete pending[id];
    }
  };
  const carefully = () => setTimeout(() => care().finally(carefully), CARE_MS);
  carefully();
  // Gradio writes a visitor's place in the queue into the wire's own, unseen status line.
  const queuePlace = (name) => {
    const found = wires[name] && /queue:\s*(\d+)\s*\/\s*(\d+)/.exec(wires[name].root.textContent || "");
    return found ? `place ${found[1]} of ${found[2]} in the queue` : "";
  };

  // ---- drawing
  const build = (create) => (name, attributes = {}, ...children) => {
    const element = create(name);
    for (const [key, value] of Object.entries(attributes || {})) {
      if (value === null || value === undefined || value === false) continue;
      if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
      else if (key === "style" && typeof value === "object") {
        Object.entries(value).forEach(([property, setting]) => element.style.setProperty(property, setting));
      } else element.setAttribute(key, value === true ? "" : value);
    }
    element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
    return element;
  };
  const h = build((name) => document.createElement(name));
  const svg = build((name) => document.createElementNS("http://www.w3.org/2000/svg", name));
  const fill = (element, ...children) => element.replaceChildren(...children.flat().filter((child) => child));

  // ---- words for numbers
  const clock = (seconds, digits = 1) => {
    const whole = Math.max(0, seconds), minutes = Math.floor(whole / 60);
    return `${minutes}:${(whole - 60 * minutes).toFixed(digits).padStart(digits ? 3 + digits : 2, "0")}`;
  };
  const percent = (p) => (p >= 0.9995 ? "100" : p >= 0.0995 ? (100 * p).toFixed(0) : (100 * p).toFixed(1)) + " %";
  const signed = (value, digits = 2) => (value < 0 ? "−" : "+") + Math.abs(value).toFixed(digits);
  const hertz = (f) => (f >= 1000 ? `${(f / 1000).toFixed(f >= 9950 ? 0 : 1)} kHz` : `${Math.round(f)} Hz`);
  const scaleTitle = (scale) => (scale === "input" ? "Input" : scale.replace("level", "Level "));

  // A model may hear windows of another length than the player shows: the one in which that begins.
  const windowOf = (model) => {
    const start = state.windows[state.window]?.[0] ?? 0;
    return Math.max(0, model.windows.findLastIndex(([first]) => first <= start + 0.01));
  };
  const modelOf = (name) => state.models.find((model) => model.name === name) || state.models[0];

  // Gradio mounts its parts in no order that is promised: resolves when what is needed is there.
  const when = async (there) => {
    while (!there()) await new Promise((resolve) => setTimeout(resolve, 30));
  };

  // Said wherever such a model's numbers are shown.
  const warnUntrained = (models) => {
    const names = models.filter((model) => model.untrained).map((model) => model.title);
    return names.length ? h("p", { class: "mse-warning" }, `${names.join(" and ")} ${names.length > 1 ? "have" : "has"} random weights and learned nothing: these numbers mean nothing about the music.`) : null;
  };

  window.msecnn = {
    state, set, on, emit, surface, mount, connect, call, queuePlace, h, svg, fill,
    clock, percent, signed, hertz, scaleTitle, modelOf, windowOf, warnUntrained, when, offered: window.msecnnOffered,
  };
})();
