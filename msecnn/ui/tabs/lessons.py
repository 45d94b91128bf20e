"""Lessons for a class: guided steps that drive the page itself, and a worksheet to take away."""

import json
from functools import cache

from msecnn.explain import METHODS
from msecnn.models import registry
from msecnn.tags import MAGNATAGATUNE_TAGS
from msecnn.ui import gpu_seconds
from msecnn.ui.lesson_schema import Known, Lesson, read_lessons
from msecnn.ui.server.context import ASSETS, AppContext
from msecnn.ui.server.controls import button, row
from msecnn.ui.server.explanation_request import named_switches, requested_explanation
from msecnn.ui.server.languages import translated
from msecnn.ui.server.request_fields import shown
from msecnn.ui.server.rpc import Answer, Page, Request
from msecnn.ui.server.served_files import new_file, served
from msecnn.ui.server.session import Session, SessionError, require_session
from msecnn.ui.what_if import window_what_if
from msecnn.ui.worksheet import Exercise, worksheet

#: Longest answer of a student that a worksheet prints, characters.
LONGEST_ANSWER = 4000
#: The lessons speak of the two bundled networks, whatever a visitor compared before.
MODELS = ("fcn5", "msecnn")
#: What a step can open.
TABS_OF_STEPS = ("tags", "why", "network", "what-if")


def build(page: Page) -> None:
    page.mount_point("lessons")
    with row():
        page.control("worksheet", button("Save a worksheet of what is shown"), "click")
        page.control("forget", button("Forget all answers", visible=False), "click")
    page.mount_point("worksheet-status")


def build_panel(page: Page) -> None:
    """What stays in view while a lesson drives the tabs; an endpoint inside a tab waits until that is opened."""
    page.mount_point("lesson")
    page.endpoint("worksheet", make_worksheet, model=True, gpu_s=gpu_seconds.of_export, lane="slow")


@cache
def lessons() -> tuple[Lesson, ...]:
    """The lessons' texts, with what each step shows and asks.

    Raises:
        LessonError: the file is wrong.
    """
    return read_lessons(ASSETS / "lessons.json", known())


def known() -> Known:
    """What a lesson may name: bundled examples, tags and scales, and what the page has."""
    examples = json.loads((ASSETS / "examples" / "examples.json").read_text(encoding="utf-8"))
    return Known(
        examples=[example["id"] for example in examples],
        tabs=TABS_OF_STEPS,
        models=MODELS,
        tags=MAGNATAGATUNE_TAGS,
        scales=registry.create(MODELS[1]).scales,
        methods=tuple(METHODS),
    )


def make_worksheet(context: AppContext, session: Session | None, request: Request) -> Answer:
    """What the page shows of the tag that is asked about, with the lesson's questions and the student's answers."""
    explanation = requested_explanation(context, session, request)
    off = named_switches(request, "off", explanation.contributions.scales)
    path = new_file("worksheet.html")
    edited = window_what_if(context, session, request) if request.get("edits") else None
    title, exercises = _exercises(request)
    sheet = worksheet(explanation, context, require_session(session), off, title, exercises, edited=edited)
    path.write_text(sheet, "utf-8")
    return Answer({"file": served(path)})


def _exercises(request: Request) -> tuple[str | None, list[Exercise]]:
    """The lesson's title and its questions with the answers given so far."""
    name, answers = request.get("lesson"), request.get("answers")
    if name is None:
        return None, []
    lesson = next((lesson for lesson in lessons() if lesson["id"] == name), None)
    if lesson is None:
        raise SessionError(f"There is no lesson called {shown(name)}.")
    given = [str(answer)[:LONGEST_ANSWER] for answer in answers] if isinstance(answers, list) else []
    given += [""] * len(lesson["steps"])
    language = request.get("language")
    return translated(lesson["title"], language), [
        Exercise(translated(step["text"], language), translated(step["question"], language), answer)
        for step, answer in zip(lesson["steps"], given, strict=False)
    ]
