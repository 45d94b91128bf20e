"""Live: what both networks say of the last seconds while the microphone runs, with a rolling spectrogram."""

import base64
import binascii
from collections.abc import Sequence
from typing import Any

import numpy as np

from msecnn.live import LiveAnswer, LiveTags, can_hear
from msecnn.tagger import Tagger
from msecnn.ui.pictures import mel_bytes
from msecnn.ui.server.context import AppContext
from msecnn.ui.server.fair_queue import current_visitor
from msecnn.ui.server.request_fields import text, whole_number
from msecnn.ui.server.rpc import Answer, Page, Payload, Request
from msecnn.ui.server.session import Session, SessionError
from msecnn.ui.server.zero_gpu import lends_gpu

#: Pieces of sound a second, and the longest piece that is taken, samples: two seconds at the highest usual rate.
PIECES_A_SECOND, LONGEST_PIECE = 4, 2 * 192_000
#: Longest name of a stream, characters.
LONGEST_NAME = 64


def build(page: Page) -> None:
    page.mount_point("live")
    page.endpoint("live", hear, lane="model")
    page.endpoint("live-end", end)


def offered(context: AppContext) -> Payload:
    """What the browser must know to begin: nothing of it is there where live tags are not."""
    taggers = listeners(context)
    if not taggers or lends_gpu():
        return {"models": []}
    front_end = next(iter(taggers.values())).checkpoint.mel_config
    models = [
        {"name": name, "title": context.title(name), "tags": list(tagger.checkpoint.tags)}
        for name, tagger in taggers.items()
    ]
    return {
        "models": models,
        "pieces_a_second": PIECES_A_SECOND,
        "frames": front_end.n_frames,
        "bands": front_end.n_mels,
        "window_s": front_end.window_s,
    }


def listeners(context: AppContext) -> dict[str, Tagger]:
    """The first two networks that can listen together."""
    first = next((tagger for tagger in context.taggers.values() if can_hear(tagger, tagger)), None)
    alike = {name: tagger for name, tagger in context.taggers.items() if first and can_hear(tagger, first)}
    return dict(list(alike.items())[:2])


def hear(context: AppContext, session: Session | None, request: Request) -> Answer:
    """Takes a piece of sound, and says what the networks make of the last seconds."""
    if lends_gpu():
        raise SessionError("Live tags need a server of their own: this one lends its networks for seconds only.")
    name, rate = text(request.get("stream"), "stream")[:LONGEST_NAME], whole_number(request, "sample_rate")
    serial, samples = whole_number(request, "serial"), decoded(text(request.get("samples"), "samples"))
    taggers = listeners(context)
    stream = context.visitors.live.stream(current_visitor(), name, rate, list(taggers.values()))
    return Answer(_told(stream.hear(samples, serial), list(taggers)))


def end(context: AppContext, session: Session | None, request: Request) -> Answer:
    """The visitor has stopped the microphone."""
    context.visitors.live.end(current_visitor())
    return Answer({})


def decoded(samples: str) -> np.ndarray:
    """16-bit samples in base64, lowest byte first, as floats (T,) with full scale 1."""
    if len(samples) > 4 * LONGEST_PIECE:
        raise SessionError(f"A piece of sound has at most {LONGEST_PIECE:,} samples.")
    try:
        content = base64.b64decode(samples, validate=True)
    except (binascii.Error, ValueError):
        raise SessionError("A piece of sound is 16-bit samples in base64.") from None
    if len(content) % 2 or len(content) > 2 * LONGEST_PIECE:
        raise SessionError(f"A piece of sound is at most {LONGEST_PIECE:,} samples of 16 bits.")
    floats: np.ndarray = np.frombuffer(content, "<i2").astype(np.float32) / 32_768
    return floats


def _told(answer: LiveAnswer, names: Sequence[str]) -> Payload:
    return {
        "heard_s": round(answer.heard_s, 3),
        "tagged_s": round(answer.tagged_s, 3),
        "columns": base64.b64encode(mel_bytes(answer.mel).tobytes()).decode("ascii"),
        "models": [_model(tags, name) for tags, name in zip(answer.models, names, strict=True)],
    }


def _model(tags: LiveTags, name: str) -> dict[str, Any]:
    return {
        "name": name,
        "probabilities": np.round(tags.probabilities, 4).tolist(),
        "leading": tags.tags[tags.leading],
        "scales": list(tags.scales),
        "relative": np.round(tags.relative, 4).tolist(),
    }
