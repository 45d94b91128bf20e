"""Logits taken apart by scale: one logit as steps from the average clip, and all tags of a clip as a table of heat."""

from collections.abc import Sequence
from html import escape

import numpy as np
import plotly.graph_objects as go

from msecnn.plots.colours import AGAINST, IN_FAVOUR, NEUTRAL, ZERO

ROW_HEIGHT, MARGIN_HEIGHT = 34, 120  # pixels of a row, and of all that is not rows


def waterfall(
    scales: Sequence[str],
    relative: np.ndarray,
    base_value: float,
    *,
    mean_known: bool = True,
    title: str = "",
) -> go.Figure:
    """Steps that add up from the base value to the logit.

    Args:
        scales: S names.
        relative: (S,) what each scale adds.
        base_value: logit of the average clip, or the bias alone.
        mean_known: which of the two the base value is.
        title: plain text.
    """
    totals = base_value + np.concatenate([[0.0], np.cumsum(relative)])  # (S + 1,)
    names = ["average clip" if mean_known else "bias alone", *scales, "this clip"]
    rows = np.arange(1, len(scales) + 1)
    figure = go.Figure(layout={"height": MARGIN_HEIGHT + ROW_HEIGHT * len(names), "width": 700, "showlegend": False})
    figure.add_bar(
        x=relative,
        base=totals[:-1],
        y=rows,
        orientation="h",
        width=0.62,
        marker_color=[AGAINST if step < 0 else IN_FAVOUR for step in relative],
        text=[f"{step:+.2f}" for step in relative],
        textposition="outside",
        hovertext=[f"{scale}: {step:+.4f}" for scale, step in zip(scales, relative, strict=True)],
        hoverinfo="text",
    )
    steps_x = np.repeat(totals, 2)[:, None] * [1.0]  # each total joins the end of one row with the start of the next
    steps_y = np.stack([np.arange(len(totals)), np.arange(1, len(totals) + 1)], 1).reshape(-1, 1)
    figure.add_scatter(
        x=steps_x[:, 0], y=steps_y[:, 0], mode="lines", line={"color": NEUTRAL, "width": 1, "dash": "dot"},
        hoverinfo="skip",
    )  # fmt: skip
    figure.add_scatter(
        x=[totals[0], totals[-1]],
        y=[0, len(names) - 1],
        mode="markers+text",
        marker={"symbol": "diamond", "size": 10, "color": NEUTRAL},
        text=[f"{totals[0]:.2f}", f"{totals[-1]:.2f}"],
        textposition="middle right",
        hoverinfo="x",
    )
    low, high = float(totals.min()), float(totals.max())
    margin = 0.2 * (high - low) or 1.0
    figure.update_xaxes(title_text="logit", range=[low - margin, high + margin])
    figure.update_yaxes(tickvals=list(range(len(names))), ticktext=names, autorange="reversed")
    return figure.update_layout(title_text=escape(title, quote=False))


def tags_by_scale(
    tags: Sequence[str], scales: Sequence[str], relative: np.ndarray, *, n_tags: int = 12, title: str = ""
) -> go.Figure:
    """How much each level adds, per tag: the tags that differ most from the average clip.

    Shape:
        - relative: (S, K)
    """
    order = np.argsort(-np.abs(relative.sum(0)), kind="stable")[:n_tags]
    values = relative[:, order].T  # (n_tags, S)
    limit = float(np.abs(values).max()) or 1.0
    figure = go.Figure(layout={"height": MARGIN_HEIGHT + 24 * len(order), "width": 700})
    figure.add_heatmap(
        z=values,
        x=np.arange(len(scales) + 1) - 0.5,
        y=np.arange(len(order) + 1) - 0.5,
        zmin=-limit,
        zmax=limit,
        colorscale=[[0, AGAINST], [0.5, ZERO], [1, IN_FAVOUR]],
        colorbar_title_text="logit",
        text=[[f"{tags[k]}, {scale}: {relative[s, k]:+.3f}" for s, scale in enumerate(scales)] for k in order],
        hoverinfo="text",
    )
    figure.update_xaxes(tickvals=list(range(len(scales))), ticktext=list(scales))
    figure.update_yaxes(tickvals=list(range(len(order))), ticktext=[tags[k] for k in order], autorange="reversed")
    return figure.update_layout(title_text=escape(title, quote=False))
