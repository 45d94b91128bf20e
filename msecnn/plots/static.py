"""A Plotly figure drawn again by matplotlib: the bars, lines and heat maps of which our figures consist, for paper."""

import io
from html import unescape
from typing import Any

import numpy as np
import plotly.graph_objects as go
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.text import Text

DOTS_PER_INCH = 100  # of a Plotly layout's pixels
DASHES = {None: "-", "solid": "-", "dot": ":", "dash": "--"}
MARKERS = {None: "o", "circle": "o", "diamond": "D"}


def draw(figure: go.Figure) -> Figure:
    """The same picture as a matplotlib figure; subplots stand side by side.

    Raises:
        ValueError: a trace of a kind that is not drawn here.
    """
    unknown = {trace.type for trace in figure.data} - _TRACES.keys()
    if unknown:
        raise ValueError(f"traces of these kinds are not drawn here: {', '.join(sorted(unknown))}")
    layout = figure.layout
    drawn = Figure(figsize=(layout.width / DOTS_PER_INCH, layout.height / DOTS_PER_INCH), layout="constrained")
    names = sorted({trace.xaxis or "x" for trace in figure.data})
    panels = dict(zip(names, drawn.subplots(1, len(names), sharey=True, squeeze=False)[0], strict=True))
    for trace in figure.data:
        _TRACES[trace.type](panels[trace.xaxis or "x"], trace)
    for name, axes in panels.items():
        _set_axis(axes, "x", layout["xaxis" + name[1:]])
    first = panels[names[0]]
    _set_axis(first, "y", layout.yaxis)
    first.set_title(unescape(layout.title.text or ""), loc="left", parse_math=False)
    if any(trace.name and trace.showlegend is not False for trace in figure.data):
        panels[names[-1]].legend(frameon=False)
    return drawn


def image(figure: Figure | go.Figure, kind: str, *, dpi: int = 130) -> bytes:
    """A figure as the bytes of a file; `kind` is "png" or "svg"."""
    written = io.BytesIO()
    drawn = draw(figure) if isinstance(figure, go.Figure) else figure
    for text in drawn.findobj(Text):
        text.set_parse_math(False)  # a tag or a recording may be called $x^$
    drawn.savefig(written, format=kind, dpi=dpi)
    return written.getvalue()


def _bar(axes: Axes, trace: Any) -> None:
    bars = axes.barh(trace.y, trace.x, left=trace.base, height=trace.width, color=trace.marker.color, label=trace.name)
    for bar, words in zip(bars, trace.text if trace.text is not None else (), strict=False):
        right = bar.get_x() + max(bar.get_width(), 0)
        axes.annotate(
            words, (right, bar.get_y() + bar.get_height() / 2), (4, 0), textcoords="offset points", va="center"
        )


def _scatter(axes: Axes, trace: Any) -> None:
    lines, markers = "lines" in trace.mode, "markers" in trace.mode
    colour = trace.line.color or trace.marker.color
    axes.plot(
        trace.x,
        trace.y,
        linestyle=DASHES[trace.line.dash] if lines else "none",
        linewidth=trace.line.width or 1.5,
        marker=MARKERS[trace.marker.symbol] if markers else "none",
        markersize=(trace.marker.size or 6) * 0.6,
        color=colour,
        label=trace.name if trace.showlegend is not False else None,
    )
    if "text" in trace.mode:
        for x, y, words in zip(trace.x, trace.y, trace.text, strict=True):
            axes.annotate(words, (x, y), (8, 0), textcoords="offset points", va="center")


def _heatmap(axes: Axes, trace: Any) -> None:
    colours = LinearSegmentedColormap.from_list("ours", [(float(at), colour) for at, colour in trace.colorscale])
    mesh = axes.pcolormesh(
        np.asarray(trace.x), np.asarray(trace.y), np.asarray(trace.z), cmap=colours, vmin=trace.zmin, vmax=trace.zmax
    )
    axes.figure.colorbar(mesh, ax=axes, label=trace.colorbar.title.text, pad=0.01)


_TRACES = {"bar": _bar, "scatter": _scatter, "heatmap": _heatmap}


def _set_axis(axes: Axes, which: str, axis: Any) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.set(**{f"{which}label": axis.title.text or ""})
    if axis.tickvals is not None:
        getattr(axes, f"set_{which}ticks")(axis.tickvals, axis.ticktext)
    if axis.range is not None:
        axes.set(**{f"{which}lim": axis.range})
    if axis.autorange == "reversed":
        getattr(axes, f"invert_{which}axis")()
