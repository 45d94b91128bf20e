"""What the page remembers of one visitor between two requests; it lives on the server and is nobody else's."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from msecnn.errors import MsecnnError
from msecnn.explain.choices import choose_window
from msecnn.tagger import TagPrediction
from msecnn.ui.server.made_files import MadeFiles


class SessionError(MsecnnError):
    """A visitor asked for something that is not open, or is no longer."""


@dataclass(frozen=True)
class Session:
    """One recording that a visitor has opened, with what the chosen models said of it.

    Attributes:
        path: the file; decoded again when sound is needed, so that a session costs no waveform.
        name: what to call it on the page.
        example: its name among the bundled examples, None for a visitor's own.
        predictions: by model name.
        shown: the prediction whose mel and windows the player shows.
        made: the files that were made of it.
    """

    path: Path
    name: str
    example: str | None
    predictions: dict[str, TagPrediction]
    shown: TagPrediction
    made: MadeFiles = field(default_factory=MadeFiles, compare=False)

    @property
    def n_bytes(self) -> int:
        """What it holds in memory: spectrograms, features and probabilities; models share one spectrogram."""
        predictions = [*self.predictions.values(), self.shown]
        arrays = {id(array): array.nbytes for prediction in predictions for array in _arrays(prediction)}
        return sum(arrays.values())

    def prediction(self, model: str) -> TagPrediction:
        if model not in self.predictions:
            raise SessionError(f"This recording has not been tagged by {model[:60]!r}: choose the model again.")
        return self.predictions[model]


def _arrays(prediction: TagPrediction) -> list[np.ndarray]:
    kept = [] if prediction.mel is None else [prediction.mel]
    return [*kept, *prediction.features.values(), prediction.window_probabilities, prediction.window_logits]


def window_mel(prediction: TagPrediction, window: int) -> np.ndarray:
    """(F, L) dB of one of a prediction's windows, which was tagged with its mels kept."""
    assert prediction.mel is not None
    mel: np.ndarray = prediction.mel[choose_window(prediction, window)]
    return mel


def require_session(session: Session | None) -> Session:
    """The session, or the sentence for a visitor whose recording the server no longer has."""
    if session is None:
        raise SessionError(
            "The server no longer holds this recording, perhaps because it was restarted: open it again."
        )
    return session
