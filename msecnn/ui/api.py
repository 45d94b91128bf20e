"""The page for programs: `/tag`, `/explain`, `/what_if`, `/models`, by name, with the page's limits and sentences."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr

from msecnn.audio.source import LONGEST_NAME
from msecnn.files import printable
from msecnn.tagger import answer_json
from msecnn.ui import gpu_seconds
from msecnn.ui.server.context import AppContext
from msecnn.ui.server.explanation_request import requested_explanation
from msecnn.ui.server.request_fields import names, text, yes_or_no
from msecnn.ui.server.rpc import Page
from msecnn.ui.server.session import SessionError
from msecnn.ui.server.visitors import Lane
from msecnn.ui.upload import open_file, window_s
from msecnn.ui.what_if import EditRequest, deadline, requested_what_if, server_curve

#: Of a row of `/models`. Rises when a key changes its meaning or goes.
SCHEMA = 1


def build(page: Page) -> None:
    """Adds the endpoints; their components are never seen."""
    context = page.context
    known = list(context.taggers)
    with gr.Column(visible=False):
        recording = gr.File(label="recording", type="filepath")
        models = gr.CheckboxGroup(known, value=known[:2], label="models")
        model = gr.Dropdown(known, value=known[-1], label="model")
        tag = gr.Textbox(label="tag")
        window = gr.Number(0, precision=0, label="window")
        minimal = gr.Checkbox(False, label="minimal")
        edits = gr.Textbox("", label="edits")
        start_s = gr.Number(0, label="start_s")
        duration_s = gr.Number(round(window_s(context), 3), label="duration_s")
        evidence_of = gr.Textbox("", label="tag")
        curve = gr.Textbox("", label="curve")
        answer = gr.JSON(label="answer")
        what_if = [recording, edits, models, start_s, duration_s, evidence_of, curve]
        endpoints: tuple[tuple[str, Callable[..., Any], list[gr.components.Component], Lane], ...] = (
            ("tag", tag_endpoint(context), [recording, models], "model"),
            ("explain", explain_endpoint(context), [recording, tag, model, window, minimal], "slow"),
            ("what_if", what_if_endpoint(context), what_if, "slow"),
            ("models", models_endpoint(context), [], "light"),
        )
        for name, endpoint, inputs, lane in endpoints:
            page.named_endpoint(name, endpoint, inputs, answer, lane=lane, gpu_s=gpu_seconds.SLOW_S)


def tag_endpoint(context: AppContext) -> Callable[..., dict[str, Any]]:
    def tag(recording: str, models: list[str]) -> dict[str, Any]:
        """Tags a recording with one or several models.

        Args:
            recording: an audio file in any format.
            models: names of the models, as /models gives them.

        Returns:
            The same object as `python -m msecnn tag --format json` gives for a file: duration, notes, windows, and for
            each model all tags with their probabilities and the timeline.
        """
        path, name = _given(recording)
        session, _ = open_file(context, path, name, models)
        return answer_json(session.name, list(session.predictions.values()))

    return tag


def explain_endpoint(context: AppContext) -> Callable[..., dict[str, Any]]:
    def explain(recording: str, tag: str, model: str, window: int = 0, minimal: bool = False) -> dict[str, Any]:
        """Explains why a model gives a tag to a window of a recording: exactly, per scale and per winning cell.

        Args:
            recording: an audio file in any format.
            tag: one of the model's tags.
            model: its name, as /models gives it.
            window: number of the window, from 0.
            minimal: also look for the smallest sound that keeps the tag and the smallest cut that loses it, which
                takes some seconds more.

        Returns:
            The same object as `python -m msecnn explain --format json` gives: logit, base value, the contribution of
            each scale, the evidence in seconds and Hz, and what was measured of the saliency maps' method.
        """
        path, name = _given(recording)
        session, _ = open_file(context, path, name, [text(model, "model")])
        request = {"model": model, "tag": text(tag, "tag"), "window": window}
        return requested_explanation(context, session, request).to_json(minimal=yes_or_no(minimal, "minimal"))

    return explain


def what_if_endpoint(context: AppContext) -> Callable[..., dict[str, Any]]:
    def what_if(
        recording: str,
        edits: str,
        models: list[str],
        start_s: float = 0.0,
        duration_s: float = 29.12,
        tag: str = "",
        curve: str = "",
    ) -> dict[str, Any]:
        """Edits a part of a recording and tells what that does to every tag and to every scale.

        Args:
            recording: an audio file in any format.
            edits: separated by spaces and made in this order, as in "speed=1.1 remove=3.2:4.0,200:800".
            models: names of the models, as /models gives them.
            start_s: where the part begins, seconds.
            duration_s: its length, seconds, at most 60.
            tag: a tag whose evidence is compared before and after, which takes some seconds; none where empty.
            curve: one more edit over a span of strengths, as in "pitch=-3:3:7"; none where empty.

        Returns:
            The same object as `python -m msecnn what-if --format json` gives: for each model all tags before and
            after, each logit's change and its exact split over the scales, the evidence that vanished and appeared,
            and the curve.
        """
        edits, tag, curve = (
            text(value or "", what) for value, what in ((edits, "edits"), (tag, "tag"), (curve, "curve"))
        )
        models = names({"models": models or []}, "models")
        varied, strengths = server_curve(curve) if curve else (None, ())
        path, name = _given(recording)
        request = EditRequest(edits.split(), models, start_s, duration_s, tag)
        answer = requested_what_if(context, path, name, request)
        curves = [] if varied is None else [answer.response(varied, strengths, check=deadline(context))]
        return answer.to_json(evidence=bool(tag)) | {"curves": [curve.to_json() for curve in curves]}

    return what_if


def models_endpoint(context: AppContext) -> Callable[[], list[dict[str, Any]]]:
    def models() -> list[dict[str, Any]]:
        """Lists the models: name, title, architecture, scales with their number of features, tags, whether trained."""
        return [_describe(context, name) for name in context.taggers]

    return models


def _describe(context: AppContext, name: str) -> dict[str, Any]:
    checkpoint = context.taggers[name].checkpoint
    model: Any = checkpoint.model
    return {
        "schema": SCHEMA,
        "name": name,
        "title": context.title(name),
        "architecture": model.architecture,
        "scales": {scale: model.n_features[scale] for scale in model.scales},
        "tags": list(checkpoint.tags),
        "untrained": checkpoint.untrained,
    }


def _given(recording: str | None) -> tuple[Path, str]:
    """A file, and what to call it."""
    if not recording:
        raise SessionError("Give a recording.")
    return Path(recording), printable(Path(recording).name, longest=LONGEST_NAME)
