"""What the page remembers of one visitor between two requests; it lives on the server and is nobody else's."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from msecnn.errors import MsecnnError
from msecnn.explain.choices import choose_window
from msecnn.tagger import TagPrediction


class SessionError(MsecnnError):
    """A visitor asked for something that is not open, or is no longer."""


@dataclass(frozen=True)
class Session:
    """One recording that a visitor has opened, with what the chosen models said of it.

    Attributes:
        path: the file; decoded again when sound is needed, so that a visit costs no waveform.
        name: what to call it on the page.
        example: its name among the bundled examples, None for a visitor's own.
        predictions: by model name.
        shown: the prediction whose mel and windows the player shows.
    """

    path: Path
    name: str
    example: str | None
    predictions: dict[str, TagPrediction]
    shown: TagPrediction

    def prediction(self, model: str) -> TagPrediction:
        if model not in self.predictions:
            raise SessionError(f"This recording has not been tagged by {model!r}: choose the model again.")
        return self.predictions[model]


def window_mel(prediction: TagPrediction, window: int) -> np.ndarray:
    """(F, L) dB of one of a prediction's windows, which was tagged with its mels kept."""
    assert prediction.mel is not None
    mel: np.ndarray = prediction.mel[choose_window(prediction, window)]
    return mel


def require_session(session: Session | None) -> Session:
    """The visit, or the sentence for a visitor whose recording the server no longer has."""
    if session is None:
        raise SessionError(
            "The server no longer holds this recording, perhaps because it was restarted: open it again."
        )
    return session
