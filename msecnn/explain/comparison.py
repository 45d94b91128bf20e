"""Which explanations can be believed: every method, of all scales and of each alone, over many clips with intervals.

A map is faithful when taking cells out in its order costs the logit more, and putting them in gives it more, than in
an order that knows nothing of the network: random, or the loudest first. Both are measured on the same clip.

Axis letters: F mel bands, L frames.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np
from torch import Tensor, nn

from msecnn.explain.baselines import baseline_mel
from msecnn.explain.concentration import complexity, sparseness
from msecnn.explain.contributions import with_scales
from msecnn.explain.faithfulness import BLIND_ORDERS, Ends, terms_of
from msecnn.explain.infidelity import infidelity, random_removals
from msecnn.explain.order_measures import ORDER_MEASURES, OrderMeasures, of_fill, other_fills
from msecnn.explain.progress import Progress
from msecnn.explain.saliency import saliency
from msecnn.explain.scale_terms import ScaleTerms
from msecnn.explain.stability import randomisation, reference_correlations, sensitivity_max
from msecnn.frontend import MelConfig

#: A row of the comparison that judges the maps of all scales together.
ALL = "all"
#: Bootstrap resamples of the clips, and the share of them that an interval holds.
N_RESAMPLES, CONFIDENCE = 2000, 0.95
#: What is measured of each clip with the first fill, in the columns' order.
MEASURES = (
    *ORDER_MEASURES,
    "sparseness",
    "complexity",
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
        measures: interval of each of `MEASURES` that was measured, and of those of other fills.
    """

    model: str
    method: str
    scale: str
    measures: dict[str, Interval]

    def beats(self, order: str, fill: str = "") -> bool:
        """Whether both gains over a blind order lie above zero with their whole intervals, with that fill."""
        gains = (of_fill(fill, f"{curve}_gain_{order}") for curve in ("deletion", "insertion"))
        return all(self.measures[gain].low > 0 for gain in gains)

    def to_json(self) -> dict[str, Any]:
        fills = other_fills(self.measures)
        beaten = {fill: {order: self.beats(order, fill) for order in BLIND_ORDERS} for fill in fills}
        return (
            asdict(self)
            | {f"beats_{order}": self.beats(order) for order in BLIND_ORDERS}
            | ({"beats_with": beaten} if beaten else {})
        )


def measure_clip(
    model: nn.Module,
    mel: np.ndarray,
    tag_index: int,
    *,
    methods: Sequence[str],
    baseline: str = "floor",
    other_fills: Mapping[str, Tensor] | None = None,
    n_steps: int = 10,
    mel_config: MelConfig | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> list[dict[str, Any]]:
    """Measures every method on one clip.

    Args:
        mel: (F, L).
        methods: of `METHODS`, and of `BLIND_ORDERS`, which are measured as if they were methods.
        baseline: what cells are replaced by, and what the methods measure from.
        other_fills: spectrograms (F, L) that cells are replaced by, too, in the order of the same maps, by name.
        n_steps: points on each curve, besides the start and the shares that `masked_metrics` are measured at.

    Returns:
        For each method and scale: {"method", "scale", and the measures by name}; those of other fills are named
        `of_fill`.
    """
    network = with_scales(model)
    options: dict[str, Any] = {"baseline": baseline, "mel_config": mel_config, "seed": seed}
    fills = {"": baseline_mel(network, mel, baseline, mel_config), **(other_fills or {})}
    orders = OrderMeasures(network, mel, tag_index, fills, n_steps, seed)
    judged = []
    for done, method in enumerate(methods, start=1):
        if method in BLIND_ORDERS:
            judged.append({"method": method, "scale": ALL, **orders.of_blind(method)})
        else:
            maps = saliency(model, mel, tag_index, method=method, **options)
            judged += [{"method": method, **row} for row in orders.of_scales(maps.maps)]
            of_all = {"method": method, "scale": ALL, **orders.of_map(maps.total)}
            of_all |= {"sparseness": sparseness(maps.total), "complexity": complexity(maps.total)}
            judged.append(of_all)
        if progress is not None:
            progress(done / len(methods))
    return judged


def check_clip(
    model: nn.Module,
    mel: np.ndarray,
    tag_index: int,
    *,
    methods: Sequence[str],
    baseline: str = "floor",
    slow: bool = False,
    mel_config: MelConfig | None = None,
    seed: int = 0,
) -> list[dict[str, Any]]:
    """The measures of a method's map that take many runs of the network.

    Args:
        mel: (F, L).
        methods: of `METHODS`.
        baseline: as in `measure_clip`.
        slow: besides infidelity, also sensitivity and the randomisation test, which make seven maps for each method.

    Returns:
        For each method: {"method", "scale", and the measures by name}.
    """
    network = with_scales(model)
    options: dict[str, Any] = {"baseline": baseline, "mel_config": mel_config, "seed": seed}
    terms = ScaleTerms(network, tag_index, network.scales)
    ends = Ends.of(partial(terms_of, terms), mel, baseline_mel(network, mel, baseline, mel_config))
    removals = random_removals(terms, ends, seed=seed)
    judged = []
    for method in methods:
        total = saliency(model, mel, tag_index, method=method, **options).total
        found: dict[str, Any] = {"method": method, "scale": ALL}
        found["infidelity"] = infidelity(removals, total, method=method)
        if slow:
            found |= _slow(model, mel, tag_index, {**options, "method": method, "original": total})
        judged.append(found)
    return judged


def _slow(model: nn.Module, mel: np.ndarray, tag_index: int, known: Mapping[str, Any]) -> dict[str, float]:
    """Sensitivity, and the map's rank correlations after shuffling with what to read them by."""
    after = randomisation(model, mel, tag_index, at_once=True, **known)
    found = {
        "sensitivity": sensitivity_max(model, mel, tag_index, **known),
        "randomisation": after.correlations[-1],
        "randomisation_absolute": after.absolute[-1],
    }
    for name, (signed, absolute) in reference_correlations(model, mel, tag_index, **known).items():
        found |= {f"{name}_reference": signed, f"{name}_reference_absolute": absolute}
    return found


def summarise(judged: Iterable[dict[str, Any]], *, seed: int = 0) -> list[Row]:
    """Rows with intervals, in the order in which methods and scales first appear.

    Args:
        judged: what `measure_clip` returned for all clips, each with its "model" added.
    """
    keys = ("model", "method", "scale")
    found = intervals(judged, keys, seed=seed).items()
    return [Row(model, method, scale, measures) for (model, method, scale), measures in found]


def intervals(
    rows: Iterable[Mapping[str, Any]], keys: Sequence[str], *, seed: int = 0
) -> dict[tuple[Any, ...], dict[str, Interval]]:
    """For each group of rows that are alike in their keys, the interval of each figure over its clips."""
    groups: dict[tuple[Any, ...], dict[str, list[float]]] = {}
    for row in rows:
        values = groups.setdefault(tuple(row[key] for key in keys), {})
        for name in _measures_of(row):
            if name not in keys:
                values.setdefault(name, []).append(row[name])
    return {
        group: {name: interval_of(values[name], seed) for name in _in_order(values)} for group, values in groups.items()
    }


def differences(
    rows: Iterable[Mapping[str, Any]], keys: Sequence[str], first: str, second: str, *, seed: int = 0
) -> dict[tuple[Any, ...], dict[str, Interval]]:
    """Intervals of what the first method has above the second on the same clips, group by group.

    Args:
        rows: each with the keys, a "method" and a "clip".
        keys: others than those two.
    """
    of_clips: dict[str, dict[tuple[Any, ...], Mapping[str, Any]]] = {first: {}, second: {}}
    for row in rows:
        if row["method"] in of_clips:
            found, place = of_clips[row["method"]], (*(row[key] for key in keys), row["clip"])
            found[place] = {**found.get(place, {}), **row}
    paired = [
        {key: row[key] for key in keys}
        | {name: row[name] - other[name] for name in _measures_of(row) if name in other and name not in keys}
        for place, row in of_clips[first].items()
        if (other := of_clips[second].get(place)) is not None
    ]
    return intervals(paired, keys, seed=seed)


def _measures_of(row: Mapping[str, Any]) -> list[str]:
    """The names of its figures; all else tells what they are of."""
    return [name for name, value in row.items() if not isinstance(value, str)]


def _in_order(names: Iterable[str]) -> list[str]:
    """As in `MEASURES`, then the others."""
    return sorted(names, key=lambda name: (MEASURES.index(name) if name in MEASURES else len(MEASURES), name))


def interval_of(values: Sequence[float], seed: int = 0) -> Interval:
    """The mean of a figure over clips with its interval."""
    array = np.asarray(values, dtype=np.float64)
    draws = np.random.default_rng(seed).integers(len(array), size=(N_RESAMPLES, len(array)))
    low, high = np.quantile(array[draws].mean(1), ((1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2))
    return Interval(float(array.mean()), float(low), float(high), len(array))
