"""What a visitor asks about: one tag of one model in one window of the recording that is open."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from msecnn.checkpoint import Checkpoint
from msecnn.explain.contributions import Contributions, contributions
from msecnn.explain.winning_cells import Evidence, evidence
from msecnn.tagger import Tagger, TagPrediction
from msecnn.ui.server.context import AppContext
from msecnn.ui.server.request_fields import shown, whole_number
from msecnn.ui.server.session import Session, SessionError, require_session


@dataclass(frozen=True)
class ExplanationRequest:
    """Everything a question needs is checked when it is made.

    Attributes:
        visit: the open recording.
        model: name of the model asked about.
        tagger: that model.
        tag: the tag asked about.
        window: number of the window asked about.
        mel: (F, L) that window's log-mel in dB.
    """

    session: Session
    model: str
    tagger: Tagger
    tag: str
    window: int
    mel: np.ndarray

    @classmethod
    def of(cls, context: AppContext, session: Session | None, request: dict[str, Any]) -> "ExplanationRequest":
        session = require_session(session)
        model, tag = str(request.get("model")), str(request.get("tag"))
        prediction = session.prediction(model)
        if tag not in prediction.tags:
            raise SessionError(f"{context.title(model)} knows no tag {shown(tag)}.")
        window = whole_number(request, "window")
        return cls(session, model, context.taggers[model], tag, window, session.mel(model, window))

    @property
    def prediction(self) -> TagPrediction:
        return self.session.predictions[self.model]

    @property
    def checkpoint(self) -> Checkpoint:
        return self.tagger.checkpoint

    @property
    def tag_index(self) -> int:
        return self.prediction.tags.index(self.tag)

    @property
    def start_s(self) -> float:
        """Where the window stands in the recording."""
        return float(self.prediction.window_starts_s[self.window])

    @cached_property
    def contributions(self) -> Contributions:
        """Of this window alone: W = 1."""
        return window_contributions(self.tagger, self.prediction, self.window)

    @cached_property
    def evidence(self) -> Evidence:
        return evidence(
            self.tagger.model,
            self.mel,
            self.tag_index,
            mel_config=self.checkpoint.mel_config,
            mean_features=self.checkpoint.mean_features,
            window_start_s=self.start_s,
        )


def window_contributions(tagger: Tagger, prediction: TagPrediction, window: int) -> Contributions:
    """All tags' logits of one window, taken apart by scale; W = 1."""
    features = {scale: values[window : window + 1] for scale, values in prediction.features.items()}
    checkpoint = tagger.checkpoint
    return contributions(tagger.model, features, mean_features=checkpoint.mean_features, tags=checkpoint.tags)


def choice(request: dict[str, Any], key: str, allowed: Sequence[str]) -> str:
    """One of the allowed words, the first if none is named."""
    chosen = str(request.get(key, allowed[0]))
    if chosen not in allowed:
        raise SessionError(f"{key.capitalize()} can be {', '.join(allowed)}, not {shown(chosen)}.")
    return chosen
