"""How many seconds of a GPU a request asks for on ZeroGPU: as few as will do, since a visitor has few a day.

Nothing is asked for that was measured: there was no GPU. A few runs of a network get the least, a whole recording and
hundreds of runs twice that, and a check its map's seconds besides.
"""

from typing import Any

from msecnn.explain import DEFAULT_METHOD
from msecnn.ui.explanation_choices import QUICK_METHODS
from msecnn.ui.server.session import Session
from msecnn.ui.server.zero_gpu import QUICK_S

SLOW_S = 2 * QUICK_S


def of_map(session: Session | None, request: dict[str, Any]) -> int:
    """Of a saliency map, by its method."""
    return QUICK_S if request.get("method", DEFAULT_METHOD) in QUICK_METHODS else SLOW_S


def of_check(session: Session | None, request: dict[str, Any]) -> int:
    """Of a map and the curves that check it."""
    return SLOW_S + of_map(session, request)


def of_export(session: Session | None, request: dict[str, Any]) -> int:
    """Of all pictures and sounds; with the check's curves where the page shows them."""
    return of_check(session, request) if request.get("checked") else SLOW_S
