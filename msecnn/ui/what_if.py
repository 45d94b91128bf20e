"""What if the sound were another: edits that a page or a program asks for, within what a server can do for many."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from msecnn import audio
from msecnn.ui.server.context import AppContext
from msecnn.ui.server.request_fields import shown
from msecnn.ui.server.session import SessionError
from msecnn.ui.upload import check_length, named_as, patience
from msecnn.what_if.intervention import WhatIf, what_if
from msecnn.what_if.notation import parse_chain

#: Longest part that is edited here, seconds; edits in one chain; points of one curve.
LONGEST_PART_S, MAX_EDITS, MAX_POINTS = 60.0, 8, 9


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


def deadline(context: AppContext) -> Callable[[], None]:
    """For `what_if` to call before each edit: ends what takes too long, or what nobody waits for any more."""
    check = patience(context.patience_s)
    return lambda: check(0.0, None)


def _seconds(value: object, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not (math.isfinite(value) and value >= 0):
        raise SessionError(f"The {what} is a number of seconds, not {shown(value)}.")
    return float(value)
