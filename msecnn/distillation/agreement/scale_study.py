"""What each scale of a network is worth: alone, taken away, and as a share of what its logits vary by.

The classifier is linear (Hamidi et al. 2019, Figure 1), so a scale is taken away exactly: its term of every logit is
replaced by that of the average clip. Nothing is trained anew; this is what the network as it is owes to each scale.
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from msecnn.checkpoint import Checkpoint
from msecnn.distillation.agreement.metrics import Agreement, Figure, Reference, agree, agreement_difference
from msecnn.evaluation.metrics import Difference
from msecnn.evaluation.predictions import SplitPredictions
from msecnn.explain.contributions import Contributions, ablate, contributions


@dataclass(frozen=True)
class Ablation:
    """The network with only some of its scales, and how far that is from the whole (paired)."""

    name: str
    kept: tuple[str, ...]
    figures: dict[str, Figure]
    change: dict[str, Difference]


@dataclass(frozen=True)
class ScaleShare:
    """One scale's share of the logits' variance over clips, mean over tags.

    Attributes:
        share: cov(term, logit) / var(logit); the shares of all scales add up to 1, one may be negative.
        own: var(term) / sum of all terms' variances; never negative, blind to terms that cancel.
    """

    scale: str
    share: Figure
    own: Figure


@dataclass(frozen=True)
class ScaleStudy:
    """All scales of one checkpoint, on one subset of the clips."""

    system: str
    subset: str
    n_clips: int
    mean_known: bool
    whole: Agreement
    ablations: tuple[Ablation, ...]
    shares: tuple[ScaleShare, ...]

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {
            "whole": {name: asdict(each) for name, each in self.whole.figures.items()},
            "ablations": [
                asdict(each) | {"change": {name: change.to_json() for name, change in each.change.items()}}
                for each in self.ablations
            ],
        }


def scale_study(
    name: str, checkpoint: Checkpoint, predicted: SplitPredictions, chosen: np.ndarray, reference: Reference
) -> ScaleStudy:
    """Studies a network with several scales on the chosen (N,) of the clips that it predicted.

    Where the checkpoint does not know its average features, those of the predicted clips take their place.
    """
    own = checkpoint.mean_features
    means = own or {scale: values.mean(axis=0) for scale, values in predicted.features.items()}
    split = contributions(checkpoint.model, predicted.features, mean_features=means, tags=checkpoint.tags)
    columns = [checkpoint.tags.index(tag) for tag in reference.tags]
    subsets = _subsets(split.scales)
    keep = np.array([[scale in kept for scale in split.scales] for _, kept in subsets])
    windows = ablate(split, keep)[:, :, columns]  # (subsets, M, K)
    first_windows = np.searchsorted(predicted.window_clip, np.arange(len(predicted.clip_ids) + 1))
    counts = np.diff(first_windows)[:, None]
    clips = np.add.reduceat(windows, first_windows[:-1], axis=1) / counts  # (subsets, N, K) mean over windows
    agreements = [agree(label, each[chosen], reference) for (label, _), each in zip(subsets, clips, strict=True)]
    return ScaleStudy(
        system=name,
        subset=reference.subset,
        n_clips=int(chosen.sum()),
        mean_known=own is not None,
        whole=agreements[0],
        ablations=tuple(
            Ablation(label, kept, each.figures, agreement_difference(each, agreements[0]))
            for (label, kept), each in list(zip(subsets, agreements, strict=True))[1:]
        ),
        shares=tuple(_shares(split, columns, predicted.window_clip, chosen, reference.weights)),
    )


def _subsets(scales: tuple[str, ...]) -> list[tuple[str, tuple[str, ...]]]:
    """All scales; each alone; all but each. The last scale is the convolutional path's end, so all but it are skips."""
    alone = [(f"only {scale}", (scale,)) for scale in scales]
    removed = [(f"without {each}", tuple(s for s in scales if s != each)) for each in scales[:-1]]
    return [("all scales", scales), *alone, *removed, (f"all skips, without {scales[-1]}", scales[:-1])]


def _shares(
    split: Contributions, columns: list[int], window_clip: np.ndarray, chosen: np.ndarray, weights: np.ndarray
) -> list[ScaleShare]:
    """Shares of variance over windows, each weighted as its clip is."""
    inside = chosen[window_clip]
    row = np.cumsum(chosen) - 1  # of each clip among the chosen
    terms = split.relative[inside][:, :, columns]  # (M, S, K)
    drawn = weights[row[window_clip[inside]]].astype(np.float64)  # (M, 1 + R)
    drawn /= drawn.sum(axis=0)
    logits = terms.sum(axis=1)  # (M, K), up to a constant
    mean = np.tensordot(drawn, terms, axes=(0, 0))  # (1 + R, S, K)
    square = np.tensordot(drawn, terms**2, axes=(0, 0))
    product = np.tensordot(drawn, terms * logits[:, None], axes=(0, 0))
    variance = square - mean**2
    covariance = product - mean * mean.sum(axis=1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):  # a tag whose logit never moves has no shares
        share = np.nanmean(covariance / covariance.sum(axis=1, keepdims=True), axis=2)  # (1 + R, S)
        own = np.nanmean(variance / variance.sum(axis=1, keepdims=True), axis=2)
    return [ScaleShare(scale, Figure.of(share[:, s]), Figure.of(own[:, s])) for s, scale in enumerate(split.scales)]
