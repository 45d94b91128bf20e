"""Which tag, window, method and baseline are explained, and the sentence for a choice that there is not."""

from collections.abc import Sequence

from msecnn.explain import ExplanationError
from msecnn.tagger import TagPrediction


def choose_tag(prediction: TagPrediction, tag: str | None) -> int:
    """Number of the tag, the most probable one where none is named."""
    if tag is None:
        return int(prediction.probabilities.argmax())
    if tag not in prediction.tags:
        raise ExplanationError(f"{prediction.model} knows no tag {tag!r}; it knows {', '.join(prediction.tags)}.")
    return prediction.tags.index(tag)


def choose_window(prediction: TagPrediction, window: int) -> int:
    """The window's number, if the recording has it."""
    last = len(prediction.window_starts_s) - 1
    if not 0 <= window <= last:
        raise ExplanationError(f"This recording has windows 0 to {last}, not {window}.")
    return window


def most_probable_window(prediction: TagPrediction, tag_index: int) -> int:
    return int(prediction.window_probabilities[:, tag_index].argmax())


def choose(chosen: str, what: str, allowed: Sequence[str]) -> str:
    """One of the allowed words."""
    if chosen not in allowed:
        raise ExplanationError(f"{what.capitalize()} can be {', '.join(allowed)}, not {chosen!r}.")
    return chosen
