"""What is subtracted from what, and which words a difference earns; written down before the first run.

A difference is taken within a seed and a replicate of tracks; its interval draws tracks and, where there are several,
seeds as pairs. With one seed it says nothing of what another seed would have done.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from msecnn.distillation.skip_study.arms import (
    ALL_SCALES,
    FCN5,
    LAST_LEVEL,
    MSECNN,
    SUPERVISED,
    TRAINED,
    WIDE,
    Arm,
)
from msecnn.distillation.skip_study.criteria import KNOWN_LABELS, Criterion
from msecnn.distillation.skip_study.runs import RunResult
from msecnn.evaluation.metrics import Difference, Interval, interval
from msecnn.evaluation.paired_runs import paired_difference
from msecnn.statistics import sigmoid

#: A smaller difference in ROC-AUC would not matter to anybody who uses the tags.
MARGIN = 0.005
#: Runs of each arm that a conclusion needs.
N_SEEDS = 5
#: Pairs of arms whose difference answers a question.
ARM_PAIRS = ((MSECNN, FCN5), (MSECNN, SUPERVISED), (MSECNN, WIDE), (SUPERVISED, FCN5), (WIDE, FCN5))


@dataclass(frozen=True)
class Side:
    """An arm's path with one of its heads."""

    arm: Arm
    head: str

    @property
    def title(self) -> str:
        """As tables call it."""
        heads = {LAST_LEVEL: "head on level 5", ALL_SCALES: "head on all scales", TRAINED: "trained head"}
        return f"{self.arm.title}, {heads[self.head]}"


@dataclass(frozen=True)
class Contrast:
    """First minus second, in one figure, by one criterion."""

    question: str
    first: Side
    second: Side
    criterion: str
    figure: str
    difference: Difference
    per_seed: tuple[float, ...]


@dataclass(frozen=True)
class ArmFigure:
    """One figure of one side: mean over seeds, interval over tracks, spread over seeds."""

    side: Side
    criterion: str
    figure: str
    value: float
    interval: Interval
    per_seed: tuple[float, ...]


@dataclass(frozen=True)
class Analysis:
    """Everything that is told of one condition."""

    criteria: tuple[Criterion, ...]
    figures: tuple[ArmFigure, ...]
    contrasts: tuple[Contrast, ...]


def pairs() -> list[tuple[str, Side, Side]]:
    """Question, first and second side of every difference."""
    found = [("network, head as trained", Side(a, TRAINED), Side(b, TRAINED)) for a, b in ARM_PAIRS]
    found += [("network, head fitted", Side(a, a.own_head), Side(b, b.own_head)) for a, b in ARM_PAIRS]
    found += [("head, same path", Side(arm, ALL_SCALES), Side(arm, LAST_LEVEL)) for arm in (FCN5, MSECNN)]
    found += [("path, same head", Side(MSECNN, head), Side(FCN5, head)) for head in (LAST_LEVEL, ALL_SCALES)]
    return found


def analyse(results: Sequence[RunResult], criteria: Sequence[Criterion]) -> Analysis:
    """Every figure of the arms that were run, and every difference over the seeds that both its sides have."""
    by = {(result.arm, result.seed): result for result in results}
    sides = {side: _seeds(results, side) for side in dict.fromkeys(side for _, *both in pairs() for side in both)}
    figures, contrasts = [], []
    for criterion in criteria:
        measured = {
            (side, seed): _measure(criterion, by[side.arm.name, seed].logits[side.head])
            for side, seeds in sides.items()
            for seed in seeds
        }
        for side, seeds in sides.items():
            stacked = _stack([measured[side, seed] for seed in seeds])
            figures += [_figure(side, criterion, name, values) for name, values in stacked.items()]
        for question, first, second in pairs():
            shared = [seed for seed in sides[first] if seed in sides[second]]
            left, right = (_stack([measured[side, seed] for seed in shared]) for side in (first, second))
            for name in left:
                gap = left[name] - right[name]  # (S, 1 + R)
                found = paired_difference(gap)
                contrasts.append(Contrast(question, first, second, criterion.name, name, found, tuple(gap[:, 0])))
    return Analysis(tuple(criteria), tuple(figures), tuple(contrasts))


def _seeds(results: Sequence[RunResult], side: Side) -> list[int]:
    return sorted(each.seed for each in results if each.arm == side.arm.name and side.head in each.logits)


def _measure(criterion: Criterion, logits: np.ndarray) -> dict[str, np.ndarray]:
    return criterion.measure(sigmoid(logits))


def _stack(measured: Sequence[Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Each figure over seeds, (S, 1 + R)."""
    return {name: np.stack([each[name] for each in measured]) for name in (measured[0] if measured else ())}


def _figure(side: Side, criterion: Criterion, name: str, values: np.ndarray) -> ArmFigure:
    mean = values.mean(axis=0)  # (1 + R,)
    return ArmFigure(side, criterion.name, name, float(mean[0]), interval(mean[1:]), tuple(values[:, 0]))


def verdict(difference: Difference, n_seeds: int, *, margin: float = MARGIN) -> str:
    """What a difference in ROC-AUC may be called.

    "better" needs the whole interval above zero and an estimate of at least the margin; "equal" needs the whole
    interval within the margin. With fewer seeds than `N_SEEDS` no difference is called anything.
    """
    low, high = difference.interval
    if n_seeds < N_SEEDS:
        return "too few seeds"
    if low > 0 and difference.value >= margin:
        return "better"
    if high < 0 and difference.value <= -margin:
        return "worse"
    return "equal within the margin" if -margin < low and high < margin else "undecided"


def conclusion(analysis: Analysis, first: Arm, second: Arm) -> str:
    """The word on two networks on which all criteria by teachers (or labels) agree, with both heads; or "undecided"."""
    words = {
        verdict(each.difference, len(each.per_seed))
        for each in analysis.contrasts
        if each.figure == "roc_auc" and each.criterion != KNOWN_LABELS and each.question.startswith("network")
        and (each.first.arm, each.second.arm) == (first, second)
    }  # fmt: skip
    if not words:
        return "not run"
    return words.pop() if len(words) == 1 else "undecided"
