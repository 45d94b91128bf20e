"""Take it with you: everything the page shows of a recording, in one zip."""

import io
import platform
import zipfile
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from msecnn import __version__
from msecnn.explain.faithfulness import compare_orders
from msecnn.files import printable
from msecnn.library.tables import write_csv
from msecnn.plots.explanation_files import (
    NamedFile,
    explanation_files,
    figure_files,
    json_bytes,
    n_explanation_files,
)
from msecnn.plots.tags import tag_bars, timeline
from msecnn.plots.what_if_files import what_if_files
from msecnn.tagger import answer_json
from msecnn.ui import faithfulness_check, gpu_seconds
from msecnn.ui.server.context import AppContext
from msecnn.ui.server.explanation_request import requested_explanation, requested_whole
from msecnn.ui.server.request_fields import text
from msecnn.ui.server.rpc import Answer, Page, Request
from msecnn.ui.server.served_files import new_file, served
from msecnn.ui.server.session import Session, require_session
from msecnn.ui.what_if import deadline, server_curve, window_what_if

#: Of the files in the zip; `settings.json` tells it.
SCHEMA = 1


def build(page: Page) -> None:
    page.endpoint("export", export, model=True, gpu_s=gpu_seconds.of_export, lane="slow")


def export(context: AppContext, session: Session | None, request: Request) -> Iterator[Answer]:
    """Tags, the explanation of the tag that is asked about, and what the edits changed: what there is of them."""
    session = require_session(session)
    files = list(_tags(context, session))
    yield Answer({"progress": 0.2})
    if request.get("tag") and requested_whole(context, session, request) is None:
        explanation = requested_explanation(context, session, request)
        n_steps = faithfulness_check.N_STEPS
        curves = compare_orders(explanation, n_steps=n_steps) if request.get("checked") else []
        n_files = n_explanation_files(explanation, curves=bool(curves))
        for number, file in enumerate(explanation_files(explanation, curves=curves), start=1):
            files.append(file)
            yield Answer({"progress": 0.2 + 0.8 * number / n_files})
    for file in _edits(context, session, request):
        files.append(file)
        yield Answer({"progress": 1.0})
    files.append(("README.txt", _read_me(session, [name for name, _ in files])))
    path = new_file("msecnn.zip")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files:
            archive.writestr(name, content)
    yield Answer({"file": served(path), "names": [name for name, _ in files]})


def _tags(context: AppContext, session: Session) -> Iterator[NamedFile]:
    predictions = list(session.predictions.values())
    first, titles = predictions[0], [context.title(name) for name in session.predictions]
    answer = answer_json(session.name, predictions)
    yield "tags.json", json_bytes([answer])
    rows = io.StringIO()
    write_csv([answer], list(dict.fromkeys(tag for prediction in predictions for tag in prediction.tags)), rows)
    yield "tags.csv", rows.getvalue().encode()
    yield "settings.json", json_bytes(_settings(context, session))
    if all(prediction.tags == first.tags for prediction in predictions):
        probabilities = np.stack([prediction.probabilities for prediction in predictions])  # (M, K)
        yield from figure_files("tags", tag_bars(first.tags, probabilities, titles, title=session.name))
    for title, prediction in zip(titles, predictions, strict=True):
        if len(prediction.windows) > 1:
            figure = timeline(
                prediction.tags,
                prediction.window_probabilities,
                prediction.window_starts_s,
                prediction.duration_s,
                title=f"{session.name}: {title}",
            )
            yield from figure_files(f"timeline-{prediction.model}", figure)


def _edits(context: AppContext, session: Session, request: Request) -> Iterator[NamedFile]:
    """What the page's edits of the window changed, with the curve that it shows; nothing where there are none."""
    if not request.get("edits") and not request.get("curve"):
        return
    answer, shown = window_what_if(context, session, request), text(request.get("curve") or "", "curve")
    curves = [answer.response(*server_curve(shown), check=deadline(context))] if shown else []
    told = answer.to_json(evidence=False) | {"curves": [curve.to_json() for curve in curves]}
    yield from ((f"what-if/{name}", content) for name, content in what_if_files(answer, told, curves))


#: What each file, or each of a folder's, is; by the beginning of its name.
CONTENTS = {
    "tags.json": "the tags of each model, of the whole recording and of each window",
    "tags.csv": "the same of the whole recording, for a spreadsheet",
    "settings.json": "the recording, the models with their weights' checksums, versions",
    "explanation.json": "why the tag was given: exact contributions, evidence, winning cells",
    "report.html": "the explanation to look at and to listen to; open it in a browser, no internet is needed",
    "saliency.npz": "the maps and the spectrogram as NumPy arrays, with their axes",
    "figures/": "the figures, as PNG and SVG",
    "sounds/": "the window, the evidence and each scale's part of it, as WAV",
    "what-if/": "what the edits changed, with both sounds and the response curve",
}


def _read_me(session: Session, names: Sequence[str]) -> bytes:
    """What is in the zip, in words."""
    rows = [f"{start}: {what}." for start, what in CONTENTS.items() if any(name.startswith(start) for name in names)]
    return "\r\n".join([f"What the MsE-CNN page showed of {printable(session.name)}.", "", *rows, ""]).encode()


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
