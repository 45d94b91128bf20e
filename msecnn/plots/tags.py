"""Tags as bars, over time, and against a reference; several models are aligned on one axis."""

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np
import plotly.graph_objects as go
from matplotlib.figure import Figure

from msecnn.plots.colours import MODEL_COLOURS, NEUTRAL


def tag_bars(
    tags: Sequence[str], probabilities: np.ndarray, models: Sequence[str], *, n_tags: int = 20, title: str = ""
) -> Figure:
    """The likeliest tags by the models' mean, one bar a model; only for paper, as the page draws its own.

    Shape:
        - probabilities: (M, K)
    """
    order = np.argsort(-probabilities.mean(0), kind="stable")[:n_tags]
    figure = Figure(figsize=(7, 1.2 + 0.3 * len(order)), layout="constrained")
    axes = figure.add_subplot()
    thickness = 0.8 / len(models)
    for m, (model, values) in enumerate(zip(models, probabilities, strict=True)):
        places = np.arange(len(order)) + (m - (len(models) - 1) / 2) * thickness
        axes.barh(places, values[order], thickness * 0.9, color=MODEL_COLOURS[m % len(MODEL_COLOURS)], label=model)
    axes.set_yticks(range(len(order)), [tags[k] for k in order])
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    axes.set_xlabel("probability of the tag in the training labels")
    axes.set_title(title, loc="left", parse_math=False)
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(frameon=False, loc="outside lower center", ncols=len(models))
    return figure


def timeline(
    tags: Sequence[str],
    window_probabilities: np.ndarray,
    starts_s: np.ndarray,
    end_s: float,
    *,
    n_tags: int = 16,
    title: str = "",
) -> go.Figure:
    """Tags by windows as a heat map; each window is drawn until the next begins.

    Shape:
        - window_probabilities: (W, K)
        - starts_s: (W,)
    """
    order = np.argsort(-window_probabilities.max(0), kind="stable")[:n_tags]
    windows = list(zip(starts_s, window_probabilities, strict=True))
    figure = go.Figure(layout={"height": 120 + 28 * len(order), "width": 900})
    figure.add_heatmap(
        z=window_probabilities[:, order].T.astype(np.float32),
        x=np.append(starts_s, end_s),
        y=np.arange(len(order) + 1) - 0.5,
        zmin=0,
        zmax=1,
        colorscale="Viridis",
        colorbar_title_text="probability",
        text=[[f"{tags[k]} {row[k]:.1%}, from {start:.1f} s" for start, row in windows] for k in order],
        hoverinfo="text",
    )
    figure.update_xaxes(title_text="seconds")
    figure.update_yaxes(tickvals=list(range(len(order))), ticktext=[tags[k] for k in order], autorange="reversed")
    return figure.update_layout(title_text=escape(title, quote=False))


def reliability(bins: Mapping[str, Sequence[Mapping[str, float]]], *, reference: str, title: str = "") -> go.Figure:
    """Mean prediction against the reference's mean, by bins of the prediction.

    Args:
        bins: for each model rows with `claimed` (mean prediction), `true` (mean of the reference) and `n`.
        reference: what the vertical axis holds, in words.
        title: plain text.
    """
    figure = go.Figure(layout={"height": 420, "width": 460})
    figure.add_scatter(
        x=[0, 1], y=[0, 1], mode="lines", line={"color": NEUTRAL, "width": 1, "dash": "dot"}, name="equal",
        hoverinfo="skip",
    )  # fmt: skip
    for (model, rows), colour in zip(bins.items(), MODEL_COLOURS, strict=False):
        figure.add_scatter(
            x=[row["claimed"] for row in rows],
            y=[row["true"] for row in rows],
            mode="lines+markers",
            name=model,
            line_color=colour,
            hovertext=[f"{model}: {row['n']:.0f} predictions" for row in rows],
        )
    figure.update_xaxes(title_text="predicted", range=[0, 1])
    figure.update_yaxes(title_text=reference, range=[0, 1])
    return figure.update_layout(title_text=escape(title, quote=False))
