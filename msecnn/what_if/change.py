"""How one model's answer changed: every tag before and after, and each logit's change split over the scales.

A recording's logit is the mean over its windows. Where a classifier is linear in concatenated features, each window's
logit is a sum of one term per scale, so the change is the sum of the changes of the terms. That is exact arithmetic of
the network.

Axis letters: W windows, S scales, K tags.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from msecnn.explain.contributions import contributions
from msecnn.tagger import Tagger, TagPrediction


@dataclass(frozen=True)
class ModelChange:
    """One model's answer before and after.

    Attributes:
        before, after: what it said.
        scales: S names; none for a model without scales.
        terms: (S, K) change of each scale's term, in logits; over S they add up to `logits`.
    """

    before: TagPrediction
    after: TagPrediction
    scales: tuple[str, ...]
    terms: np.ndarray

    @property
    def model(self) -> str:
        return self.before.model

    @property
    def tags(self) -> tuple[str, ...]:
        return self.before.tags

    @property
    def logits(self) -> np.ndarray:
        """(K,) change of the mean over the windows, of the network's own logits."""
        change: np.ndarray = mean_logits(self.after) - mean_logits(self.before)
        return change

    @property
    def leading_scale(self) -> str | None:
        """The scale whose terms changed most, as the mean over the tags of the size of its change; None if none did."""
        return self.scales[int(np.abs(self.terms).mean(1).argmax())] if self.terms.any() else None

    def to_json(self) -> dict[str, Any]:
        """Every tag, those first that were most probable."""
        order = np.argsort(-self.before.probabilities, kind="stable")
        tags = {self.tags[k]: self._tag_json(k) for k in order}
        return {"tags": tags} | ({"untrained": True} if self.before.untrained else {})

    def _tag_json(self, k: int) -> dict[str, Any]:
        split = {scale: float(term) for scale, term in zip(self.scales, self.terms[:, k], strict=True)}
        return {
            "before": round(float(self.before.probabilities[k]), 6),
            "after": round(float(self.after.probabilities[k]), 6),
            "logit_before": float(mean_logits(self.before)[k]),
            "logit_after": float(mean_logits(self.after)[k]),
            "change": float(self.logits[k]),
            "scales": split,
        }


def model_change(tagger: Tagger, before: TagPrediction, after: TagPrediction) -> ModelChange:
    """What one model's two answers differ in."""
    scales = tuple(tagger.model.scales)
    terms = mean_terms(tagger, after) - mean_terms(tagger, before)
    return ModelChange(before, after, scales, terms)


def mean_terms(tagger: Tagger, prediction: TagPrediction) -> np.ndarray:
    """(S, K) mean over the windows of each scale's term of each logit; S is 0 for a model without scales."""
    if not tagger.model.scales:
        return np.zeros((0, len(prediction.tags)))
    terms: np.ndarray = contributions(tagger.model, prediction.features, tags=prediction.tags).terms.mean(0)
    return terms


def mean_logits(prediction: TagPrediction) -> np.ndarray:
    """(K,) over the windows, in float64."""
    mean: np.ndarray = prediction.window_logits.astype(np.float64).mean(0)
    return mean
