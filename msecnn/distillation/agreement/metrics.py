"""How near one tagger's probabilities are to another's, where nobody knows the true labels: ranks, tops and errors.

The reference's own probabilities stand in for labels: per tag, its most probable clips count as positive, either a
tenth of them or as many as carry the tag in MagnaTagATune. Spearman's correlation and the overlap of the most probable
tags need no such threshold.

Axis letters: N clips, K tags, R bootstrap replicates.
"""

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from msecnn.evaluation.metrics import Difference, Interval, interval, mean_defined, ranking_areas
from msecnn.statistics import mean_ranks
from msecnn.tags import MAGNATAGATUNE_TAGS

TOP_SHARE = 0.1
N_TOP = 5
MAGNATAGATUNE_CLIPS = 25_863
#: How many of MagnaTagATune's clips carry each tag, in the order of `MAGNATAGATUNE_TAGS` [annotations_final.csv].
MAGNATAGATUNE_POSITIVES = (
    4852, 4272, 3547, 2954, 2729, 2598, 2519, 2371, 2306, 2056, 1956, 1906, 1826, 1729, 1717, 1474, 1395, 1296, 1279,
    1211, 1184, 1158, 1093, 1086, 1055, 1025, 1016, 1002, 995, 995, 985, 926, 826, 741, 691, 688, 665, 650, 649, 644,
    644, 634, 623, 575, 573, 557, 541, 505, 505, 490,
)  # fmt: skip
PREVALENCE = {tag: n / MAGNATAGATUNE_CLIPS for tag, n in zip(MAGNATAGATUNE_TAGS, MAGNATAGATUNE_POSITIVES, strict=True)}
#: Every figure with what it is called in a table.
FIGURES = {
    "roc_auc_top": "ROC-AUC, top 10 %",
    "pr_auc_top": "PR-AUC, top 10 %",
    "roc_auc_prevalence": "ROC-AUC, prevalence",
    "pr_auc_prevalence": "PR-AUC, prevalence",
    "spearman": "Spearman",
    "top1": "top-1",
    "top5": "top-5",
    "mae": "MAE",
    "bias": "bias",
}


@dataclass(frozen=True)
class Figure:
    """A figure and its 95 % bootstrap interval."""

    value: float
    interval: Interval

    @classmethod
    def of(cls, values: np.ndarray) -> "Figure":
        """From (1 + R,): the figure itself, then its replicates."""
        return cls(float(values[0]), interval(values[1:]))


@dataclass(frozen=True)
class TagAgreement:
    """One tag's figures; `n_positive` of the reference's top tenth."""

    tag: str
    n_positive: int
    roc_auc_top: Figure
    pr_auc_top: Figure
    spearman: Figure
    mae: float
    bias: float


@dataclass(frozen=True)
class Agreement:
    """How near a system is to a reference on some clips; `replicates` has (R,) for each figure."""

    system: str
    reference: str
    subset: str
    n_clips: int
    n_groups: int
    figures: dict[str, Figure]
    per_tag: tuple[TagAgreement, ...]
    replicates: dict[str, np.ndarray] = field(repr=False, compare=False)

    def to_json(self) -> dict[str, Any]:
        """Plain values, without the replicates."""
        whole = asdict(self)
        del whole["replicates"]
        return whole


@dataclass(frozen=True)
class Reference:
    """Probabilities (N, K) to be near to, on some clips, and how often each clip counts: (N, 1 + R), first once each.

    All that is compared with one reference shares its draws, so differences are paired.
    """

    name: str
    subset: str
    tags: tuple[str, ...]
    probabilities: np.ndarray
    weights: np.ndarray
    n_groups: int


def agree(system: str, probabilities: np.ndarray, reference: Reference) -> Agreement:
    """Compares a system's probabilities (N, K) with a reference."""
    target, weights = reference.probabilities, reference.weights
    shares = np.array([PREVALENCE.get(tag, TOP_SHARE) for tag in reference.tags])
    top, prevalent = most_probable(target, np.full(len(shares), TOP_SHARE)), most_probable(target, shares)
    columns = range(len(reference.tags))
    by_top = [ranking_areas(top[:, k], probabilities[:, k], weights) for k in columns]
    by_prevalence = [ranking_areas(prevalent[:, k], probabilities[:, k], weights) for k in columns]
    ranks = [spearman(probabilities[:, k], target[:, k], weights) for k in columns]
    errors = probabilities.astype(np.float64) - target  # (N, K)
    of_clips = {
        "top1": probabilities.argmax(axis=1) == target.argmax(axis=1),
        "top5": overlap(probabilities, target),
        "mae": np.abs(errors).mean(axis=1),
        "bias": errors.mean(axis=1),
    }
    values = {
        "roc_auc_top": mean_defined(np.stack([roc for roc, _ in by_top])),
        "pr_auc_top": mean_defined(np.stack([pr for _, pr in by_top])),
        "roc_auc_prevalence": mean_defined(np.stack([roc for roc, _ in by_prevalence])),
        "pr_auc_prevalence": mean_defined(np.stack([pr for _, pr in by_prevalence])),
        "spearman": mean_defined(np.stack(ranks)),
        **{name: each @ weights / weights.sum(axis=0) for name, each in of_clips.items()},
    }  # each (1 + R,)
    return Agreement(
        system=system,
        reference=reference.name,
        subset=reference.subset,
        n_clips=len(target),
        n_groups=reference.n_groups,
        figures={name: Figure.of(value) for name, value in values.items()},
        per_tag=tuple(
            TagAgreement(
                tag=reference.tags[k],
                n_positive=int(top[:, k].sum()),
                roc_auc_top=Figure.of(by_top[k][0]),
                pr_auc_top=Figure.of(by_top[k][1]),
                spearman=Figure.of(ranks[k]),
                mae=float(np.abs(errors[:, k]).mean()),
                bias=float(errors[:, k].mean()),
            )
            for k in columns
        ),
        replicates={name: value[1:] for name, value in values.items()},
    )


def agreement_difference(first: Agreement, second: Agreement) -> dict[str, Difference]:
    """Every figure of `first` minus that of `second`, on the same clips with the same draws."""
    return {
        name: Difference(
            first.figures[name].value - second.figures[name].value,
            interval(first.replicates[name] - second.replicates[name]),
        )
        for name in FIGURES
    }


def most_probable(probabilities: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """(N, K) bool: each tag's most probable share (K,) of the clips, at least one of them."""
    n_clips = len(probabilities)
    n_positive = np.maximum(1, np.round(shares * n_clips)).astype(int)
    order = np.argsort(-probabilities, axis=0, kind="stable")
    places = np.argsort(order, axis=0, kind="stable")  # (N, K) 0 for the most probable clip
    return places < n_positive


def overlap(probabilities: np.ndarray, target: np.ndarray) -> np.ndarray:
    """(N,) the share of each clip's five most probable tags that are the same."""
    n_top = min(N_TOP, probabilities.shape[1])
    chosen, wanted = (np.argsort(-each, axis=1, kind="stable")[:, :n_top] for each in (probabilities, target))
    return (chosen[:, :, None] == wanted[:, None, :]).any(axis=2).mean(axis=1)


def spearman(first: np.ndarray, second: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(R,) Spearman's correlation of two (N,), ties at their mean rank, for each weighting (N, R).

    Each clip keeps its rank among all N. Ranked anew, a clip that a replicate draws twice would tie with itself, and
    the correlation of nearly every replicate would be lower than that of the clips as they are.
    """
    ranks = np.stack([mean_ranks(first), mean_ranks(second)]) - (len(first) - 1) / 2  # (2, N) around 0
    moments = np.stack([ranks[0], ranks[1], ranks[0] ** 2, ranks[1] ** 2, ranks[0] * ranks[1]])
    x, y, xx, yy, xy = moments @ weights.astype(np.float64) / weights.sum(axis=0)  # (R,) each
    with np.errstate(divide="ignore", invalid="ignore"):  # constant in this replicate: undefined
        return (xy - x * y) / np.sqrt((xx - x**2) * (yy - y**2))
