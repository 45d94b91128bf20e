"""The logit while cells are taken out of a clip and put back in, in several orders (Petsiuk et al., "RISE", 2018)."""

from collections.abc import Mapping
from html import escape

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from msecnn.plots.colours import NEUTRAL, ORDER_COLOURS


def deletion_insertion(
    fractions: np.ndarray,
    deletions: Mapping[str, np.ndarray],
    insertions: Mapping[str, np.ndarray],
    *,
    title: str = "",
) -> go.Figure:
    """Both curves of each order, by the order's name.

    Shape:
        - fractions and each curve: (N + 1,)
    """
    figure = make_subplots(1, 2, shared_yaxes=True, horizontal_spacing=0.04)
    for column, (curves, what) in enumerate(((deletions, "taken out"), (insertions, "put in")), start=1):
        for (order, logits), colour in zip(curves.items(), ORDER_COLOURS, strict=False):
            figure.add_scatter(
                x=(100 * fractions).astype(np.float32),
                y=np.asarray(logits, np.float32),
                name=order,
                mode="lines+markers",
                line_color=colour,
                legendgroup=order,
                showlegend=column == 2,
                row=1,
                col=column,
            )
        figure.update_xaxes(title_text=f"% of the cells {what}", row=1, col=column)
    figure.update_yaxes(title_text="logit", col=1, zerolinecolor=NEUTRAL)
    return figure.update_layout(title_text=escape(title, quote=False), height=360, width=900)
