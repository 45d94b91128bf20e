"""Take it with you: everything the page shows of a recording, in one zip."""

import io
import json
import platform
import zipfile
from collections.abc import Iterator
from typing import Any

import numpy as np

from msecnn import __version__, audio
from msecnn.explain.answer import explanation_json
from msecnn.explain.faithfulness_card import verdicts
from msecnn.explain.saliency import BASELINES, METHODS, SaliencyMaps, saliency
from msecnn.library.tables import write_csv
from msecnn.plots.contributions import waterfall
from msecnn.plots.faithfulness import deletion_insertion
from msecnn.plots.spectrogram import mel_figure, saliency_figure
from msecnn.plots.static import image
from msecnn.plots.tags import tag_bars, timeline
from msecnn.tagger import answer_json
from msecnn.ui.faithfulness_check import measure
from msecnn.ui.server.context import AppContext
from msecnn.ui.server.explanation_request import ExplanationRequest, choice
from msecnn.ui.server.rpc import Answer, Page, Request
from msecnn.ui.server.served_files import new_file, served
from msecnn.ui.server.session import Session, require_session
from msecnn.ui.sonification import heard

#: Of the files in the zip; `settings.json` tells it.
SCHEMA = 1
#: Files of an explanation, besides one sound for each scale.
N_ITEMS = 11

#: Name in the zip and content.
Item = tuple[str, bytes]


def build(page: Page) -> None:
    page.endpoint("export", export, model=True, lane="slow")


def export(context: AppContext, session: Session | None, request: Request) -> Iterator[Answer]:
    """Tags, and the explanation of the tag that is asked about, if any."""
    session = require_session(session)
    items = list(_tags(context, session))
    yield Answer({"progress": 0.2})
    if request.get("tag"):
        asked = ExplanationRequest.of(context, session, request)
        for number, item in enumerate(_explanation(asked, context, request), start=1):
            items.append(item)
            yield Answer({"progress": 0.2 + 0.8 * number / (N_ITEMS + len(asked.contributions.scales))})
    path = new_file("msecnn.zip")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in items:
            archive.writestr(name, content)
    yield Answer({"file": served(path), "names": [name for name, _ in items]})


def _tags(context: AppContext, session: Session) -> Iterator[Item]:
    predictions = list(session.predictions.values())
    first, titles = predictions[0], [context.title(name) for name in session.predictions]
    answer = answer_json(session.name, predictions)
    yield "tags.json", _json([answer])
    rows = io.StringIO()
    write_csv([answer], list(dict.fromkeys(tag for prediction in predictions for tag in prediction.tags)), rows)
    yield "tags.csv", rows.getvalue().encode()
    yield "settings.json", _json(_settings(context, session))
    if all(prediction.tags == first.tags for prediction in predictions):
        probabilities = np.stack([prediction.probabilities for prediction in predictions])  # (M, K)
        yield from _figure("tags", tag_bars(first.tags, probabilities, titles, title=session.name))
    for title, prediction in zip(titles, predictions, strict=True):
        if len(prediction.windows) > 1:
            figure = timeline(
                prediction.tags,
                prediction.window_probabilities,
                prediction.window_starts_s,
                prediction.duration_s,
                title=f"{session.name}: {title}",
            )
            yield from _figure(f"timeline-{prediction.model}", figure)


def _explanation(asked: ExplanationRequest, context: AppContext, request: Request) -> Iterator[Item]:
    split, k, config = asked.contributions, asked.tag_index, asked.checkpoint.mel_config
    method, baseline = choice(request, "method", METHODS), choice(request, "baseline", BASELINES)
    title = f"{asked.tag} in {context.title(asked.model)}: {asked.session.name}"
    found = saliency(asked.tagger.model, asked.mel, k, method=method, baseline=baseline, mel_config=config)
    yield "explanation.json", _json(explained(asked, found))
    steps = waterfall(
        split.scales, split.relative[0, :, k], float(split.base_value[k]), mean_known=split.mean_known, title=title
    )
    yield from _figure("contributions", steps)
    yield from _figure("spectrogram", mel_figure(asked.mel, config, start_s=asked.start_s, title=asked.session.name))
    strips = saliency_figure(
        asked.mel, found.maps, found.scales, config, start_s=asked.start_s, title=f"{title} ({method})"
    )
    yield from _figure("saliency", strips)
    if request.get("checked"):
        measured = measure(asked, request)
        deletions = {found.order_name: found.deletion for found in measured}
        insertions = {found.order_name: found.insertion for found in measured}
        yield from _figure("check", deletion_insertion(measured[0].fractions, deletions, insertions, title=title))
    for what in ("evidence", "rest", *(f"scale:{scale}" for scale in split.scales)):
        yield f"sounds/{what.replace(':', '-')}.wav", _wav(*heard(asked, what))


def explained(asked: ExplanationRequest, saliency: SaliencyMaps | None = None) -> dict[str, Any]:
    """What `python -m msecnn explain --format json` says of the same question."""
    return explanation_json(
        asked.contributions,
        asked.evidence,
        file=asked.session.name,
        model=asked.model,
        window=asked.prediction.windows[asked.window],
        probability=float(asked.prediction.window_probabilities[asked.window, asked.tag_index]),
        saliency=saliency,
        verdict=verdicts(asked.checkpoint)[saliency.method] if saliency else None,
    )


def _settings(context: AppContext, session: Session) -> dict[str, Any]:
    cards = {name: context.taggers[name].checkpoint.card for name in session.predictions}
    return {
        "schema": SCHEMA,
        "msecnn": __version__,
        "python": platform.python_version(),
        "recording": session.name,
        "example": session.example,
        "models": {name: {key: value for key, value in card.items() if key != "tags"} for name, card in cards.items()},
    }


def _figure(name: str, figure: Any) -> Iterator[Item]:
    for kind, dpi in (("png", 150), ("svg", 100)):  # an SVG's lines have no resolution, the spectrograms in it have
        yield f"figures/{name}.{kind}", image(figure, kind, dpi=dpi)


def _wav(waveform: np.ndarray, sample_rate: int) -> bytes:
    path = new_file("sound.wav")
    try:
        audio.write_wav(path, waveform, sample_rate)
        return path.read_bytes()
    finally:
        path.unlink(missing_ok=True)


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=2).encode()
