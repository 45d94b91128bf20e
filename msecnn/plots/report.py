"""One explanation as one HTML file: figures and sounds lie inside it; it asks nothing of the network."""

import base64
import html
from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from msecnn.explain.events import EvidenceEvent
from msecnn.plots.html import div, script

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; color: #292524; }
h1 { margin-bottom: 0; } h2 { margin-top: 2.2rem; } img { max-width: 100%; }
table { border-collapse: collapse; } th, td { padding: .2rem .9rem .2rem 0; text-align: left; }
td.n { text-align: right; font-variant-numeric: tabular-nums; } audio { width: 22rem; max-width: 100%; }
.note { color: #78716c; } .warning { background: #fef3c7; padding: .5rem .8rem; }
"""


def report(
    *,
    title: str,
    sentence: str,
    warnings: Sequence[str],
    figures: Mapping[str, bytes | go.Figure],
    in_favour: Sequence[EvidenceEvent],
    against: Sequence[EvidenceEvent],
    sounds: Mapping[str, bytes],
) -> str:
    """The whole page.

    Args:
        sentence: what was asked and answered, in words.
        warnings: what a reader must know first.
        figures: PNG, or a figure that answers the pointer, by caption.
        in_favour, against: events, strongest first.
        sounds: WAV by caption.
    """
    drawn = (f"<h2>{html.escape(caption)}</h2>{_figure(caption, figure)}" for caption, figure in figures.items())
    playable = (
        f'<tr><td>{html.escape(caption)}</td><td><audio controls src="{_data("audio/wav", data)}"></audio></td></tr>'
        for caption, data in sounds.items()
    )
    return "\n".join(
        [
            f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{html.escape(title)}</title>',
            f"<style>{_STYLE}</style><h1>{html.escape(title)}</h1><p>{html.escape(sentence)}</p>",
            *(f'<p class="warning">{html.escape(warning)}</p>' for warning in warnings),
            *drawn,
            "<h2>The cells that decided</h2>",
            '<p class="note">Every feature is a maximum, so one cell of the spectrogram decides it. Cells of one scale '
            "that look at the same place are one event. What an event adds is relative to the average clip, and exact."
            "</p>",
            _events("In favour", in_favour),
            _events("Against", against),
            "<h2>Listen</h2><table>",
            *playable,
            f"</table>{script()}</html>",
        ]
    )


def _figure(caption: str, figure: bytes | go.Figure) -> str:
    if isinstance(figure, go.Figure):
        return div(figure, label=caption)
    return f'<img alt="{html.escape(caption)}" src="{_data("image/png", figure)}">'


def _events(heading: str, events: Sequence[EvidenceEvent]) -> str:
    rows = (
        f"<tr><td>{html.escape(event.scale)}</td><td>{event.start_s:.2f} to {event.end_s:.2f} s</td>"
        f"<td>{event.low_hz:.0f} to {event.high_hz:.0f} Hz</td><td class='n'>{len(event.cells)}</td>"
        f"<td class='n'>{event.relative:+.3f}</td></tr>"
        for event in events
    )
    head = "<tr><th>scale</th><th>when</th><th>where</th><th>cells</th><th>adds</th></tr>"
    return f"<h3>{heading}</h3><table>{head}{''.join(rows)}</table>"


def _data(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
