// Lessons: a panel that stays while its steps drive the page, and the worksheet that a student takes away.
(() => {
  const M = window.msecnn, { h, state } = M;
  const LESSONS = M.offered.lessons;
  //: The lessons speak of the two bundled networks, whatever a visitor compared before.
  const MODELS = ["fcn5", "msecnn"];
  const KEPT = "msecnn-answers";

  let list, panel;
  const answers = (() => { try { return JSON.parse(sessionStorage.getItem(KEPT)) || {}; } catch { return {}; } })();
  const keep = () => { try { sessionStorage.setItem(KEPT, JSON.stringify(answers)); } catch { /* private windows keep nothing */ } };
  const lessonOf = (id) => LESSONS.find((lesson) => lesson.id === id);
  const answered = (id) => (answers[id] || []).filter((answer) => answer && answer.trim()).length;

  // ---- driving the page
  const show = async ({ example, model, tag = null, tab, seek, why = {}, apart = {} }) => {
    if (state.recording?.example !== example || !MODELS.every((name) => state.models.some((one) => one.name === name))) await M.intake.openExample(example, MODELS);
    if (state.recording?.example !== example) return;   // the page has said why
    M.set({ window: 0, ...(model ? { model, tag } : {}) });
    M.showTab(tab);
    if (tab === "why") M.why.show(why);
    if (tab === "apart") M.apart.show(apart);
    if (seek !== undefined) M.player.seek(seek);
  };

  const begin = (id, step = 0) => {
    const lesson = lessonOf(id);
    if (!lesson) return;
    const at = Math.max(0, Math.min(lesson.steps.length - 1, Number(step) || 0));
    M.set({ lesson: { id, step: at } });
    return show(lesson.steps[at].show);
  };
  const end = () => { M.set({ lesson: null }); M.showTab("lessons"); };

  // ---- the panel
  const drawPanel = () => {
    if (!panel) return;
    document.body.classList.toggle("mse-teaching", Boolean(state.lesson));
    if (!state.lesson) return M.fill(panel, invitation());
    const { id, step } = state.lesson, lesson = lessonOf(id), { text, question, show: shown } = lesson.steps[step], last = step === lesson.steps.length - 1;
    const field = h("textarea", { rows: 4, "aria-label": "Your answer", placeholder: "Your answer, kept in this browser until it is closed", oninput: () => {
      (answers[id] ||= [])[step] = field.value;
      keep();
    } });
    field.value = answers[id]?.[step] || "";
    const status = h("span", { class: "mse-status", role: "status" });
    M.fill(panel, h("aside", { class: "mse-lesson-panel", "aria-label": "Lesson" },
      h("div", { class: "mse-lesson-head" }, h("strong", {}, lesson.title), h("button", { type: "button", class: "mse-quiet", "aria-label": "End the lesson", onclick: end }, "×")),
      h("div", { class: "mse-lesson-body", tabindex: -1 }, h("p", {}, text), h("p", { class: "mse-lesson-question" }, question), field),
      h("div", { class: "mse-lesson-foot" },
        h("button", { type: "button", class: "mse-button", disabled: step === 0, onclick: () => begin(id, step - 1) }, "Back"),
        h("span", { class: "mse-facts" }, `${step + 1} of ${lesson.steps.length}`),
        h("button", { type: "button", class: "mse-button", onclick: () => show(shown) }, "Show again"),
        last ? h("button", { type: "button", class: "mse-button primary", onclick: () => save(status) }, "Worksheet") : h("button", { type: "button", class: "mse-button primary", onclick: () => begin(id, step + 1) }, "Next")),
      status));
  };
  // Before anything is open, the way in also leads to the lessons.
  const invitation = () => h("div", { class: "mse-lesson-invitation" }, h("h2", {}, "or take a lesson"),
    h("div", { class: "mse-segment" }, LESSONS.map((lesson) => h("button", { type: "button", class: "mse-toggle", onclick: () => begin(lesson.id) }, lesson.title))));

  // ---- the worksheet: of what the page shows now
  const save = async (status) => {
    const lesson = state.lesson?.id ?? null, model = M.modelOf(state.model);
    const tag = state.tag || model.tags[model.probabilities.indexOf(Math.max(...model.probabilities))];
    status.className = "mse-status busy";
    status.textContent = "Printing …";
    try {
      const { file } = await M.call("worksheet", { model: model.name, tag, window: state.window, ...M.why.settings(), ...M.apart.settings(), lesson, answers: lesson ? [...(answers[lesson] || [])].map((answer) => answer || "") : [] });
      const link = h("a", { href: file.url, download: `${lesson ? lessonOf(lesson).title : `${state.recording.name} ${tag}`} worksheet.html` });
      document.body.append(link);
      link.click();
      link.remove();
      status.textContent = "";
      status.className = "mse-status";
    } catch (error) {
      status.className = "mse-status error";
      status.textContent = error.message;
    }
  };

  // ---- the tab
  const drawList = () => {
    if (!list) return;
    const status = h("span", { class: "mse-status", role: "status" });
    const item = (lesson, i) => h("li", {}, h("button", { type: "button", class: `mse-lesson-card${state.lesson?.id === lesson.id ? " chosen" : ""}`, "data-lesson": lesson.id, onclick: () => begin(lesson.id) },
      h("em", {}, i + 1), h("span", {}, h("strong", {}, lesson.title), h("span", {}, lesson.aim)), h("small", {}, answered(lesson.id) ? `${answered(lesson.id)} of ${lesson.steps.length} answered` : `${lesson.steps.length} steps`)));
    M.fill(list, h("p", { class: "mse-sentence" }, "Five short lessons that drive this page. They use the bundled examples, so everybody sees the same figures."), h("ol", { class: "mse-lesson-list" }, LESSONS.map(item)),
      h("h3", {}, "Worksheet"), h("p", { class: "mse-facts" }, "One page to keep or to hand in: the clip, its tags, what each scale adds, the maps, the settings, and in a lesson its questions with your answers. It opens without this page and without the internet."),
      h("p", { class: "mse-toolbar" }, h("button", { type: "button", class: "mse-button", onclick: () => save(status) }, "Save a worksheet of what is shown"), status));
  };

  M.surface("lesson", (element) => { panel = element; drawPanel(); });
  M.surface("lessons", (element) => { list = element; drawList(); });
  M.on("lesson", () => { drawPanel(); drawList(); });
  M.on("tab", () => state.tab === "lessons" && drawList());
  M.lessons = { begin };
})();
