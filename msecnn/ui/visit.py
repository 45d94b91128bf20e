"""What the page remembers of one visitor between two requests; it lives on the server and is nobody else's."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from msecnn.errors import MsecnnError
from msecnn.tagger import TagPrediction


class VisitError(MsecnnError):
    """A visitor asked for something that is not open, or is no longer."""


@dataclass(frozen=True)
class Visit:
    """One recording that a visitor has opened, with what the chosen models said of it.

    Attributes:
        path: the file; decoded again when sound is needed, so that a visit costs no waveform.
        name: what to call it on the page.
        example: its name among the bundled examples, None for a visitor's own.
        predictions: by model name.
    """

    path: Path
    name: str
    example: str | None
    predictions: dict[str, TagPrediction]

    def prediction(self, model: str) -> TagPrediction:
        if model not in self.predictions:
            raise VisitError(f"This recording has not been tagged by {model!r}: choose the model again.")
        return self.predictions[model]

    def mel(self, model: str, window: int) -> np.ndarray:
        """Log-mel spectrogram of one window, (F, L) dB."""
        prediction = self.prediction(model)
        if not 0 <= window < len(prediction.window_starts_s):
            raise VisitError(f"This recording has windows 0 to {len(prediction.window_starts_s) - 1}, not {window}.")
        assert prediction.mel is not None  # the page always tags with keep_mel
        return prediction.mel[window]


def opened(visit: Visit | None) -> Visit:
    """The visit, or the sentence for a visitor whose recording the server no longer has."""
    if visit is None:
        raise VisitError("The server no longer holds this recording, perhaps because it was restarted: open it again.")
    return visit
