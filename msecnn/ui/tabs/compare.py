"""Compare two recordings: a second one is opened beside the first, and both are taken apart by scale."""

from msecnn.ui import gpu_seconds
from msecnn.ui.server.context import AppContext
from msecnn.ui.server.explanation_request import requested_explanation
from msecnn.ui.server.rpc import Answer, Page, Request
from msecnn.ui.server.session import Session
from msecnn.ui.tabs.network import terms
from msecnn.ui.upload import give_sound, open_recording, show_window

#: The recording that is compared is a session of its own: the same requests are made of it.
SECOND = "second"


def build(page: Page) -> None:
    page.mount_point("compare")
    page.endpoint("second", open_recording, model=True, gpu_s=gpu_seconds.SLOW_S, slot=SECOND)
    page.endpoint("second-window", show_window, slot=SECOND)
    page.endpoint("second-sound", give_sound, lane="slow", slot=SECOND, same=())
    page.endpoint("split", split)
    page.endpoint("second-split", split, slot=SECOND)


def split(context: AppContext, session: Session | None, request: Request) -> Answer:
    """The exact split of all tags of one window over the scales."""
    return Answer(terms(requested_explanation(context, session, request).contributions))
