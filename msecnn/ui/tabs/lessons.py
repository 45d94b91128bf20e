"""Lessons for a class: guided steps that drive the page itself, and a worksheet to hand in."""

import json
from functools import cache

from msecnn.explain import METHODS
from msecnn.models import registry
from msecnn.tags import MAGNATAGATUNE_TAGS
from msecnn.ui import worksheet
from msecnn.ui.lesson_schema import Known, Lesson, read_lessons
from msecnn.ui.server.context import ASSETS
from msecnn.ui.server.controls import button, row
from msecnn.ui.server.rpc import Page

#: The lessons speak of the two bundled networks, whatever a visitor compared before.
MODELS = ("fcn5", "msecnn")
#: What a step can open.
TABS_OF_STEPS = ("tags", "why", "network", "what-if")


def build(page: Page) -> None:
    page.mount_point("lessons")
    with row():
        page.control("worksheet", button("Save a worksheet of what is shown"), "click")
        page.control("forget", button("Forget all answers", visible=False), "click")


def build_panel(page: Page) -> None:
    """What stays in view while a lesson drives the tabs; an endpoint inside a tab waits until that is opened."""
    page.mount_point("lesson")
    worksheet.build(page)


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
