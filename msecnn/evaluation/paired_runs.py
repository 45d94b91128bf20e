"""One figure over several training runs that differ only by their seed: its mean, its spread, its differences."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from msecnn.evaluation.metrics import Difference, Interval, interval


@dataclass(frozen=True)
class OverSeeds:
    """Mean of one figure over several runs: `interval` by the choice of clips, `low` to `high` over the runs."""

    value: float
    interval: Interval
    low: float
    high: float


def over_seeds(values: Sequence[float], replicates: Sequence[np.ndarray]) -> OverSeeds:
    """Mean over runs of one figure, with the replicates (R,) that each run has of it."""
    return OverSeeds(float(np.mean(values)), interval(np.mean(replicates, axis=0)), min(values), max(values))


def difference_of_means(
    values: Sequence[Sequence[float]], replicates: Sequence[Sequence[np.ndarray]], *, seed: int = 0
) -> Difference:
    """Mean of the first side's runs minus mean of the second's, where the runs too are a sample.

    Args:
        values: for both sides, one figure a run.
        replicates: for both sides, (R,) a run, drawn with the same clips everywhere.
    """
    rng = np.random.default_rng(seed)
    drawn = [_redrawn(np.stack(side), rng) for side in replicates]
    return Difference(float(np.mean(values[0]) - np.mean(values[1])), interval(drawn[0] - drawn[1]))


def paired_difference(differences: np.ndarray, *, seed: int = 0) -> Difference:
    """Mean over seeds of a difference of which both sides were run with each seed: seeds are drawn as pairs.

    Args:
        differences: (S, 1 + R), a row a seed: the difference itself, then its replicates, whose clips are drawn alike
            for all seeds.
    """
    drawn = _redrawn(differences[:, 1:], np.random.default_rng(seed))
    return Difference(float(differences[:, 0].mean()), interval(drawn))


def _redrawn(runs: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Mean over runs drawn with replacement, of (runs, R) to (R,)."""
    n_runs, n_replicates = runs.shape
    chosen = rng.integers(n_runs, size=(n_runs, n_replicates))
    return np.take_along_axis(runs, chosen, axis=0).mean(axis=0)
