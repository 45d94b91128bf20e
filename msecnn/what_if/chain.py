"""Edits one after another, within bounds; and where a second and a frequency of the original have gone.

Axis letters: T samples.
"""

from collections.abc import Callable, Sequence

import numpy as np

from msecnn.what_if.edit import Edit, EditError

#: Longest and shortest sound, seconds, at any point of a chain.
LONGEST_S, SHORTEST_S = 600.0, 0.1


def apply_chain(
    edits: Sequence[Edit], waveform: np.ndarray, sample_rate: int, *, check: Callable[[], None] | None = None
) -> np.ndarray:
    """The sound (T,) or (2, T) after all edits, in their order.

    Args:
        check: called before each edit; what it raises stops the chain.

    Raises:
        EditError: an edit cannot be made of this sound, or would make it too long, too short, or no sound.
    """
    check_length(waveform.shape[-1] / sample_rate)
    for edit in edits:
        if check is not None:
            check()
        duration_s = waveform.shape[-1] / sample_rate
        check_length(max(edit.moved_s(duration_s, duration_s), edit.moved_s(0.0, duration_s)), edit)
        waveform = np.ascontiguousarray(edit.apply(waveform, sample_rate), dtype=np.float32)
        if not np.isfinite(waveform).all():
            raise EditError(f"{edit} gives samples that are not numbers.")
    return waveform


def check_length(duration_s: float, edit: Edit | None = None) -> None:
    """Raises EditError for a sound too long or too short to be edited."""
    if not SHORTEST_S <= duration_s <= LONGEST_S:
        subject = "What is edited" if edit is None else f"The sound after {edit}"
        raise EditError(
            f"{subject} would last {duration_s:.4g} s; it must be {SHORTEST_S:g} to {LONGEST_S:g} s: name a part."
        )


class Moved:
    """Where a place of a recording's part is after a chain of edits.

    Args:
        start_s, duration_s: of the part.
    """

    def __init__(self, edits: Sequence[Edit], start_s: float, duration_s: float) -> None:
        self.edits, self.start_s, self.duration_s = edits, start_s, duration_s

    def span_s(self, first: float, last: float) -> tuple[float, float]:
        """Two seconds of the recording, afterwards in order."""
        a, b = sorted((self._second(first), self._second(last)))
        return a, b

    @property
    def ends_s(self) -> tuple[float, float]:
        """Where the part's beginning and its end are afterwards, seconds of the edited sound; exchanged in reverse."""
        a, b = (self._second(self.start_s + second) - self.start_s for second in (0.0, self.duration_s))
        return a, b

    def hz(self, hz: float) -> float:
        for edit in self.edits:
            hz = edit.moved_hz(hz)
        return hz

    def _second(self, second: float) -> float:
        second, duration_s = second - self.start_s, self.duration_s
        for edit in self.edits:
            ends = edit.moved_s(0.0, duration_s), edit.moved_s(duration_s, duration_s)
            second, duration_s = edit.moved_s(second, duration_s), max(ends)
        return self.start_s + second
