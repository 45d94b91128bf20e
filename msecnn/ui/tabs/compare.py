"""Compare two recordings: a second one is opened beside the first, and both are taken apart by scale."""

import gradio as gr

from msecnn.ui.server.context import Studio
from msecnn.ui.server.explanation_request import Question
from msecnn.ui.server.rpc import Answer, Page, Request
from msecnn.ui.server.session import Visit
from msecnn.ui.tabs.network import terms
from msecnn.ui.upload import give_sound, open_recording, show_window


def build(page: Page) -> None:
    page.surface("compare")
    second = gr.State(None)  # a visit of its own: the same questions are asked of it
    page.wire("second", open_recording, model=True, state=second)
    page.wire("second-window", show_window, state=second)
    page.wire("second-sound", give_sound, state=second)
    page.wire("split", split)
    page.wire("second-split", split, state=second)


def split(studio: Studio, visit: Visit | None, request: Request) -> Answer:
    """The exact split of all tags of one window over the scales."""
    return Answer(terms(Question.of(studio, visit, request).contributions))
