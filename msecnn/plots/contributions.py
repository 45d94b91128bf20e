"""A logit taken apart: from the average clip to this one, one step a scale."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

IN_FAVOUR, AGAINST, TOTAL = "#d97706", "#2563b8", "#44403c"


def waterfall(
    scales: Sequence[str],
    relative: np.ndarray,
    base_value: float,
    *,
    mean_known: bool = True,
    title: str = "",
) -> Figure:
    """Steps that add up from the base value to the logit.

    Args:
        relative: (S,) what each scale adds.
        mean_known: the base value is the average clip's logit; otherwise it is the bias alone.
    """
    totals = base_value + np.concatenate([[0.0], np.cumsum(relative)])  # (S + 1,)
    figure = Figure(figsize=(7, 1.4 + 0.36 * (len(scales) + 2)), layout="constrained")
    axes = figure.add_subplot()
    names = ["average clip" if mean_known else "bias alone", *scales, "this clip"]
    axes.axvline(base_value, color=TOTAL, lw=0.8, ls=":")
    for row, (start, step) in enumerate(zip(totals, relative, strict=False), start=1):
        axes.barh(row, step, left=start, height=0.62, color=AGAINST if step < 0 else IN_FAVOUR)
        axes.annotate(f"{step:+.2f}", (max(start, start + step), row), (4, 0), textcoords="offset points", va="center")
    for row, value in ((0, totals[0]), (len(names) - 1, totals[-1])):
        axes.plot([value], [row], "D", color=TOTAL, ms=6)
        axes.annotate(f"{value:.2f}", (value, row), (8, 0), textcoords="offset points", va="center")
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.margins(x=0.18)
    axes.set_xlabel("logit")
    axes.set_title(title, loc="left")
    axes.spines[["top", "right"]].set_visible(False)
    return figure
