"""What an order of a clip's cells is worth: areas under its curves, gains over blind orders, masked metrics, by fill.

Axis letters: S scales, F mel bands, L frames, K tags.
"""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

import numpy as np
from torch import Tensor

from msecnn.explain.faithfulness import BLIND_ORDERS, Ends, blind_order, denser_first, follow_order, terms_of
from msecnn.explain.masked_metrics import METRICS, PERCENTAGES, masked_metrics
from msecnn.explain.scale_terms import ScaleTerms
from msecnn.models.layers import MultiScaleCNN

#: What `follow_order` returns.
Followed = tuple[np.ndarray, np.ndarray]
#: Areas under the curves, and by how much they are better than those of blind orders, in units of the logit.
CURVES = (
    "deletion",
    "insertion",
    "deletion_gain_random",
    "deletion_gain_loudness",
    "insertion_gain_random",
    "insertion_gain_loudness",
)
#: What is measured of an order of all scales together, with each fill.
ORDER_MEASURES = (*CURVES, *(f"{metric}@{percentage}" for percentage in PERCENTAGES for metric in METRICS))


def of_fill(fill: str, measure: str) -> str:
    """The name of a measure for cells that are replaced by another fill than the methods' baseline, which is ""."""
    return f"{fill}:{measure}" if fill else measure


def other_fills(measures: Iterable[str]) -> list[str]:
    """The fills that `of_fill` has named measures of, besides the methods' baseline."""
    return list(dict.fromkeys(name.split(":")[0] for name in measures if ":" in name))


def at_share(percentage: int, metric: str) -> str:
    """The name of one of `METRICS` with that share of the cells marked."""
    return f"{metric}@{percentage}"


class OrderMeasures:
    """One clip and tag, whose cells are taken out and put in, in one order after another and with each fill."""

    def __init__(
        self,
        network: MultiScaleCNN,
        mel: np.ndarray,
        tag_index: int,
        fills: Mapping[str, Tensor],
        n_steps: int,
        seed: int,
    ) -> None:
        self.tag_index, self.seed, self.scales = tag_index, seed, network.scales
        shares = [percentage / 100 for percentage in PERCENTAGES]
        self.fractions = np.unique(np.append(denser_first(n_steps), shares).round(6))
        self.shares = dict(zip(PERCENTAGES, np.searchsorted(self.fractions, shares).tolist(), strict=True))
        self.terms = ScaleTerms(network, tag_index, network.scales)
        self.alone = [ScaleTerms(network, tag_index, (scale,)) for scale in self.scales if len(self.scales) > 1]
        self.ends = {fill: Ends.of(self._terms_and_logits, mel, nothing) for fill, nothing in fills.items()}
        self.blind = {order: self._follow(blind_order(order, mel, seed)) for order in BLIND_ORDERS}

    def of_blind(self, order: str) -> dict[str, float]:
        """What `of_map` measures, of one of `BLIND_ORDERS`."""
        return self._measures(self.blind[order])

    def of_map(self, attribution: np.ndarray) -> dict[str, float]:
        """Areas, gains over blind orders and masked metrics of a map (F, L) of all scales together, with every fill."""
        return self._measures(self._follow(attribution))

    def of_scales(self, maps: np.ndarray) -> list[dict[str, Any]]:
        """The gains of each scale's own map, of (S, F, L), in its own term; none of a model with one scale."""
        rows = []
        for column, terms in enumerate(self.alone):
            own = follow_order(
                partial(terms_of, terms), self.ends[""].of_scale(column), maps[column], self.fractions, seed=self.seed
            )
            rows.append({"scale": self.scales[column], **self._gains(own, "", column, own_column=-1)})
        return rows

    def _measures(self, followed: Mapping[str, Followed]) -> dict[str, float]:
        measures: dict[str, float] = {}
        for fill, mine in followed.items():
            found = self._gains(mine, fill, len(self.scales)) | self._masked(mine, fill)
            measures |= {of_fill(fill, name): value for name, value in found.items()}
        return measures

    def _terms_and_logits(self, mel: Tensor) -> np.ndarray:
        """(S + 1 + K,) each scale's term, their sum, and all tags' logits."""
        values: np.ndarray = self.terms.with_logits(mel[None, None])[0].double().cpu().numpy()
        return values

    def _follow(self, attribution: np.ndarray) -> dict[str, Followed]:
        return {
            fill: follow_order(self._terms_and_logits, ends, attribution, self.fractions, seed=self.seed)
            for fill, ends in self.ends.items()
        }

    def _gains(self, mine: Followed, fill: str, column: int, *, own_column: int | None = None) -> dict[str, float]:
        """The areas under one order's curves, and by how much they are better than under each blind order's.

        Args:
            column: of what was followed on all scales.
            own_column: of `mine`, where it is another.
        """
        deletion, insertion = self._areas(mine, column if own_column is None else own_column)
        gains = {"deletion": deletion, "insertion": insertion}
        for order, followed in self.blind.items():
            theirs = self._areas(followed[fill], column)
            gains[f"deletion_gain_{order}"] = theirs[0] - deletion
            gains[f"insertion_gain_{order}"] = insertion - theirs[1]
        return gains

    def _areas(self, followed: Followed, column: int) -> tuple[float, float]:
        deletion, insertion = (float(np.trapezoid(curve[:, column], self.fractions)) for curve in followed)
        return deletion, insertion

    def _masked(self, followed: Followed, fill: str) -> dict[str, float]:
        """`masked_metrics` where the first so many percent of the cells are the marked part."""
        first = len(self.scales) + 1  # of the logits
        clip, (deletion, insertion) = self.ends[fill].with_clip[first:], followed
        metrics: dict[str, float] = {}
        for percentage, step in self.shares.items():
            found = masked_metrics(clip, insertion[step, first:], deletion[step, first:], self.tag_index)
            metrics |= {at_share(percentage, name): value for name, value in found.items()}
        return metrics
