// The header and the one way in: drop, choose, record or take an example; then tagging starts by itself.
(() => {
  const M = window.msecnn, { h, svg, state } = M;
  const { max_s: MAX_S, models: OFFERED, examples: EXAMPLES, max_bytes: MAX_BYTES } = M.offered;
  let place, compact, status, recorder = null;

  // ---- header
  M.surface("header", (element) => {
    const theme = h("button", { type: "button", class: "mse-quiet", "aria-label": "Switch between dark and light", onclick: switchTheme }, "◐");
    element.append(h("header", { class: "mse-header" },
      svg("svg", { class: "mse-logo", viewBox: "0 0 30 24", "aria-hidden": "true" },
        ...[9, 17, 24, 13, 20, 6].map((tall, i) => svg("rect", { x: 5 * i, y: (24 - tall) / 2, width: 3.4, height: tall, rx: 1.7 }))),
      h("h1", {}, "MsE-CNN"), h("p", {}, "Hear, see and question how a network tags music. FCN-5 and MsE-CNN learned from three other networks, on free game music, songs and rendered scores."), theme));
  });
  const switchTheme = () => {
    const dark = document.body.classList.toggle("dark");
    try { localStorage.setItem("msecnn-theme", dark ? "dark" : "light"); } catch { /* private windows keep nothing */ }
  };
  const keepTheme = () => {
    let kept = null;
    try { kept = localStorage.getItem("msecnn-theme"); } catch { /* see above */ }
    if (kept) document.body.classList.toggle("dark", kept === "dark");
  };

  // ---- the way in
  M.surface("intake", (element) => {
    keepTheme();
    place = element;
    const input = h("input", { type: "file", id: "mse-file", class: "mse-sr", accept: "audio/*,video/mp4,video/webm,.opus,.flac,.m4a,.ogg",
      onchange: () => input.files[0] && take(input.files[0], input.files[0].name) });
    const record = h("button", { type: "button", class: "mse-button", onclick: () => (recorder ? recorder.stop() : startRecording(record)) }, "Record");
    const limit = `Any audio format, up to ${minutes(MAX_S)}. It is deleted from this page's server within two hours.`;
    const drop = h("div", { class: "mse-drop" },
      h("p", { class: "mse-drop-title" }, "Drop a recording here"),
      h("div", { class: "mse-drop-actions" }, h("label", { class: "mse-button primary", for: "mse-file", tabindex: 0,
        onkeydown: (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); input.click(); } } }, "Choose a file"), record),
      h("p", { class: "mse-drop-hint" }, limit), input);
    for (const name of ["dragenter", "dragover"]) document.addEventListener(name, (event) => { event.preventDefault(); drop.classList.add("over"); });
    document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) drop.classList.remove("over"); });
    document.addEventListener("drop", (event) => {
      event.preventDefault();
      drop.classList.remove("over");
      const file = event.dataTransfer.files[0];
      if (file) take(file, file.name);
    });
    compact = h("div", { class: "mse-opened", hidden: true });
    status = h("p", { class: "mse-status", role: "status", "aria-live": "polite" });
    element.append(compact, h("div", { class: "mse-intake" }, drop, EXAMPLES.length ? exampleCards() : null), status);
    M.on("models", showModels);
    setTimeout(() => M.emit("ready"));   // when all that is mounted with this is there
  });

  const exampleCards = () => {
    const cards = EXAMPLES.map((example) => h("button", { type: "button", class: "mse-card", title: example.description, "data-example": example.id, onclick: () => openExample(example.id) },
      h("img", { alt: "", width: 200, height: 64 }), h("em", {}, example.kind), h("strong", {}, example.title), h("span", {}, [example.artist, example.licence].filter(Boolean).join(" · "))));
    M.call("example-pictures").then(async ({ pictures }) => {
      for (const card of cards) {
        const canvas = M.pictures.paintMel(await M.pictures.read(pictures[card.dataset.example]));
        card.querySelector("img").src = URL.createObjectURL(await canvas.convertToBlob());
      }
    });
    return h("div", { class: "mse-examples" }, h("h2", {}, "or listen to one of these"), h("div", { class: "mse-cards" }, cards));
  };

  const minutes = (seconds) => `${seconds / 60} minute${seconds === 60 ? "" : "s"}`;
  const say = (words, kind = "") => {
    status.textContent = words;
    status.className = `mse-status ${kind}`;
  };
  const busy = (words) => { say(words, "busy"); place.classList.add("working"); };
  const idle = (words = "", kind = "") => { say(words, kind); place.classList.remove("working"); };

  // The length is read in the browser where it can be, so that nobody uploads what will be refused.
  const durationOf = (url) => new Promise((resolve) => {
    const probe = new Audio();
    probe.preload = "metadata";
    probe.onloadedmetadata = () => resolve(Number.isFinite(probe.duration) ? probe.duration : null);
    probe.onerror = () => resolve(null);
    setTimeout(() => resolve(null), 5000);
    probe.src = url;
  });

  // A file becomes what the server can open, and the address at which this browser has it itself.
  const bring = async (file, name, tell) => {
    if (file.size === 0) throw new Error(`${name} is empty.`);
    if (file.size > MAX_BYTES) throw new Error(`${name} has ${Math.round(file.size / 2 ** 20)} MB; this page takes up to ${MAX_BYTES / 2 ** 20} MB.`);
    const url = URL.createObjectURL(file);
    tell(`Reading ${name} …`);
    const length = await durationOf(url);
    if (length > MAX_S) throw new Error(`${name} lasts ${(length / 60).toFixed(1)} minutes; this page takes up to ${minutes(MAX_S)}.`);
    const path = await upload(file, name, (part) => tell(`Uploading ${name}: ${Math.round(100 * part)} %`));
    return { request: { path, name }, url };
  };
  const take = async (file, name) => {
    try {
      const { request, url } = await bring(file, name, busy);
      await open(request, url, name);
    } catch (error) {
      idle(error.message, "error");
    }
  };

  const upload = (file, name, progress) => new Promise((resolve, reject) => {
    const config = window.gradio_config, body = new FormData(), request = new XMLHttpRequest();
    body.append("files", file, name);
    request.open("POST", `${config.root}${config.api_prefix || ""}/upload`);
    request.upload.onprogress = (event) => event.lengthComputable && progress(event.loaded / event.total);
    request.onload = () => (request.status === 200 ? resolve(JSON.parse(request.responseText)[0])
      : reject(new Error(request.status === 413 ? `${name} is larger than this page takes.` : `${name} could not be uploaded (the server said ${request.status}).`)));
    request.onerror = () => reject(new Error(`${name} could not be uploaded: the server does not answer.`));
    request.send(body);
  });

  const openExample = async (id, models = state.models.map((model) => model.name)) => {
    try {
      await open({ example: id, models }, null, EXAMPLES.find((example) => example.id === id)?.title || id);
    } catch (error) {
      idle(error.message, "error");
    }
  };

  const open = async (request, url, name) => {
    busy(`Tagging ${name} …`);
    const watch = setInterval(() => { const place = M.queuePlace("open"); if (place) busy(`Waiting: ${place}`); }, 500);
    try {
      const answer = await M.call("open", { models: state.models.map((model) => model.name), ...request });
      show(answer, url);
      idle();
    } finally {
      clearInterval(watch);
    }
  };
  const retag = async (models) => {
    busy("Tagging again …");
    try {
      show(await M.call("open", { models }), state.recording.url, state.tag);
      idle();
    } catch (error) {
      idle(error.message, "error");
    }
  };

  const show = (answer, url, tag = null) => {
    const { recording, mel, windows, window: chosen, picture, overview, families, models } = answer;
    const kept = models.some((model) => model.name === state.model) ? state.model : models.at(-1).name;
    M.set({ tag, recording: { ...recording, url: url || recording.audio?.url }, mel, windows, window: chosen, picture, overview, families, models, model: kept });
    place.classList.add("has-recording");
    document.body.classList.add("mse-open");
    showOpened();
  };
  const showOpened = () => {
    const { name, credit, duration_s: length, sample_rate: rate, channels, codec } = state.recording;
    const facts = [credit, `${length.toFixed(1)} s`, `${(rate / 1000).toFixed(1)} kHz`, channels === 1 ? "mono" : channels === 2 ? "stereo" : `${channels} channels`, codec];
    compact.hidden = false;
    M.fill(compact, h("strong", {}, name), h("span", { class: "mse-facts" }, facts.filter(Boolean).join(" · ")), modelChoice(),
      h("span", { class: "mse-actions" }, h("button", { type: "button", class: "mse-button", "data-action": "export", onclick: saveAll }, "Save all"),
        h("button", { type: "button", class: "mse-button", "data-action": "another", onclick: () => place.classList.toggle("has-recording") }, "Another recording")));
  };
  // Everything the page shows of this recording, and of the tag asked about, in one zip.
  const saveAll = async () => {
    const collecting = (part) => busy(`Collecting: ${Math.round(100 * part)} %`);
    collecting(0);
    try {
      const { file } = await M.call("export", { model: state.model, tag: state.tag, window: state.window, ...M.why?.settings() }, { progress: collecting });
      const link = h("a", { href: file.url, download: `${state.recording.name.replace(/\.[^.]*$/, "")} tags.zip` });
      document.body.append(link);
      link.click();
      link.remove();
      idle();
    } catch (error) {
      idle(error.message, "error");
    }
  };
  const showModels = () => state.recording && showOpened();
  const modelChoice = () => {
    if (OFFERED.length < 3) return null;
    const choose = (which) => h("select", { "aria-label": `Model ${which + 1}`, onchange: (event) => {
      const names = state.models.map((model) => model.name);
      names[which] = event.target.value;
      retag(names);
    } }, OFFERED.map(({ name, title }) => h("option", { value: name, selected: name === state.models[which]?.name }, title)));
    return h("span", { class: "mse-choice" }, choose(0), " and ", choose(1));
  };

  // ---- microphone
  const startRecording = async (button) => {
    if (!navigator.mediaDevices?.getUserMedia) return idle("The browser gives the microphone only to pages on HTTPS or on this machine.", "error");
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false } });
    } catch (error) {
      return idle(error.name === "NotFoundError" ? "No microphone was found." : "The microphone may not be used: allow it in the browser and try again.", "error");
    }
    const parts = [], began = performance.now();
    recorder = new MediaRecorder(stream);
    recorder.ondataavailable = (event) => parts.push(event.data);
    const ticking = setInterval(() => {
      const seconds = (performance.now() - began) / 1000;
      say(`Recording: ${M.clock(seconds)}. 29 s fill the networks' window.`, "busy");
      if (seconds > MAX_S - 1) recorder.stop();
    }, 200);
    recorder.onstop = () => {
      clearInterval(ticking);
      stream.getTracks().forEach((track) => track.stop());
      const type = recorder.mimeType;
      recorder = null;
      button.textContent = "Record";
      button.classList.remove("recording");
      take(new Blob(parts, { type }), `recording.${type.includes("mp4") ? "m4a" : "webm"}`);
    };
    recorder.start();
    button.textContent = "Stop and tag";
    button.classList.add("recording");
  };

  M.intake = { openExample, bring };
})();
