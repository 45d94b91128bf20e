"""A worksheet: one tag of one clip on one HTML page that needs nothing else, with questions and their answers."""

import base64
import platform
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import torch

from msecnn import __version__
from msecnn.audio import wav_bytes
from msecnn.explain.contributions import ablate
from msecnn.explain.explanation import Explanation
from msecnn.plots import html
from msecnn.plots.explanation_files import contributions_figure, maps_figure, spectrogram_figure
from msecnn.plots.static import image
from msecnn.plots.tags import tag_bars
from msecnn.ui.server.context import AppContext, Example
from msecnn.ui.server.session import Session
from msecnn.what_if.intervention import WhatIf

#: Rows of the table of contributions.
N_TAGS = 12

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 54rem; margin: 2rem auto; padding: 0 1rem; color: #1c1917; }
h1 { line-height: 1.2; margin-bottom: .2rem; } h2 { margin: 2rem 0 .4rem; font-size: 1.2rem; }
p { margin: .4rem 0; } .soft { color: #69625b; } img { max-width: 100%; } audio { width: 24rem; max-width: 100%; }
table { border-collapse: collapse; font-size: .9rem; } th { text-align: left; font-weight: 400; color: #69625b; }
th, td { padding: .15rem .9rem .15rem 0; } td { text-align: right; font-variant-numeric: tabular-nums; }
td.word { text-align: left; overflow-wrap: anywhere; }
.warning { border-left: 3px solid #b8500a; padding-left: .8rem; }
.name { border-bottom: 1px solid #69625b; display: inline-block; min-width: 16rem; }
.answer { border: 1px solid #e3ddd5; border-radius: 6px; min-height: 5.5rem; padding: .5rem .7rem; }
.answer { white-space: pre-wrap; }
section { break-inside: avoid; }
"""


@dataclass(frozen=True)
class Exercise:
    """One step of a lesson, with what the student wrote."""

    text: str
    question: str
    answer: str


def worksheet(
    explanation: Explanation,
    context: AppContext,
    session: Session,
    off: Sequence[str],
    title: str | None,
    exercises: Sequence[Exercise],
    *,
    edited: WhatIf | None = None,
) -> str:
    """The page as HTML.

    Args:
        off: scales that are switched off.
        title: the lesson's; without one, the tag is the title.
        exercises: printed at the end.
        edited: what the page's edits of the window changed, if there are any.
    """
    name = f"{explanation.tag} in {context.title(explanation.prediction.model)}"
    parts = [
        f"<h1>{escape(title or name)}</h1>",
        '<p class="soft">Name <span class="name"></span> Date <span class="name"></span></p>',
        *_clip(explanation, context.examples.get(session.example or "")),
        *_tags(explanation, context, session),
        *_contributions(explanation, off),
        *_maps(explanation),
        *(_edited(edited, context) if edited else ()),
        *_questions(exercises),
        *_settings(explanation, context),
    ]
    head = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title or name)}</title>'
    return f"{head}<style>{STYLE}</style>\n" + "\n".join(parts) + html.script() + "</html>\n"


def _clip(explanation: Explanation, example: Example | None) -> Iterable[str]:
    start, end = explanation.prediction.windows[explanation.window]
    credit = explanation.name
    if example:
        credit = f"{example.title}, {example.artist}. {example.licence}. {example.source}."
    sound = wav_bytes(explanation.sound("window"), explanation.mel_config.sample_rate)
    yield f"<h2>The clip</h2><p>{escape(credit)} {start:.1f} to {end:.1f} s, as the networks hear it:</p>"
    yield f'<audio controls src="{_data("audio/wav", sound)}"></audio>'
    yield _picture(spectrogram_figure(explanation), "Mel spectrogram")


def _tags(explanation: Explanation, context: AppContext, session: Session) -> Iterable[str]:
    tags = explanation.prediction.tags
    predictions = [prediction for prediction in session.predictions.values() if prediction.tags == tags]
    titles = [context.title(prediction.model) for prediction in predictions]
    yield "<h2>Tags</h2>"
    for title, prediction in zip(titles, predictions, strict=True):
        if prediction.untrained:
            warning = "has random weights and learnt nothing: its numbers mean nothing about the music."
            yield f'<p class="warning">{escape(title)} {warning}</p>'
    probabilities = np.stack([prediction.probabilities for prediction in predictions])  # (M, K)
    yield _picture(tag_bars(tags, probabilities, titles), "Tags of each model")


def _contributions(explanation: Explanation, off: Sequence[str]) -> Iterable[str]:
    split = explanation.contributions
    yield "<h2>What each scale adds to the logit</h2>"
    yield html.div(contributions_figure(explanation), label="From the average clip to this one")
    order = np.argsort(-split.logits[0], kind="stable")[:N_TAGS]
    titles = ("", "average" if split.mean_known else "bias", *split.scales, "this clip")
    rows = ((split.tags[i], split.base_value[i], *split.relative[0, :, i], split.logits[0, i]) for i in order)
    table = [titles, *([row[0], *_signed(row[1:])] for row in rows)]
    yield "<h2>How much each level adds, per tag</h2>" + _table(table)
    if off:
        left = float(ablate(split, [scale not in off for scale in split.scales])[0, explanation.tag_index])
        yield f"<p>Without {escape(', '.join(off))}, {escape(explanation.tag)} gets {left:.1%}.</p>"


def _maps(explanation: Explanation) -> Iterable[str]:
    yield f"<h2>Where each scale looks ({escape(explanation.method.replace('_', ' '))})</h2>"
    yield _picture(maps_figure(explanation), "Signed saliency of each scale")
    yield '<p class="soft">The contributions are exact. These maps are estimates.</p>'


def _edited(answer: WhatIf, context: AppContext) -> Iterable[str]:
    yield f"<h2>What if: {escape(', then '.join(map(str, answer.edits)))}</h2>"
    sound = wav_bytes(answer.edited, answer.sample_rate)
    yield f'<audio controls src="{_data("audio/wav", sound)}"></audio>'
    for change in answer.changes:
        order = np.argsort(-change.before.probabilities, kind="stable")[:N_TAGS]
        scales = change.scales if len(change.scales) > 1 else ()
        rows = [("", "before", "after", *scales, "logit")]
        for k in order:
            shares = (f"{answers.probabilities[k]:.1%}" for answers in (change.before, change.after))
            steps = change.terms[:, k] if scales else ()
            rows.append((change.tags[k], *shares, *_signed((*steps, change.logits[k]))))
        yield f"<h3>{escape(context.title(change.model))}</h3>{_table(rows)}"
    yield '<p class="soft">The steps of the scales add up to the change of the logit, exactly.</p>'


def _questions(exercises: Sequence[Exercise]) -> Iterable[str]:
    for number, exercise in enumerate(exercises, start=1):
        yield f'<section><h2>Question {number}</h2><p class="soft">{escape(exercise.text)}</p>'
        yield f'<p>{escape(exercise.question)}</p><div class="answer">{escape(exercise.answer)}</div></section>'


def _settings(explanation: Explanation, context: AppContext) -> Iterable[str]:
    prediction = explanation.prediction
    rows = {
        "model": context.title(prediction.model),
        "weights (sha256)": str(explanation.checkpoint.card.get("sha256", "")),
        "tag": explanation.tag,
        "window": f"{explanation.window + 1} of {len(prediction.windows)}",
        "method": explanation.method,
        "baseline": explanation.baseline,
        "versions": f"msecnn {__version__}, torch {torch.__version__}, Python {platform.python_version()}",
    }
    cells = "".join(
        f'<tr><th>{escape(key)}</th><td class="word">{escape(value)}</td></tr>' for key, value in rows.items()
    )
    yield f"<h2>Settings</h2><table>{cells}</table>"


def _signed(values: Iterable[float]) -> list[str]:
    return [f"{value:+.2f}".replace("-", "−") for value in values]


def _table(rows: Iterable[Sequence[str]]) -> str:
    first, *rest = rows
    head = "".join(f"<th>{escape(cell)}</th>" for cell in first)
    body = "".join(
        f"<tr><th>{escape(row[0])}</th>" + "".join(f"<td>{escape(cell)}</td>" for cell in row[1:]) + "</tr>"
        for row in rest
    )
    return f"<table><tr>{head}</tr>{body}</table>"


def _picture(figure: Any, words: str) -> str:
    return f'<img alt="{escape(words)}" src="{_data("image/png", image(figure, "png"))}">'


def _data(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"
