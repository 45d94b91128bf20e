"""One explanation as one HTML file: figures and sounds lie inside it; it asks nothing of the network."""

import base64
import html
from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from msecnn.explain.block_events import Absence, BlockEvent
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
    in_favour: Sequence[BlockEvent],
    against: Sequence[BlockEvent],
    absences: Sequence[Absence],
    minimal: Sequence[str],
    sounds: Mapping[str, bytes],
) -> str:
    """The whole page.

    Args:
        sentence: what was asked and answered, in words.
        warnings: what a reader must know first.
        figures: PNG, or a figure that answers the pointer, by caption.
        in_favour, against, absences: strongest first.
        minimal: sentences on the smallest sound, the smallest cut and what would have to be louder.
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
            "<h2>The strongest evidence</h2>",
            '<p class="note">Blocks of about a second and an octave in which something that is there speaks for the '
            "tag or against it, merged where they adjoin. What an event adds is its part of the logit's change from "
            "the clip's mean, by Shapley values of every maximum. Its Hz are those of mel bands, whose edges sound "
            "passes."
            "</p>",
            _events("In favour", in_favour),
            _events("Against", against),
            _absences(absences),
            *(f"<p>{html.escape(sentence)}</p>" for sentence in minimal),
            "<h2>Listen</h2><table>",
            *playable,
            f"</table>{script()}</html>",
        ]
    )


def _figure(caption: str, figure: bytes | go.Figure) -> str:
    if isinstance(figure, go.Figure):
        return div(figure, label=caption)
    return f'<img alt="{html.escape(caption)}" src="{_data("image/png", figure)}">'


def _events(heading: str, events: Sequence[BlockEvent]) -> str:
    rows = (
        f"<tr><td>{html.escape(event.scale)}</td><td>{event.start_s:.2f} to {event.end_s:.2f} s</td>"
        f"<td>{event.low_hz:.0f} to {event.high_hz:.0f} Hz</td><td class='n'>{event.share:+.3f}</td></tr>"
        for event in events
    )
    head = "<tr><th>scale</th><th>when</th><th>where</th><th>adds</th></tr>"
    return f"<h3>{heading}</h3><table>{head}{''.join(rows)}</table>"


def _absences(absences: Sequence[Absence]) -> str:
    rows = (f"<li>{html.escape(absence.sentence)}: {absence.share:+.3f}</li>" for absence in absences)
    return f"<h3>In favour by what is absent, relative to the average clip</h3><ul>{''.join(rows)}</ul>"


def _data(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
