"""Compare two recordings: a second one is opened beside the first, and both are taken apart by scale."""

import gradio as gr

from msecnn.ui.server.context import AppContext
from msecnn.ui.server.explanation_request import requested_explanation
from msecnn.ui.server.rpc import Answer, Page, Request
from msecnn.ui.server.session import Session
from msecnn.ui.tabs.network import terms
from msecnn.ui.upload import give_sound, open_recording, show_window


def build(page: Page) -> None:
    page.mount_point("compare")
    second = gr.State(None)  # a visit of its own: the same questions are asked of it
    page.endpoint("second", open_recording, model=True, state=second)
    page.endpoint("second-window", show_window, state=second)
    page.endpoint("second-sound", give_sound, state=second)
    page.endpoint("split", split)
    page.endpoint("second-split", split, state=second)


def split(context: AppContext, session: Session | None, request: Request) -> Answer:
    """The exact split of all tags of one window over the scales."""
    return Answer(terms(requested_explanation(context, session, request).contributions))
