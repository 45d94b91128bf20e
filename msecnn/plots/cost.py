"""Agreement against cost: a dot a system, multiply-adds on a logarithmic axis."""

import io
from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib
from matplotlib.figure import Figure

from msecnn.evaluation.metrics import Interval
from msecnn.plots.colours import NEUTRAL, ORDER_COLOURS


@dataclass(frozen=True)
class Dot:
    """One system.

    Attributes:
        multiply_adds: for one clip.
        value: of the agreement, with its 95 % interval.
    """

    name: str
    multiply_adds: float
    value: float
    interval: Interval


def cost_figure(dots: Sequence[Dot], *, axis: str) -> Figure:
    """For a document; `axis` says what the agreement is."""
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    for dot in dots:
        low, high = dot.interval
        axes.plot([dot.multiply_adds] * 2, [low, high], color=NEUTRAL, linewidth=1)
        axes.plot([dot.multiply_adds], [dot.value], "o", color=ORDER_COLOURS[0])
        axes.annotate(dot.name, (dot.multiply_adds, dot.value), (7, 0), textcoords="offset points", va="center")
    axes.set_xscale("log")
    axes.margins(x=0.18)
    axes.set_xlabel("multiply-adds for a clip of 29.12 s")
    axes.set_ylabel(axis)
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def as_svg(figure: Figure) -> bytes:
    """The same bytes for the same figure, whenever it is drawn: no date, and names that follow from the content."""
    written = io.BytesIO()
    with matplotlib.rc_context({"svg.hashsalt": "cost"}):
        figure.savefig(written, format="svg", metadata={"Date": None})
    return written.getvalue()
