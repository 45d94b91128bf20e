"""Which explanations can be believed: every method, of all scales and of each alone, over many clips with intervals.

A map is faithful when taking cells out in its order costs the logit more, and putting them in gives it more, than in
an order that knows nothing of the network: random, or the loudest first. Both are measured on the same clip.

Axis letters: F mel bands, L frames.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from torch import nn

from msecnn.explain.baselines import baseline_mel
from msecnn.explain.contributions import with_scales
from msecnn.explain.faithfulness import BLIND_ORDERS, Ends, blind_order, curves_of, follow_order
from msecnn.explain.infidelity import infidelity, random_removals
from msecnn.explain.progress import Progress
from msecnn.explain.saliency import saliency
from msecnn.explain.scale_terms import ScaleTerms
from msecnn.explain.stability import randomisation, reference_correlations, sensitivity_max
from msecnn.frontend import MelConfig

#: A row of the comparison that judges the maps of all scales together.
ALL = "all"
#: What `follow_order` returns.
Followed = tuple[np.ndarray, np.ndarray, np.ndarray]
#: Bootstrap resamples of the clips, and the share of them that an interval holds.
N_RESAMPLES, CONFIDENCE = 2000, 0.95
#: What is measured of each clip, in the columns' order; the gains are in units of the logit.
MEASURES = (
    "deletion_gain_random",
    "deletion_gain_loudness",
    "insertion_gain_random",
    "insertion_gain_loudness",
    "infidelity",
    "sensitivity",
    "randomisation",
    "randomisation_absolute",
    "noise_reference",
    "noise_reference_absolute",
    "random_reference",
    "random_reference_absolute",
)


@dataclass(frozen=True)
class Interval:
    """A mean over clips with its 95 % bootstrap interval."""

    mean: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        return f"{self.mean:.3f} [{self.low:.3f}, {self.high:.3f}]"


@dataclass(frozen=True)
class Row:
    """One method of one model, for all scales together or for one.

    Attributes:
        measures: interval of each of `MEASURES` that was measured.
    """

    model: str
    method: str
    scale: str
    measures: dict[str, Interval]

    def beats(self, order: str) -> bool:
        """Whether both gains over a blind order lie above zero with their whole intervals."""
        return all(self.measures[f"{curve}_gain_{order}"].low > 0 for curve in ("deletion", "insertion"))

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {f"beats_{order}": self.beats(order) for order in BLIND_ORDERS}


def measure_clip(
    model: nn.Module,
    mel: np.ndarray,
    tag_index: int,
    *,
    methods: Sequence[str],
    baseline: str = "floor",
    n_steps: int = 10,
    slow: bool = False,
    mel_config: MelConfig | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> list[dict[str, Any]]:
    """Measures every method on one clip.

    Args:
        mel: (F, L).
        baseline: what cells are replaced by, and what the methods measure from.
        slow: also measure sensitivity and the randomisation test, which make a dozen maps for each method.

    Returns:
        For each method and scale: {"method", "scale", and the measures by name}.
    """
    network = with_scales(model)
    options: dict[str, Any] = {"baseline": baseline, "mel_config": mel_config, "seed": seed}
    every = ScaleTerms(network, tag_index, network.scales)
    alone = [] if len(network.scales) == 1 else [ScaleTerms(network, tag_index, (scale,)) for scale in network.scales]
    ends = Ends.of(every, mel, baseline_mel(network, mel, baseline, mel_config))
    blind = {
        order: follow_order(every, ends, blind_order(order, mel, seed), n_steps, seed=seed) for order in BLIND_ORDERS
    }
    removals = random_removals(every, ends, seed=seed)
    judged = []
    for done, method in enumerate(methods, start=1):
        maps = saliency(model, mel, tag_index, method=method, **options)
        for column, terms in enumerate(alone):
            mine = follow_order(terms, ends.of_scale(column), maps.maps[column], n_steps, seed=seed)
            judged.append({"method": method, "scale": network.scales[column], **_gains(mine, blind, column)})
        mine = follow_order(every, ends, maps.total, n_steps, seed=seed)
        of_all = {"method": method, "scale": ALL, **_gains(mine, blind, -1)}
        of_all["infidelity"] = infidelity(removals, maps.total, method=method)
        if slow:
            known = {**options, "method": method, "original": maps.total}
            of_all["sensitivity"] = sensitivity_max(model, mel, tag_index, **known)
            after = randomisation(model, mel, tag_index, at_once=True, **known)
            of_all |= {"randomisation": after.correlations[-1], "randomisation_absolute": after.absolute[-1]}
            for name, (signed, absolute) in reference_correlations(model, mel, tag_index, **known).items():
                of_all |= {f"{name}_reference": signed, f"{name}_reference_absolute": absolute}
        judged.append(of_all)
        if progress is not None:
            progress(done / len(methods))
    return judged


def _gains(mine: Followed, blind: Mapping[str, Followed], column: int) -> dict[str, float]:
    """By how much the areas under one order's curves are better than those under each blind order's.

    Args:
        mine: followed on one scale, or on all; the last column counts.
        blind: followed on all scales; `column` counts.
    """
    fractions, deletion, insertion = mine
    own = curves_of("", fractions, deletion[:, -1], insertion[:, -1])
    gains = {}
    for order, (_, blind_deletion, blind_insertion) in blind.items():
        theirs = curves_of(order, fractions, blind_deletion[:, column], blind_insertion[:, column])
        gains[f"deletion_gain_{order}"] = theirs.deletion_area - own.deletion_area
        gains[f"insertion_gain_{order}"] = own.insertion_area - theirs.insertion_area
    return gains


def summarise(judged: Iterable[dict[str, Any]], *, seed: int = 0) -> list[Row]:
    """Rows with intervals, in the order in which methods and scales first appear.

    Args:
        judged: what `measure_clip` returned for all clips, each with its "model" added.
    """
    groups: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for row in judged:
        groups.setdefault((row["model"], row["method"], row["scale"]), []).append(row)
    rows = []
    for key, group in groups.items():
        values = {name: [row[name] for row in group if name in row] for name in MEASURES}
        rows.append(Row(*key, {name: _interval(clips, seed) for name, clips in values.items() if clips}))
    return rows


def _interval(values: Sequence[float], seed: int) -> Interval:
    array = np.asarray(values, dtype=np.float64)
    draws = np.random.default_rng(seed).integers(len(array), size=(N_RESAMPLES, len(array)))
    low, high = np.quantile(array[draws].mean(1), ((1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2))
    return Interval(float(array.mean()), float(low), float(high), len(array))
