"""The one way in: a recording that was uploaded, recorded or chosen among the examples is opened and tagged."""

import contextlib
import functools
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from msecnn import audio
from msecnn.audio.source import LONGEST_NAME
from msecnn.explain.whole_network import PLAIN_METHODS
from msecnn.explain.winning_cells import receptive_ends
from msecnn.files import printable
from msecnn.frontend import LogMelSpectrogram, MelConfig
from msecnn.models.layers import INPUT, MultiScaleCNN
from msecnn.tagger import Tagger, TagPrediction, tag
from msecnn.tags import families
from msecnn.ui.kept_examples import KeptExamples
from msecnn.ui.pictures import HIGH_DB, LOW_DB, mel_picture
from msecnn.ui.server.context import AppContext
from msecnn.ui.server.controls import button, dropdown, row
from msecnn.ui.server.fair_queue import absence
from msecnn.ui.server.http_guard import uploaded_file
from msecnn.ui.server.request_fields import names, shown, whole_number
from msecnn.ui.server.rpc import Answer, Page, Payload, Request
from msecnn.ui.server.served_files import served, served_wav
from msecnn.ui.server.session import Session, SessionError, require_session, window_mel
from msecnn.ui.tabs.tags import calibration_bins

#: Columns of the overview picture of a long recording.
OVERVIEW_COLUMNS = 1200


def build(page: Page) -> None:
    page.mount_point("upload")
    _build_opened(page)
    examples = KeptExamples(page.context, open_recording)
    page.endpoint("open", examples.open, lane=examples.lane)
    page.endpoint("window", show_window)
    page.endpoint("example-pictures", show_examples)
    page.endpoint("sound", give_sound, lane="slow", same=())


def _build_opened(page: Page) -> None:
    """What is open: its name, the two models where there are others, what can be done with it; and the answer."""
    choices = [(model["title"], model["name"]) for model in models(page.context)]
    with row(elem_id="opened"):
        page.mount_point("recording")
        for number in range(min(2, len(choices))):
            value, several = choices[number][1], len(choices) > 2
            page.control(f"model-{number}", dropdown(f"Model {number + 1}", choices, value=value, visible=several))
        page.control("export", button("Download results (zip)"), "click")
    page.mount_point("opened-answer")


def open_recording(context: AppContext, session: Session | None, request: Request) -> Answer:
    """Opens a recording, or the open one again with other models, and tags it."""
    path, name, example = _source(context, session, request)
    session, info = open_file(context, path, name, names(request, "models"), example=example)
    return Answer(_opening(context, session, info), session)


def open_file(
    context: AppContext, path: Path, name: str, models: Sequence[str], *, example: str | None = None
) -> tuple[Session, audio.AudioInfo]:
    """Tags a file with at most two of the models, the first two if none of those named is there.

    Raises:
        AudioError: it is no recording.
        SessionError: it is longer than this page takes.
    """
    chosen = [model for model in dict.fromkeys(models) if model in context.taggers][:2] or list(context.taggers)[:2]
    with named_as(path, name):
        return _open_file(context, path, name, chosen, example)


def _open_file(
    context: AppContext, path: Path, name: str, chosen: Sequence[str], example: str | None
) -> tuple[Session, audio.AudioInfo]:
    info = audio.probe(path)
    check_length(info.duration_s, context.max_s)
    # A header may know no length, or lie: never more is decoded than a moment beyond the limit.
    heard = [*chosen, *_companion(context, chosen)]
    taggers = [context.taggers[model] for model in heard]
    predictions = tag(path, taggers, duration_s=context.max_s + 1, progress=patience(context.patience_s))
    check_length(predictions[0].duration_s, context.max_s)
    named = {model: replace(said, model=model) for model, said in zip(heard, predictions, strict=True)}
    shown = _shown(context, [prediction for prediction in named.values() if prediction.mel is not None])
    said = {model: named[model] for model in chosen}
    return Session(path=path, name=name, example=example, predictions=said, shown=shown), info


def _shown(context: AppContext, with_mel: Sequence[TagPrediction]) -> TagPrediction:
    """Whose spectrogram and windows the player shows: of a network with scales, else of the longest window."""

    def rank(prediction: TagPrediction) -> tuple[bool, float]:
        tagger = context.taggers[prediction.model]
        return bool(tagger.model.scales), tagger.input_spec.window_s

    return max(with_mel, key=rank)


@contextlib.contextmanager
def named_as(path: Path, name: str) -> Iterator[None]:
    """Puts the name that the visitor gave the file into the sentences about it: on the disk it has another."""
    try:
        yield
    except audio.AudioError as error:
        raise audio.AudioError(
            str(error).replace(f"“{printable(path.name, longest=LONGEST_NAME)}”", f"“{name}”")
        ) from error


def patience(patience_s: float) -> Callable[[float, float | None], None]:
    """For `tag` to call now and then: ends a recording that keeps a core busy beyond all measure."""
    deadline, has_left = time.monotonic() + patience_s, absence()

    def check(heard_s: float, duration_s: float | None) -> None:
        if has_left():
            raise SessionError("The visitor has left.")
        if time.monotonic() > deadline:
            raise SessionError(f"This recording takes more than {patience_s:g} s to decode and tag: open a part of it.")

    return check


def _companion(context: AppContext, chosen: Sequence[str]) -> tuple[str, ...]:
    """A model that hears a spectrogram, for the player to show, where none of the chosen ones does."""
    listeners = [name for name, tagger in context.taggers.items() if tagger.input_spec.front_end is not None]
    return () if set(listeners) & set(chosen) else tuple(listeners[:1])


def show_window(context: AppContext, session: Session | None, request: Request) -> Answer:
    """The picture of another window of the open recording."""
    session = require_session(session)
    window = whole_number(request, "window")
    return Answer({"window": window, "picture": mel_picture(window_mel(session.shown, window))})


def show_examples(context: AppContext, session: Session | None, request: Request) -> Answer:
    """The bundled examples' spectrograms, small."""
    return Answer({"pictures": {example.id: _thumbnail(example.path) for example in context.examples.values()}})


def give_sound(context: AppContext, session: Session | None, request: Request) -> Answer:
    """The open recording as the networks hear it, for a browser that cannot play the file itself."""
    session = require_session(session)
    recording = audio.read_recording(session.path)
    return Answer({"sound": served_wav(recording.waveform, recording.sample_rate, "recording")})


@functools.cache
def _thumbnail(path: Path) -> str:
    """An example's mel, every sixth frame."""
    config = MelConfig()
    waveform = audio.read_recording(path, sample_rate=config.sample_rate, duration_s=config.window_s).waveform
    with torch.no_grad():
        mel = LogMelSpectrogram(config)(torch.from_numpy(waveform)[None])[0, 0].numpy()
    return mel_picture(mel[:, ::6])


def _source(context: AppContext, session: Session | None, request: Request) -> tuple[Path, str, str | None]:
    if (example := request.get("example")) is not None:
        if not isinstance(example, str) or example not in context.examples:
            raise SessionError(f"There is no example called {shown(example)}.")
        return context.examples[example].path, context.examples[example].title, example
    if (path := request.get("path")) is not None:
        # The path comes from the browser: only what was uploaded may be read.
        if not isinstance(path, str) or (file := uploaded_file(path)) is None:
            raise SessionError("Only a file that was uploaded here can be opened, and only for an hour.")
        return file, printable(str(request.get("name") or file.name), longest=LONGEST_NAME), None
    session = require_session(session)
    return session.path, session.name, session.example


def check_length(duration_s: float | None, max_s: float) -> None:
    if duration_s is not None and duration_s > max_s:
        limit = f"{max_s / 60:g} minute{'' if max_s == 60 else 's'}"
        raise SessionError(f"This recording lasts {duration_s / 60:.1f} minutes; this page takes up to {limit}.")


def _opening(context: AppContext, session: Session, info: audio.AudioInfo) -> Payload:
    first = session.shown
    config = context.taggers[first.model].checkpoint.mel_config
    example = context.examples[session.example] if session.example else None
    return {
        "recording": {
            "name": session.name,
            "example": session.example,
            "credit": f"{example.artist} · {example.licence}" if example else "",
            "duration_s": first.duration_s,
            "sample_rate": info.sample_rate,
            "channels": info.channels,
            "codec": info.codec.removesuffix("float"),  # FFmpeg's name for how it decodes MP3 is no format
            "notes": (notes := list(dict.fromkeys(note for one in session.predictions.values() for note in one.notes))),
            "silent": audio.SILENT in notes,
            "audio": served(session.path) if example else None,
        },
        "mel": {
            "low_db": LOW_DB,
            "high_db": HIGH_DB,
            "hop_s": config.hop_length / config.sample_rate,
            "n_frames": config.n_frames,
            "window_s": config.window_s,
            "bands_hz": np.round(config.band_edges_hz(), 1).tolist(),
            "crop_s": _receptive_ends_s(context.taggers[first.model]).get(INPUT),
        },
        "windows": _rounded(first.windows),
        "window": 0,
        "picture": mel_picture(window_mel(first, 0)),
        "overview": mel_picture(_overview(first)) if len(first.windows) > 1 else None,
        "families": {name: list(members) for name, members in families(first.tags).items()},
        "models": [_model(context, name, prediction) for name, prediction in session.predictions.items()],
    }


def _model(context: AppContext, name: str, prediction: TagPrediction) -> Payload:
    checkpoint = context.taggers[name].checkpoint
    return {
        "name": name,
        "title": context.title(name),
        "tags": list(prediction.tags),
        "probabilities": np.round(prediction.probabilities, 6).tolist(),
        "windows": _rounded(prediction.windows),
        "timeline": np.round(prediction.window_probabilities, 6).tolist(),
        "receptive_ends_s": _receptive_ends_s(context.taggers[name]),
        "untrained": prediction.untrained,
        "methods": [] if context.taggers[name].model.scales else list(PLAIN_METHODS),
        "calibrated": bool(calibration_bins(checkpoint.card)),
    }


def _receptive_ends_s(tagger: Tagger) -> dict[str, float]:
    """Where in a window each scale of a network stops to see anything, seconds; nothing of a network without scales."""
    if not isinstance(tagger.model, MultiScaleCNN):
        return {}
    config = tagger.checkpoint.mel_config
    frame_s = config.hop_length / config.sample_rate
    return {scale: round(frame * frame_s, 3) for scale, frame in receptive_ends(tagger.model).items()}


def window_s(context: AppContext) -> float:
    """How much sound fills a network's window, seconds: of the first network, before any recording is open."""
    return float(next(iter(context.taggers.values())).checkpoint.mel_config.window_s)


def _rounded(windows: list[list[float]]) -> list[list[float]]:
    return [[round(value, 3) for value in window] for window in windows]


def _overview(prediction: TagPrediction) -> np.ndarray:
    """The whole recording's mel, at most `OVERVIEW_COLUMNS` wide: a column is the loudest of its frames."""
    assert prediction.mel is not None
    n_frames, frame_s = prediction.mel.shape[-1], prediction.window_s / (prediction.mel.shape[-1] - 1)
    total = round(prediction.duration_s / frame_s) + 1
    whole = np.full((prediction.mel.shape[1], max(total, n_frames)), LOW_DB, np.float32)
    for start_s, mel in zip(prediction.window_starts_s, prediction.mel, strict=True):
        start = min(round(float(start_s) / frame_s), whole.shape[1] - n_frames)
        whole[:, start : start + n_frames] = mel
    edges = np.linspace(0, whole.shape[1], min(OVERVIEW_COLUMNS, whole.shape[1]) + 1).astype(int)[:-1]
    return np.maximum.reduceat(whole, edges, axis=1)


def models(context: AppContext) -> list[dict[str, Any]]:
    """What the page may offer before anything is open."""
    return [{"name": name, "title": context.title(name)} for name in context.taggers]
