"""What a worksheet needs of the server: the clip as a small sound file, and which weights and versions answered.

The browser makes the worksheet: its figures are those that the student saw, and neither name nor answers are sent.
"""

import platform
from pathlib import Path

import numpy as np
import torch

from msecnn import __version__, audio
from msecnn.explain.choices import choose_window
from msecnn.ui import gpu_seconds
from msecnn.ui.server.context import AppContext
from msecnn.ui.server.request_fields import whole_number
from msecnn.ui.server.rpc import Answer, Page, Payload, Request
from msecnn.ui.server.served_files import new_file, served
from msecnn.ui.server.session import Session, require_session
from msecnn.ui.what_if import window_what_if

#: A sound of 29 s has 175 kB at this rate: two of them leave room for the figures in a worksheet of 1.5 MB.
CODEC, KBIT_S = "mp3", 48


def build(page: Page) -> None:
    page.endpoint("worksheet", tell, model=True, gpu_s=gpu_seconds.of_export, lane="slow")


def tell(context: AppContext, session: Session | None, request: Request) -> Answer:
    """The window as the networks receive it, the same with the page's edits, and what answered."""
    session = require_session(session)
    window = choose_window(session.shown, whole_number(request, "window"))
    start_s, end_s = session.shown.windows[window]
    config = context.taggers[session.shown.model].checkpoint.mel_config
    heard = audio.read_recording(
        session.path, sample_rate=config.sample_rate, start_s=start_s, duration_s=end_s - start_s
    )
    edited = window_what_if(context, session, request) if request.get("edits") else None
    return Answer(
        {
            "clip": _served(heard.waveform, config.sample_rate, "clip"),
            "edited": _served(edited.edited, edited.sample_rate, "edited") if edited else None,
            "weights": {
                context.title(name): str(context.taggers[name].checkpoint.card.get("sha256", ""))
                for name in session.predictions
            },
            "versions": f"msecnn {__version__}, torch {torch.__version__}, Python {platform.python_version()}",
        }
    )


def _served(waveform: np.ndarray, sample_rate: int, name: str) -> Payload:
    """A sound (T,) as a compressed file for the browser."""
    path = new_file(f"{name}.{CODEC}")
    _write(path, waveform, sample_rate)
    return served(path)


def _write(path: Path, waveform: np.ndarray, sample_rate: int) -> None:
    *_, rates = audio.CODECS[CODEC]
    if sample_rate not in rates:
        taken = min(rates, key=lambda rate: abs(rate - sample_rate))
        waveform, sample_rate = _resampled(waveform, sample_rate, taken), taken
    path.write_bytes(audio.encoded(waveform, sample_rate, codec=CODEC, kbit_s=KBIT_S))


def _resampled(waveform: np.ndarray, sample_rate: int, taken: int) -> np.ndarray:
    recording = audio.read_recording(waveform, source_sample_rate=sample_rate, sample_rate=taken)
    resampled: np.ndarray = recording.waveform
    return resampled
