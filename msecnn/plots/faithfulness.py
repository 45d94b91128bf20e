"""The logit while cells are taken out of a clip and put back in, in several orders (Petsiuk et al., "RISE", 2018)."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

COLOURS = ("#d97706", "#78716c", "#2563b8", "#0f766e")


def deletion_insertion(
    fractions: np.ndarray,
    deletions: Mapping[str, np.ndarray],
    insertions: Mapping[str, np.ndarray],
    *,
    title: str = "",
) -> Figure:
    """Both curves of each order, by the order's name.

    Shape:
        - fractions and each curve: (N + 1,)
    """
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    for axes, curves, name in zip(panels, (deletions, insertions), ("taken out", "put in"), strict=True):
        for (order, logits), colour in zip(curves.items(), COLOURS, strict=False):
            axes.plot(100 * fractions, logits, marker=".", color=colour, label=order)
        axes.set_xlabel(f"% of the cells {name}")
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel("logit")
    panels[0].set_title(title, loc="left")
    panels[1].legend(frameon=False)
    return figure
