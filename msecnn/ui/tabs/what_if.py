"""What if: a chain of edits of the open window, response curves, and the smallest cut that loses a tag."""

from collections.abc import Callable, Iterator

from msecnn.explain import Cancelled
from msecnn.plots.html import browser_figure
from msecnn.plots.response import response_curve
from msecnn.ui import gpu_seconds
from msecnn.ui.server.background import BackgroundTask, token_of
from msecnn.ui.server.context import AppContext
from msecnn.ui.server.explanation_request import requested_explanation
from msecnn.ui.server.request_fields import text
from msecnn.ui.server.rpc import Answer, Page, Payload, Request
from msecnn.ui.server.session import Session
from msecnn.ui.what_if import deadline, server_curve, window_what_if
from msecnn.what_if.response import Response
from msecnn.what_if.smallest_cut import SmallestCut, find_smallest_cut


def build(page: Page) -> None:
    page.mount_point("edits")
    page.endpoint("what-if-curve", draw_curve, model=True, gpu_s=gpu_seconds.SLOW_S, lane="slow")
    page.endpoint("what-if-cut", find_cut, model=True, gpu_s=gpu_seconds.SLOW_S, lane="slow")


def draw_curve(context: AppContext, session: Session | None, request: Request) -> Iterator[Answer]:
    """Tags over the strengths of one more edit after the chain, one figure a model, with progress."""
    edit, strengths = server_curve(text(request.get("curve"), "curve"))
    answer, check = window_what_if(context, session, request), deadline(context)
    task = BackgroundTask(
        token_of(request),
        lambda progress, cancelled: answer.response(
            edit, strengths, progress=progress, check=_unless_stopped(check, cancelled)
        ),
    )
    for part in task:
        yield Answer({"progress": part})
    yield Answer({"figures": [_figure(context, task.result, model) for model in task.result.models]})


def _unless_stopped(check: Callable[[], None], cancelled: Callable[[], bool]) -> Callable[[], None]:
    def checked() -> None:
        if cancelled():
            raise Cancelled("The curve was stopped.")
        check()

    return checked


def _figure(context: AppContext, curve: Response, model: str) -> Payload:
    """A model's curve for the page to draw, told in words by where its first tag is highest and lowest."""
    answers, title = curve.models[model], context.title(model)
    first = answers.before.argmax()
    values = answers.probabilities[:, first]
    low, high = curve.strengths[int(values.argmin())], curve.strengths[int(values.argmax())]
    label = (
        f"{title}: {answers.tags[first]} is {values.max():.0%} at {high:g} {curve.unit}, {values.min():.0%} at {low:g}"
        f", and {answers.before[first]:.0%} without this edit."
    )
    return {"title": title, "figure": browser_figure(response_curve(curve, model), label=label)}


def find_cut(context: AppContext, session: Session | None, request: Request) -> Iterator[Answer]:
    """The smallest cut that loses a tag in the window as it is, as an edit, with progress."""
    explanation = requested_explanation(context, session, request)
    task: BackgroundTask[SmallestCut | None] = BackgroundTask(
        token_of(request),
        lambda progress, cancelled: find_smallest_cut(explanation, progress=progress, cancelled=cancelled),
    )
    for part in task:
        yield Answer({"progress": part})
    yield Answer({"cut": None if task.result is None else _cut(task.result)})


def _cut(cut: SmallestCut) -> Payload:
    return {
        "tag": cut.tag,
        "edit": None if cut.edit is None else str(cut.edit),
        "cells": cut.cells,
        "before": cut.before,
        "after": cut.after,
        "boxes": [vars(region) for region in cut.regions],
    }
