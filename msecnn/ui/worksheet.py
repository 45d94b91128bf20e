"""A worksheet: one tag of one clip on one HTML page that needs nothing else, with questions and their answers."""

import base64
import platform
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import torch

from msecnn import __version__, audio
from msecnn.explain.contributions import ablate
from msecnn.explain.saliency import BASELINES, METHODS, saliency
from msecnn.plots.contributions import waterfall
from msecnn.plots.spectrogram import mel_figure, saliency_figure
from msecnn.plots.static import image
from msecnn.plots.tags import tag_bars
from msecnn.ui.server.context import AppContext
from msecnn.ui.server.explanation_request import ExplanationRequest, choice
from msecnn.ui.server.rpc import Request
from msecnn.ui.server.served_files import new_file

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
    asked: ExplanationRequest, context: AppContext, request: Request, title: str | None, exercises: Sequence[Exercise]
) -> str:
    """The page as HTML.

    Args:
        request: may name the saliency `method` and `baseline`, and scales that are switched `off`.
        title: the lesson's; without one, the tag is the title.
        exercises: printed at the end.
    """
    name = f"{asked.tag} in {context.title(asked.model)}"
    parts = [
        f"<h1>{escape(title or name)}</h1>",
        '<p class="soft">Name <span class="name"></span> Date <span class="name"></span></p>',
        *_clip(asked, context),
        *_tags(asked, context),
        *_contributions(asked, name, request),
        *_maps(asked, name, request),
        *_questions(exercises),
        *_settings(asked, context, request),
    ]
    head = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title or name)}</title>'
    return f"{head}<style>{STYLE}</style>\n" + "\n".join(parts) + "</html>\n"


def _clip(asked: ExplanationRequest, context: AppContext) -> Iterable[str]:
    example = context.examples.get(asked.session.example or "")
    start, end = asked.prediction.windows[asked.window]
    credit = (
        f"{example.title}, {example.artist}. {example.licence}. {example.source}." if example else asked.session.name
    )
    yield f"<h2>The clip</h2><p>{escape(credit)} {start:.1f} to {end:.1f} s, as the networks hear it:</p>"
    yield f'<audio controls src="{_data("audio/wav", _heard(asked))}"></audio>'
    yield _picture(mel_figure(asked.mel, asked.checkpoint.mel_config, start_s=asked.start_s), "Mel spectrogram")


def _heard(asked: ExplanationRequest) -> bytes:
    config, path = asked.checkpoint.mel_config, new_file("window.wav")
    window = audio.read_recording(
        asked.session.path, sample_rate=config.sample_rate, start_s=asked.start_s, duration_s=config.window_s
    )
    try:
        audio.write_wav(path, window.waveform, config.sample_rate)
        return path.read_bytes()
    finally:
        path.unlink(missing_ok=True)


def _tags(asked: ExplanationRequest, context: AppContext) -> Iterable[str]:
    said = [one for one in asked.session.predictions.values() if one.tags == asked.prediction.tags]
    yield "<h2>Tags</h2>"
    for one in said:
        if one.untrained:
            warning = "has random weights and learnt nothing: its numbers mean nothing about the music."
            yield f'<p class="warning">{escape(context.title(one.model))} {warning}</p>'
    probabilities = np.stack([one.probabilities for one in said])  # (M, K)
    yield _picture(
        tag_bars(said[0].tags, probabilities, [context.title(one.model) for one in said]), "Tags of each model"
    )


def _contributions(asked: ExplanationRequest, name: str, request: Request) -> Iterable[str]:
    split, k = asked.contributions, asked.tag_index
    steps = waterfall(
        split.scales, split.relative[0, :, k], float(split.base_value[k]), mean_known=split.mean_known, title=name
    )
    yield "<h2>What each scale adds to the logit</h2>"
    yield _picture(steps, "From the average clip to this one")
    order = np.argsort(-split.logits[0], kind="stable")[:N_TAGS]
    titles = ("", "average" if split.mean_known else "bias", *split.scales, "this clip")
    rows = ((split.tags[i], split.base_value[i], *split.relative[0, :, i], split.logits[0, i]) for i in order)
    yield "<h2>What the likeliest tags lean on</h2>" + _table([titles, *([row[0], *_signed(row[1:])] for row in rows)])
    named = request.get("off")
    off = [scale for scale in split.scales if isinstance(named, list) and scale in named]
    if off:
        left = float(ablate(split, [scale not in off for scale in split.scales])[0, k])
        yield f"<p>Without {escape(', '.join(off))}, {escape(asked.tag)} gets {left:.1%}.</p>"


def _maps(asked: ExplanationRequest, name: str, request: Request) -> Iterable[str]:
    method, baseline = choice(request, "method", METHODS), choice(request, "baseline", BASELINES)
    config = asked.checkpoint.mel_config
    found = saliency(
        asked.tagger.model, asked.mel, asked.tag_index, method=method, baseline=baseline, mel_config=config
    )
    strips = saliency_figure(asked.mel, found.maps, found.scales, config, start_s=asked.start_s, title=name)
    yield f"<h2>Where each scale looks ({escape(method.replace('_', ' '))})</h2>"
    yield _picture(strips, "Signed saliency of each scale")
    yield '<p class="soft">The contributions are exact. These maps are estimates.</p>'


def _questions(exercises: Sequence[Exercise]) -> Iterable[str]:
    for number, exercise in enumerate(exercises, start=1):
        yield f'<section><h2>Question {number}</h2><p class="soft">{escape(exercise.text)}</p>'
        yield f'<p>{escape(exercise.question)}</p><div class="answer">{escape(exercise.answer)}</div></section>'


def _settings(asked: ExplanationRequest, context: AppContext, request: Request) -> Iterable[str]:
    card = asked.checkpoint.card
    rows = {
        "model": context.title(asked.model),
        "weights (sha256)": str(card.get("sha256", "")),
        "tag": asked.tag,
        "window": f"{asked.window + 1} of {len(asked.prediction.windows)}",
        "method": choice(request, "method", METHODS),
        "baseline": choice(request, "baseline", BASELINES),
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
