"""Lessons for a class: guided steps that drive the page itself, and a worksheet to hand in."""

import json
from functools import cache
from typing import Any

from msecnn.ui import worksheet
from msecnn.ui.server.context import ASSETS
from msecnn.ui.server.controls import button, row
from msecnn.ui.server.rpc import Page

#: The lessons speak of the two bundled networks, whatever a visitor compared before.
MODELS = ("fcn5", "msecnn")

Lesson = dict[str, Any]


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
    """The lessons' texts, with what each step shows."""
    return tuple(json.loads((ASSETS / "lessons.json").read_text(encoding="utf-8")))
