"""Differences with their intervals, one under the other, beside a margin: a forest plot."""

import io
from collections.abc import Mapping, Sequence

import matplotlib
from matplotlib.figure import Figure

from msecnn.plots.colours import MODEL_COLOURS, NEUTRAL

#: Rows of one group lie this far apart, where groups are 1 apart.
_STEP = 0.22


def forest(
    groups: Mapping[str, Mapping[str, tuple[float, float, float, Sequence[float]]]],
    *,
    margin: float,
    label: str,
    title: str = "",
) -> Figure:
    """A row for each difference: its estimate, its interval, and a dot for each run.

    Args:
        groups: title of a group to its rows; a row's name (and colour, the same in all groups) to estimate, lower and
            upper end, and the runs' own differences.
        margin: differences within it on both sides of zero would not count.
        label: of the axis.
    """
    names = list(dict.fromkeys(name for rows in groups.values() for name in rows))
    figure = Figure(figsize=(9, 1.2 + 0.75 * len(groups)), layout="constrained")
    axes = figure.subplots()
    axes.axvspan(-margin, margin, color="#e7e5e4", zorder=0, label=f"within ±{margin:g}")
    axes.axvline(0, color=NEUTRAL, linewidth=0.8)
    for place, rows in enumerate(groups.values()):
        for name, (value, low, high, runs) in rows.items():
            index = names.index(name)
            y, colour = place + _STEP * (index - (len(names) - 1) / 2), MODEL_COLOURS[index % len(MODEL_COLOURS)]
            axes.plot([low, high], [y, y], color=colour, linewidth=2, label=name if place == 0 else None)
            axes.plot(value, y, "o", color=colour)
            axes.plot(runs, [y] * len(runs), "|", color=colour, markersize=9)
    axes.set_yticks(range(len(groups)), list(groups))
    axes.invert_yaxis()
    axes.set_xlabel(label)
    axes.set_title(title, loc="left")
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
    return figure


def stable_svg(figure: Figure) -> bytes:
    """The figure with its text as text, for a repository: the same bytes whenever the same figure is drawn."""
    out = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": "msecnn", "svg.fonttype": "none"}):
        figure.savefig(out, format="svg", metadata={"Date": None})
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()).encode() + b"\n"
