"""How well scores rank clips, tag by tag, and how sure one can be of it: ROC-AUC, PR-AUC, F1, calibration, bootstrap.

ROC-AUC and average precision follow scikit-learn's definitions, ties included (a test compares); they are written anew
because a bootstrap asks for thousands of them at once. Intervals: percentile bootstrap (Efron and Tibshirani 1993)
that draws whole groups, because two clips of one track are not two independent pieces of evidence.

Axis letters: N clips, K tags, R bootstrap replicates.
"""

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from msecnn.errors import DatasetError
from msecnn.evaluation.scores import Scores

CONFIDENCE = 0.95
N_REPLICATES = 1000
N_BINS = 15
"""Reliability bins of equal width, as in Guo et al. 2017."""

Interval = tuple[float, float]


def bootstrap_weights(groups: np.ndarray, *, n_replicates: int = N_REPLICATES, seed: int = 0) -> np.ndarray:
    """How often each clip is drawn in each replicate, where groups are drawn with replacement: (N, R) float32."""
    names, member = np.unique(groups, return_inverse=True)
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=n_replicates)  # (R, groups)
    return drawn.T.astype(np.float32)[member]


def interval(replicates: np.ndarray) -> Interval:
    """The middle 95 % of replicates along the last axis of (R,), those that are undefined (NaN) aside."""
    tail = 100 * (1 - CONFIDENCE) / 2
    defined = replicates[~np.isnan(replicates)]
    if not len(defined):
        return (float("nan"), float("nan"))
    low, high = np.percentile(defined, [tail, 100 - tail])
    return (float(low), float(high))


def ranking_areas(positive: np.ndarray, scores: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weighted ROC-AUC and average precision of one tag, for many weightings at once.

    Going down the ranking, let T and A be the weight of positives and of all clips down to the end of a block of tied
    scores, and T', A' those down to its start. Then each positive clip of weight w in the block adds

        to average precision   w · T / A                               over the weight of positives P,
        to ROC-AUC             w · (Q − ((A − T) + (A' − T')) / 2)     over P · Q, Q the weight of negatives,

    (A − T is what is wrongly ranked above it; tied negatives count half).

    Args:
        positive: (N,) bool.
        scores: (N,).
        weights: (N, R) how often each clip counts.

    Returns:
        ROC-AUC (R,) and average precision (R,); NaN where no positive, or no negative, has weight.
    """
    order = np.argsort(-scores, kind="stable")
    ranked, weights = scores[order], weights[order]  # (N,) (N, R)
    hits = np.flatnonzero(positive[order])  # (P,) places of the positives
    blocks = np.flatnonzero(np.r_[True, ranked[1:] != ranked[:-1], True])  # (blocks + 1,) where ties begin
    block = np.searchsorted(blocks, hits, side="right") - 1
    start, end = blocks[block], blocks[block + 1]
    everything, true = _sums(weights), _sums(weights[hits])  # (N + 1, R) (P + 1, R)
    hit_weights = weights[hits].astype(np.float64)  # from here on (P, R), a small part of (N, R), in float64
    true_start, true_end = true[np.searchsorted(hits, start)], true[np.searchsorted(hits, end)].astype(np.float64)
    wrong = (everything[start] - true_start + everything[end] - true_end) / 2
    n_true = true[-1].astype(np.float64)
    n_false = everything[-1] - n_true
    with np.errstate(divide="ignore", invalid="ignore"):  # undrawn blocks and empty classes: NaN, dealt with below
        precision = np.where(hit_weights > 0, true_end / everything[end], 0.0)
        roc = (hit_weights * (n_false - wrong)).sum(axis=0) / (n_true * n_false)
        average_precision = np.where(n_false > 0, (hit_weights * precision).sum(axis=0) / n_true, np.nan)
    return roc, average_precision


def _sums(weights: np.ndarray) -> np.ndarray:
    """Running sums from 0 along the clips, (N + 1, R); whole numbers, so float32 is exact up to 16 million."""
    sums = np.zeros((len(weights) + 1, weights.shape[1]), dtype=weights.dtype)
    for before, row, after in zip(sums, weights, sums[1:], strict=False):  # 5x faster than cumsum along axis 0
        np.add(before, row, out=after)
    return sums


@dataclass(frozen=True)
class Area:
    """One area under a curve: mean over tags with its interval, and all clip-tag pairs ranked together."""

    macro: float
    interval: Interval
    micro: float


@dataclass(frozen=True)
class TagMetrics:
    """One tag's figures; `n` counts the clips whose label is known."""

    tag: str
    n: int
    n_positive: int
    roc_auc: float
    roc_auc_interval: Interval
    pr_auc: float
    pr_auc_interval: Interval
    f1: float


@dataclass(frozen=True)
class LeftOut:
    """A tag that cannot be ranked, and why."""

    tag: str
    reason: str


@dataclass(frozen=True)
class F1:
    """F1 of `score >= threshold`: mean over tags, and of all clip-tag pairs together."""

    threshold: float
    macro: float
    micro: float


@dataclass(frozen=True)
class ReliabilityBin:
    """Clip-tag pairs whose probability lies in `lower` to `upper`: the mean claim, and how often it was true."""

    lower: float
    upper: float
    n: int
    claimed: float
    true: float


@dataclass(frozen=True)
class Metrics:
    """Everything measured of one set of scores.

    `roc_replicates` and `pr_replicates` (R,) are the macro figures of each bootstrap replicate; two models evaluated on
    the same clips with the same seed share their draws, which is what `differences` needs.
    """

    n_clips: int
    n_groups: int
    n_tags: int
    roc_auc: Area
    pr_auc: Area
    f1: F1
    ece: float | None
    reliability: tuple[ReliabilityBin, ...]
    per_tag: tuple[TagMetrics, ...]
    left_out: tuple[LeftOut, ...]
    n_replicates: int
    seed: int
    roc_replicates: np.ndarray = field(repr=False, compare=False)
    pr_replicates: np.ndarray = field(repr=False, compare=False)

    def to_json(self) -> dict[str, Any]:
        """Plain values, without the replicates."""
        whole = asdict(self)
        del whole["roc_replicates"], whole["pr_replicates"]
        return whole


def evaluate(scores: Scores, *, threshold: float = 0.5, n_replicates: int = N_REPLICATES, seed: int = 0) -> Metrics:
    """Evaluates scores; a tag without a positive, or without a negative, is left out of every mean and named.

    Raises:
        DatasetError: no tag has both.
    """
    known = ~np.isnan(scores.labels)
    positive = scores.labels == 1
    left_out = tuple(_left_out(scores.tags, known, positive))
    unranked = {each.tag for each in left_out}
    kept = [k for k, tag in enumerate(scores.tags) if tag not in unranked]
    if not kept:
        raise DatasetError("No tag has both a clip that carries it and one that does not, so nothing can be ranked.")
    weights = bootstrap_weights(scores.groups, n_replicates=n_replicates, seed=seed)
    per_tag, roc, pr = [], [], []
    for k in kept:
        rows = known[:, k]
        tag, tag_roc, tag_pr = _evaluate_tag(
            scores.tags[k], positive[rows, k], scores.scores[rows, k], weights[rows], threshold=threshold
        )
        per_tag.append(tag)
        roc.append(tag_roc)
        pr.append(tag_pr)
    pairs = known[:, kept]
    true, score = positive[:, kept][pairs], scores.scores[:, kept][pairs]  # (pairs,)
    micro_roc, micro_pr = ranking_areas(true, score, np.ones((len(true), 1)))
    roc_replicates, pr_replicates = mean_defined(np.stack(roc)), mean_defined(np.stack(pr))  # (R,)
    bins = reliability(true, score) if scores.are_probabilities else ()
    return Metrics(
        n_clips=len(scores.labels),
        n_groups=len(np.unique(scores.groups)),
        n_tags=len(kept),
        roc_auc=Area(float(np.mean([t.roc_auc for t in per_tag])), interval(roc_replicates), float(micro_roc[0])),
        pr_auc=Area(float(np.mean([t.pr_auc for t in per_tag])), interval(pr_replicates), float(micro_pr[0])),
        f1=F1(threshold, float(np.mean([t.f1 for t in per_tag])), _f1(true, score >= threshold)),
        ece=calibration_error(bins) if bins else None,
        reliability=bins,
        per_tag=tuple(per_tag),
        left_out=left_out,
        n_replicates=n_replicates,
        seed=seed,
        roc_replicates=roc_replicates,
        pr_replicates=pr_replicates,
    )


def _evaluate_tag(
    tag: str, positive: np.ndarray, score: np.ndarray, weights: np.ndarray, *, threshold: float
) -> tuple[TagMetrics, np.ndarray, np.ndarray]:
    """One tag's figures, and its ROC-AUC and average precision in each replicate (R,)."""
    as_they_are = np.ones_like(weights[:, :1])
    roc, pr = ranking_areas(positive, score, np.concatenate([as_they_are, weights], axis=1))
    figures = TagMetrics(
        tag=tag,
        n=len(positive),
        n_positive=int(positive.sum()),
        roc_auc=float(roc[0]),
        roc_auc_interval=interval(roc[1:]),
        pr_auc=float(pr[0]),
        pr_auc_interval=interval(pr[1:]),
        f1=_f1(positive, score >= threshold),
    )
    return figures, roc[1:], pr[1:]


def mean_defined(replicates: np.ndarray) -> np.ndarray:
    """Mean over tags of (K, R), leaving out a tag in the replicates that drew no positive, or no negative, of it."""
    with np.errstate(invalid="ignore"):
        return np.nansum(replicates, axis=0) / np.count_nonzero(~np.isnan(replicates), axis=0)


def _left_out(tags: tuple[str, ...], known: np.ndarray, positive: np.ndarray) -> list[LeftOut]:
    reasons = []
    for k, tag in enumerate(tags):
        if not known[:, k].any():
            reasons.append(LeftOut(tag, "no known label"))
        elif not positive[:, k].any():
            reasons.append(LeftOut(tag, "no positive clip"))
        elif positive[known[:, k], k].all():
            reasons.append(LeftOut(tag, "no negative clip"))
    return reasons


def _f1(true: np.ndarray, called: np.ndarray) -> float:
    """2 TP / (2 TP + FP + FN); the denominator is not 0, for a tag that is kept has a positive."""
    return float(2 * np.count_nonzero(true & called) / (np.count_nonzero(true) + np.count_nonzero(called)))


def reliability(true: np.ndarray, probabilities: np.ndarray, *, n_bins: int = N_BINS) -> tuple[ReliabilityBin, ...]:
    """Probabilities (M,) in bins of equal width against how often they were true (M,); empty bins are left out."""
    index = np.minimum((probabilities * n_bins).astype(int), n_bins - 1)
    n, claimed, hits = (np.bincount(index, w, minlength=n_bins) for w in (None, probabilities, true.astype(float)))
    return tuple(
        ReliabilityBin(b / n_bins, (b + 1) / n_bins, int(n[b]), float(claimed[b] / n[b]), float(hits[b] / n[b]))
        for b in np.flatnonzero(n)
    )


def calibration_error(bins: tuple[ReliabilityBin, ...]) -> float:
    """Expected calibration error: mean distance between claim and truth, each bin weighted by its pairs."""
    return sum(b.n * abs(b.claimed - b.true) for b in bins) / sum(b.n for b in bins)


@dataclass(frozen=True)
class Difference:
    """A figure of one model minus that of another on the same clips, with a paired bootstrap interval."""

    value: float
    interval: Interval

    @property
    def excludes_zero(self) -> bool:
        """Whether chance in the choice of clips is an unlikely cause."""
        return self.interval[0] > 0 or self.interval[1] < 0

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"excludes_zero": self.excludes_zero}


def differences(first: Metrics, second: Metrics) -> dict[str, Difference]:
    """Macro ROC-AUC and PR-AUC of `first` minus `second`, evaluated on the same clips with the same seed and draws."""
    if (first.n_clips, first.n_replicates, first.seed) != (second.n_clips, second.n_replicates, second.seed):
        raise ValueError("paired differences need the same clips, seed and number of replicates")
    return {
        "roc_auc": Difference(
            first.roc_auc.macro - second.roc_auc.macro, interval(first.roc_replicates - second.roc_replicates)
        ),
        "pr_auc": Difference(
            first.pr_auc.macro - second.pr_auc.macro, interval(first.pr_replicates - second.pr_replicates)
        ),
    }
