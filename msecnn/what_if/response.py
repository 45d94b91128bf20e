"""A response curve: one edit at several strengths, and every tag and every scale's part at each.

Axis letters: N strengths, S scales, K tags.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

#: Tags that the JSON of a curve tells, the most probable ones before any edit.
N_TAGS = 5


@dataclass(frozen=True)
class ModelResponse:
    """One model along a curve.

    Attributes:
        tags: K names.
        scales: S names.
        before: (K,) probabilities without this edit.
        probabilities: (N, K).
        logits: (N, K) changes from before.
        terms: (N, S, K) changes of each scale's term; over S they add up to `logits`.
    """

    tags: tuple[str, ...]
    scales: tuple[str, ...]
    before: np.ndarray
    probabilities: np.ndarray
    logits: np.ndarray
    terms: np.ndarray

    def to_json(self) -> dict[str, Any]:
        """The tags that were most probable before."""
        order = np.argsort(-self.before, kind="stable")[:N_TAGS]
        return {self.tags[k]: self._tag_json(int(k)) for k in order}

    def _tag_json(self, k: int) -> dict[str, Any]:
        return {
            "before": round(float(self.before[k]), 6),
            "after": np.round(self.probabilities[:, k].astype(float), 6).tolist(),
            "change": self.logits[:, k].tolist(),
            "scales": {scale: self.terms[:, s, k].tolist() for s, scale in enumerate(self.scales)},
        }


@dataclass(frozen=True)
class Response:
    """An edit's curve.

    Attributes:
        edit: its name.
        unit: of the strengths.
        strengths: N values of its first parameter.
        models: by name.
    """

    edit: str
    unit: str
    strengths: tuple[float, ...]
    models: dict[str, ModelResponse]

    def to_json(self) -> dict[str, Any]:
        models = {name: model.to_json() for name, model in self.models.items()}
        return {"edit": self.edit, "unit": self.unit, "strengths": list(self.strengths), "models": models}
