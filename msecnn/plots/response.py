"""How tags follow an edit that grows: one line a tag."""

from html import escape

import numpy as np
import plotly.graph_objects as go

from msecnn.plots.colours import NEUTRAL, ORDER_COLOURS
from msecnn.what_if.response import Response


def response_curve(curve: Response, model: str, *, title: str = "") -> go.Figure:
    """Probabilities of the tags that were most probable before, over the strengths of the edit.

    A dotted line is the probability before.
    """
    answers = curve.models[model]
    order = np.argsort(-answers.before, kind="stable")[: len(ORDER_COLOURS)]
    figure = go.Figure(layout={"height": 380, "width": 760})
    for k, colour in zip(order, ORDER_COLOURS, strict=False):
        figure.add_scatter(
            x=list(curve.strengths),
            y=answers.probabilities[:, k].astype(np.float32),
            name=answers.tags[k],
            mode="lines+markers",
            line_color=colour,
            hovertext=[_hover(curve, answers.terms[i, :, k], answers.scales) for i in range(len(curve.strengths))],
        )
        figure.add_scatter(
            x=[curve.strengths[0], curve.strengths[-1]],
            y=[float(answers.before[k])] * 2,
            mode="lines",
            line={"color": colour, "width": 1, "dash": "dot"},
            showlegend=False,
            hoverinfo="skip",
        )
    figure.update_xaxes(title_text=f"{curve.edit} ({curve.unit})" if curve.unit else curve.edit)
    figure.update_yaxes(title_text="probability", range=[0, 1], zerolinecolor=NEUTRAL)
    return figure.update_layout(title_text=escape(title, quote=False))


def _hover(curve: Response, terms: np.ndarray, scales: tuple[str, ...]) -> str:
    """What each scale changed the logit by, in words; (S,)."""
    return ", ".join(f"{scale} {term:+.2f}" for scale, term in zip(scales, terms, strict=True)) or curve.edit
