"""The page for programs: `/tag`, `/explain` and `/models`, by name, with the same limits and sentences as the page."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr

from msecnn.audio.source import LONGEST_NAME
from msecnn.files import printable
from msecnn.tagger import answer_json
from msecnn.ui.server.context import AppContext
from msecnn.ui.server.explanation_request import requested_explanation
from msecnn.ui.server.rpc import Page
from msecnn.ui.server.session import SessionError
from msecnn.ui.upload import open_file

#: Of a row of `/models`. Rises when a key changes its meaning or goes.
SCHEMA = 1


def build(page: Page) -> None:
    """Adds the endpoints; their components are never seen."""
    context = page.context
    names = list(context.taggers)
    with gr.Column(visible=False):
        recording = gr.File(label="recording", type="filepath")
        models = gr.CheckboxGroup(names, value=names[:2], label="models")
        model = gr.Dropdown(names, value=names[-1], label="model")
        tag = gr.Textbox(label="tag")
        window = gr.Number(0, precision=0, label="window")
        answer = gr.JSON(label="answer")
        endpoints: tuple[tuple[str, Callable[..., Any], list[gr.components.Component]], ...] = (
            ("tag", tag_endpoint(context), [recording, models]),
            ("explain", explain_endpoint(context), [recording, tag, model, window]),
            ("models", models_endpoint(context), []),
        )
        for name, endpoint, inputs in endpoints:
            page.named_endpoint(name, endpoint, inputs, answer, model=name != "models")


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
    def explain(recording: str, tag: str, model: str, window: int = 0) -> dict[str, Any]:
        """Explains why a model gives a tag to a window of a recording: exactly, per scale and per winning cell.

        Args:
            recording: an audio file in any format.
            tag: one of the model's tags.
            model: its name, as /models gives it.
            window: number of the window, from 0.

        Returns:
            The same object as `python -m msecnn explain --format json` gives: logit, base value, the contribution of
            each scale, the evidence in seconds and Hz, and what was measured of the saliency maps' method.
        """
        path, name = _given(recording)
        session, _ = open_file(context, path, name, [model])
        request = {"model": model, "tag": tag, "window": window}
        return requested_explanation(context, session, request).to_json()

    return explain


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
