"""The exact split of every logit into one term per scale, and what remains when scales are taken away.

The classifier is linear in the concatenated features (Hamidi et al. 2019, Figure 1), so a logit is its bias plus one
term per scale. Relative to the average clip the terms w·(f - mean f) are the exact Shapley values of a linear model
(Lundberg and Lee, "A unified approach to interpreting model predictions", NIPS 2017, Corollary 1).

Axis letters: W windows, S scales, C features of a scale, K tags, N subsets of scales.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from msecnn.checkpoint import Checkpoint
from msecnn.explain import ExplanationError
from msecnn.models.structure import ScaleClassifier
from msecnn.statistics import sigmoid
from msecnn.tagger import TagPrediction

if TYPE_CHECKING:
    from torch import Tensor, nn

    from msecnn.models.layers import MultiScaleCNN

    Features = Mapping[str, Tensor | np.ndarray]

#: Terms and bias differ from the network's own float32 logit by no more than this share of their size.
TOLERANCE = 1e-5
REPLACEMENTS = ("mean", "zero")


@dataclass(frozen=True)
class Contributions:
    """All tags' logits, taken apart by scale, for each window.

    Attributes:
        tags: K names, in the classifier's order.
        scales: S names, in the order in which the classifier concatenates them.
        n_features: how many of the classifier's inputs each scale has.
        terms: (W, S, K) w·f; with `bias` they add up to `logits`.
        relative: (W, S, K) w·(f - mean f); with `base_value` they add up to `logits`.
        bias: (K,) of the classifier.
        base_value: (K,) the logit of the average features, or `bias` where those are unknown.
        logits: (W, K) of the network.
        mean_known: whether the average features were known; otherwise `relative` equals `terms`.
    """

    tags: tuple[str, ...]
    scales: tuple[str, ...]
    n_features: dict[str, int]
    terms: np.ndarray
    relative: np.ndarray
    bias: np.ndarray
    base_value: np.ndarray
    logits: np.ndarray
    mean_known: bool

    def to_json(self) -> dict[str, Any]:
        """Plain lists under the attributes' names."""
        arrays = ("terms", "relative", "bias", "base_value", "logits")
        return {
            "tags": list(self.tags),
            "scales": list(self.scales),
            "n_features": dict(self.n_features),
            "mean_known": self.mean_known,
            **{name: getattr(self, name).tolist() for name in arrays},
        }


def of_prediction(checkpoint: Checkpoint, prediction: TagPrediction, window: int | None = None) -> Contributions:
    """Those of a recording's windows, or of one of them; it needs no torch.

    Raises:
        ExplanationError: the model has no scales.
    """
    if checkpoint.classifier is None:
        raise ExplanationError(_no_scales(checkpoint.name))
    windows = slice(None) if window is None else slice(window, window + 1)
    features = {scale: values[windows] for scale, values in prediction.features.items()}
    mean_features, tags = checkpoint.mean_features, checkpoint.tags
    return contributions(checkpoint.classifier, features, mean_features=mean_features, tags=tags)


def contributions(
    model: "nn.Module | ScaleClassifier",
    features: "Features",
    *,
    mean_features: "Features | None" = None,
    tags: Sequence[str] | None = None,
) -> Contributions:
    """Splits the logits of all tags over the scales, from features that one forward pass has left behind.

    Args:
        model: any registered model with scales, or its classifier alone.
        features: for each scale (W, C), as `model.features` returns them.
        mean_features: for each scale (C,), of the average clip, as the checkpoint stores them.
        tags: K names; the tags' numbers if left out.

    Raises:
        ExplanationError: the model has no scales.
    """
    network = model if isinstance(model, ScaleClassifier) else ScaleClassifier.of(with_scales(model))
    values = [_float64(features[scale]) for scale in network.scales]  # S arrays (W, C)
    weights = network.scale_weights
    bias = _float64(network.bias)  # (K,)
    terms = np.stack(
        [f @ weights[scale].T for scale, f in zip(network.scales, values, strict=True)], axis=1
    )  # (W, S, K)
    average = np.zeros(terms.shape[1:])  # (S, K)
    if mean_features is not None:
        average = np.stack([weights[scale] @ _float64(mean_features[scale]) for scale in network.scales])
    logits = _float64(network.logits(np.concatenate(values, axis=1)))
    sums = bias + terms.sum(1)
    assert np.allclose(sums, logits, rtol=0, atol=TOLERANCE * max(1.0, np.abs(terms).sum(1).max(initial=0.0)))
    return Contributions(
        tags=tuple(tags) if tags is not None else tuple(str(k) for k in range(len(bias))),
        scales=network.scales,
        n_features=dict(network.n_features),
        terms=terms,
        relative=terms - average,
        bias=bias,
        base_value=bias + average.sum(0),
        logits=logits,
        mean_known=mean_features is not None,
    )


def ablate(contributions: Contributions, keep: np.ndarray | Sequence[bool], *, replace: str = "mean") -> np.ndarray:
    """Probabilities with scales taken away: arithmetic on stored terms, thousands of subsets a second.

    Args:
        contributions: of one recording.
        keep: (S,) or (N, S), true for the scales that stay.
        replace: "mean" gives a scale that is taken away its average features, "zero" gives it none.

    Returns:
        (W, K), or (N, W, K) for N subsets.
    """
    if replace not in REPLACEMENTS:
        raise ExplanationError(f"A scale can be replaced by its mean or by zero, not by {replace!r}.")
    keep = np.asarray(keep, dtype=bool)
    if keep.ndim not in (1, 2) or keep.shape[-1] != len(contributions.scales):
        raise ExplanationError(f"Name {len(contributions.scales)} scales to keep or not, not an array {keep.shape}.")
    relative_to_mean = replace == "mean"
    terms = contributions.relative if relative_to_mean else contributions.terms
    base = contributions.base_value if relative_to_mean else contributions.bias
    logits = base + np.tensordot(keep.astype(terms.dtype), terms, axes=(-1, 1))  # (N?, W, K)
    return sigmoid(logits)


def with_scales(model: "nn.Module") -> "MultiScaleCNN":
    """The model, seen as what it must be to be explained by scales.

    Raises:
        ExplanationError: it has no scales, as the networks on waveforms have none.
    """
    from msecnn.models.layers import MultiScaleCNN

    if not isinstance(model, MultiScaleCNN):
        raise ExplanationError(_no_scales(getattr(model, "architecture", type(model).__name__)))
    return model


def scale_weights(model: "MultiScaleCNN") -> dict[str, np.ndarray]:
    """The classifier's weights for each scale, (K, C)."""
    return ScaleClassifier.of(model).scale_weights


def _no_scales(name: str) -> str:
    return f"{name} has no scales, so its tags cannot be taken apart by scale."


def _float64(array: Any) -> np.ndarray:
    """An array, or a tensor on whatever device."""
    return np.asarray(array if isinstance(array, np.ndarray) else array.detach().cpu(), dtype=np.float64)
