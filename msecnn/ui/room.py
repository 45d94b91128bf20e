"""The room's place in the page, and what the networks say to the lecturer's question; there only with `--class`."""

from typing import Any

import numpy as np

from msecnn.explain.explanation import Explanation
from msecnn.ui.server.context import AppContext
from msecnn.ui.server.explanation_request import requested_explanation, requested_whole
from msecnn.ui.server.room_question import BINS, FEWEST, LONGEST_CHOICE, LONGEST_TEXT, MOST
from msecnn.ui.server.rpc import Answer, Page, Payload, Request
from msecnn.ui.server.session import Session, require_session

#: A winning cell that sees more than this is nowhere in particular, seconds; as the page's player has it.
BROAD_S = 3.0


def build(page: Page) -> None:
    if page.context.classroom is None:
        return
    page.mount_point("room")
    page.endpoint("room-networks", say_of_question, model=True)


def offered(context: AppContext) -> dict[str, Any] | None:
    """What the browser must know of questions to a room; None where there is no room."""
    if context.classroom is None:
        return None
    return {
        "fewest": FEWEST,
        "most": MOST,
        "bins": BINS,
        "longest_text": LONGEST_TEXT,
        "longest_choice": LONGEST_CHOICE,
    }


def say_of_question(context: AppContext, session: Session | None, request: Request) -> Answer:
    """Of each network with scales that knows the tag: its exact terms by scale, and when its cells speak for it."""
    session = require_session(session)
    networks = []
    for model, prediction in session.predictions.items():
        asked = {**request, "model": model}
        if request.get("tag") in prediction.tags and requested_whole(context, session, asked) is None:
            explanation = requested_explanation(context, session, asked)
            networks.append({"title": context.title(model)} | _said(explanation))
    return Answer({"networks": networks})


def _said(explanation: Explanation) -> Payload:
    split, start_s = explanation.contributions, explanation.start_s
    end_s = min(start_s + explanation.mel_config.window_s, explanation.prediction.duration_s)
    terms = split.relative[0, :, explanation.tag_index]
    return {
        "scales": list(split.scales),
        "terms": np.round(terms, 5).tolist(),
        "span_s": [round(start_s, 3), round(end_s, 3)],
        "seconds": np.round(_by_time(explanation, start_s, end_s), 5).tolist(),
    }


def _by_time(explanation: Explanation, start_s: float, end_s: float) -> np.ndarray:
    """Parts (BINS,) of a stretch that add up to 1: of the terms in favour, as far as their cells are somewhere.

    A recording that is shorter than the window is repeated in it: what is heard again counts where it is in the file.
    """
    parts = np.zeros(BINS)
    for cell in explanation.evidence.cells:
        if cell.relative > 0 and cell.end_s - cell.start_s <= BROAD_S:
            place = (((cell.start_s + cell.end_s) / 2 - start_s) / (end_s - start_s)) % 1
            parts[min(BINS - 1, int(place * BINS))] += cell.relative
    total = parts.sum()
    return parts / total if total > 0 else parts
