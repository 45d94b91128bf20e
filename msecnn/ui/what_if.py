"""What if the sound were another: edits that a page or a program asks for, within what a server can do for many."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from msecnn import audio
from msecnn.explain.choices import choose_window
from msecnn.ui.server.context import AppContext
from msecnn.ui.server.request_fields import shown, text, whole_number
from msecnn.ui.server.rpc import Answer, Page, Payload, Request
from msecnn.ui.server.served_files import served_wav
from msecnn.ui.server.session import Session, SessionError, require_session
from msecnn.ui.upload import check_length, named_as, patience
from msecnn.what_if.chain import Moved
from msecnn.what_if.change import ModelChange
from msecnn.what_if.edit import Edit
from msecnn.what_if.intervention import WhatIf, what_if
from msecnn.what_if.notation import parse_chain, parse_curve

#: Longest part that is edited here, seconds; edits in one chain; points of one curve.
LONGEST_PART_S, MAX_EDITS, MAX_POINTS = 60.0, 8, 9
#: Tags that the page shows of each model: those that were most probable, before or after.
N_TAGS = 6


def build(page: Page) -> None:
    page.endpoint("what-if", edit_window, model=True, same=("window", "edits", "models"))


def edit_window(context: AppContext, session: Session | None, request: Request) -> Answer:
    """One window of the open recording, edited as a text says: its tags before and after, and its sound."""
    answer = window_what_if(context, session, request)
    return Answer(
        {
            "edits": [str(edit) for edit in answer.edits],
            "models": [_change(context, change) for change in answer.changes],
            "sound": served_wav(answer.edited, answer.sample_rate, "edited"),
            "start_s": answer.start_s,
            "duration_s": answer.duration_s,
            "ends_s": Moved(answer.edits, answer.start_s, answer.duration_s).ends_s,
        }
    )


def window_what_if(context: AppContext, session: Session | None, request: Request) -> WhatIf:
    """What the page asks: the open recording, its models, a window by its number, the edits as one text.

    Raises:
        SessionError, EditError, AudioError: as `requested_what_if`.
    """
    session = require_session(session)
    start_s, end_s = session.shown.windows[choose_window(session.shown, whole_number(request, "window"))]
    edits, models = text(request.get("edits", ""), "edits").split(), list(session.predictions)
    question = EditRequest(edits, models, start_s, end_s - start_s)
    return requested_what_if(context, session.path, session.name, question)


def _change(context: AppContext, change: ModelChange) -> Payload:
    likeliest = np.maximum(change.before.probabilities, change.after.probabilities)
    order = np.argsort(-likeliest, kind="stable")[:N_TAGS]
    tags = [
        {
            "tag": change.tags[k],
            "before": float(change.before.probabilities[k]),
            "after": float(change.after.probabilities[k]),
            "change": float(change.logits[k]),
            "terms": change.terms[:, k].tolist(),
        }
        for k in order
    ]
    return {"name": change.model, "title": context.title(change.model), "scales": list(change.scales), "tags": tags}


@dataclass(frozen=True)
class EditRequest:
    """What is asked.

    Attributes:
        edits: as text; none may name a file.
        models: names; at most two are asked, the first two where none is there.
        start_s, duration_s: the part that is edited.
        tag: whose evidence is compared; none where empty.
    """

    edits: Sequence[str]
    models: Sequence[str]
    start_s: float
    duration_s: float
    tag: str = ""


def requested_what_if(context: AppContext, path: Path, name: str, request: EditRequest) -> WhatIf:
    """The answer to a request, whose values may come from anybody.

    Raises:
        SessionError: a value is none, or beyond what this server does.
        EditError: an edit is none, or cannot be made of this sound.
        AudioError: it is no recording.
    """
    if len(request.edits) > MAX_EDITS:
        raise SessionError(f"Ask for at most {MAX_EDITS} edits at once, not {len(request.edits)}.")
    start_s, duration_s = _seconds(request.start_s, "start"), _seconds(request.duration_s, "duration")
    if not 0 < duration_s <= LONGEST_PART_S:
        raise SessionError(f"A part lasts at most {LONGEST_PART_S:g} seconds, and not {duration_s:g}.")
    edits = parse_chain(request.edits, files=False)
    chosen = [model for model in dict.fromkeys(request.models) if model in context.taggers][:2]
    chosen = chosen or list(context.taggers)[:2]
    with named_as(path, name):
        check_length(audio.probe(path).duration_s, context.max_s)
        return what_if(
            [context.taggers[model] for model in chosen],
            path,
            edits,
            start_s=start_s,
            duration_s=duration_s,
            tag=request.tag or None,
            name=name,
            models=chosen,
            check=deadline(context),
        )


def server_curve(curve: str) -> tuple[Edit, tuple[float, ...]]:
    """The edit and the strengths that a text names, no more of them than this server takes.

    Raises:
        EditError: it names none.
        SessionError: there are too many.
    """
    edit, strengths = parse_curve(curve)
    if len(strengths) > MAX_POINTS:
        raise SessionError(f"Ask for a curve of at most {MAX_POINTS} points, not {len(strengths)}.")
    return edit, strengths


def deadline(context: AppContext) -> Callable[[], None]:
    """For `what_if` to call before each edit: ends what takes too long, or what nobody waits for any more."""
    check = patience(context.patience_s)
    return lambda: check(0.0, None)


def _seconds(value: object, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not (math.isfinite(value) and value >= 0):
        raise SessionError(f"The {what} is a number of seconds, not {shown(value)}.")
    return float(value)
