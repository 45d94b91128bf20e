"""Tags of two models on one chart, which the browser draws; over time and beside the reference, which Plotly draws."""

from collections.abc import Mapping, Sequence
from typing import Any

import gradio as gr
import numpy as np

from msecnn.plots import tags as plots
from msecnn.plots.html import browser_figure
from msecnn.tagger import TagPrediction
from msecnn.ui.server.context import AppContext
from msecnn.ui.server.controls import CLASS, button, checkbox, radio, row
from msecnn.ui.server.languages import words
from msecnn.ui.server.rpc import Answer, Page, Payload, Request
from msecnn.ui.server.session import Session, require_session

#: Rows of the timeline, unless all are asked for.
N_TAGS = 16
#: What the models' probabilities are compared with, on the figure's axis.
REFERENCE = "teachers' mean"
CALIBRATION = "How close are such numbers to the teachers' mean?"


def build(page: Page) -> None:
    page.mount_point("tags-sentence")
    with row():
        page.control("sort", radio("Sort by"))
        page.control("merge", checkbox("merge similar tags", True))
        scopes = [("whole recording", "recording"), ("this window", "window")]
        page.control("scope", radio("Numbers for", scopes, value="recording", visible=False))
        page.mount_point("tags-legend")
    page.mount_point("tags")
    page.control("all-tags", button("Show all"), "click")
    page.mount_point("tags-meaning")
    with page.control(
        "calibration", gr.Accordion(words(CALIBRATION), open=False, visible=False, elem_classes=CLASS), "expand"
    ):
        page.mount_point("calibration")
    page.mount_point("timeline")
    page.endpoint("timeline", show_timeline)
    page.endpoint("calibration", show_calibration)


def show_timeline(context: AppContext, session: Session | None, request: Request) -> Answer:
    """Tags over the windows of a long recording, one figure a model."""
    predictions = require_session(session).predictions
    figures = [
        _timeline(prediction, context.title(model), n_tags=len(prediction.tags) if request.get("all") else N_TAGS)
        for model, prediction in predictions.items()
    ]
    return Answer({"figures": figures})


def _timeline(prediction: TagPrediction, title: str, *, n_tags: int) -> Payload:
    values, starts_s = prediction.window_probabilities, prediction.window_starts_s
    figure = plots.timeline(prediction.tags, values, starts_s, prediction.duration_s, n_tags=n_tags)
    w, k = np.unravel_index(values.argmax(), values.shape)
    return browser_figure(
        figure,
        label=f"{title}: tags over {len(values)} windows, highest {prediction.tags[k]} "
        f"({values[w, k]:.0%}) from {starts_s[w]:.0f} s.",
    )


def show_calibration(context: AppContext, session: Session | None, request: Request) -> Answer:
    """Predicted probabilities beside the reference's mean, of those shown models that were compared with it."""
    cards = {name: context.taggers[name].checkpoint.card for name in require_session(session).predictions}
    bins = {context.title(name): calibration_bins(card) for name, card in cards.items()}
    measured = {title: rows for title, rows in bins.items() if rows}
    sentences = (
        f"{title}: " + "; ".join(f"predicted {row['claimed']:.0%}, {REFERENCE} {row['true']:.0%}" for row in rows)
        for title, rows in measured.items()
    )
    figure = plots.reliability(measured, reference=REFERENCE)
    return Answer({"figure": browser_figure(figure, label=". ".join(sentences))})


def calibration_bins(card: Mapping[str, Any]) -> Sequence[Mapping[str, float]]:
    """Of a model's card; none where it was not measured."""
    calibration = card.get("calibration") or ()
    return calibration["bins"] if isinstance(calibration, Mapping) else calibration
