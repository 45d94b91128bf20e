"""Compare two recordings: a second one is opened beside the first, and both are taken apart by scale."""

from msecnn.ui import gpu_seconds
from msecnn.ui.server.context import AppContext
from msecnn.ui.server.controls import button, dropdown, radio, row
from msecnn.ui.server.explanation_request import requested_explanation
from msecnn.ui.server.rpc import Answer, Page, Request
from msecnn.ui.server.session import Session
from msecnn.ui.tabs.network import terms
from msecnn.ui.upload import give_sound, open_recording, show_window

#: The recording that is compared is a session of its own: the same requests are made of it.
SECOND = "second"
#: By what the tags of both are sorted.
ORDERS = [("difference", "difference"), ("A", "first"), ("B", "second")]


def build(page: Page) -> None:
    with row():
        examples = [(f"{example.title} ({example.kind})", example.id) for example in page.context.examples.values()]
        page.control("second", dropdown("Compare with", examples, value=None, visible=bool(examples)))
        page.mount_point("second-file")
        page.control("compare-model", radio("Model"))
    page.mount_point("compare")
    page.control("compare-sort", radio("Sort by", ORDERS, value=ORDERS[0][1], visible=False))
    page.mount_point("compare-numbers")
    page.control("all-differences", button("Show all", visible=False), "click")
    page.endpoint("second", open_recording, model=True, gpu_s=gpu_seconds.SLOW_S, slot=SECOND)
    page.endpoint("second-window", show_window, slot=SECOND)
    page.endpoint("second-sound", give_sound, lane="slow", slot=SECOND, same=())
    page.endpoint("split", split)
    page.endpoint("second-split", split, slot=SECOND)


def split(context: AppContext, session: Session | None, request: Request) -> Answer:
    """The exact split of all tags of one window over the scales."""
    return Answer(terms(requested_explanation(context, session, request).contributions))
