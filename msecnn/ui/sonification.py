"""The evidence made sound: the strongest alone, everything but it, or what one scale listens to."""

import numpy as np

from msecnn import audio
from msecnn.errors import MsecnnError
from msecnn.explain.saliency import saliency
from msecnn.explain.sonification import box_mask, render, top_mask
from msecnn.explain.winning_cells import EvidenceEvent
from msecnn.ui.server.context import AppContext
from msecnn.ui.server.explanation_request import ExplanationRequest
from msecnn.ui.server.rpc import Answer, Page, Request
from msecnn.ui.server.served_files import served_wav
from msecnn.ui.server.session import Session, SessionError

#: How many of the strongest events in favour are "the strongest evidence".
N_EVENTS = 12
#: An event over more of the window than this points at nothing; the scale's saliency is heard instead.
WHOLE_WINDOW = 0.8
#: Share of the cells that are heard of a saliency map.
TOP_SHARE = 0.15


def build(page: Page) -> None:
    page.endpoint("listen", listen, model=True)


def listen(context: AppContext, session: Session | None, request: Request) -> Answer:
    """One window, of which only a part is heard: "evidence", "rest" or "scale:NAME"."""
    asked = ExplanationRequest.of(context, session, request)
    what = str(request.get("what"))
    waveform, sample_rate = heard(asked, what)
    name = f"{asked.tag} {what}".replace(":", " ").replace(" ", "-")
    return Answer(
        {
            "sound": served_wav(waveform, sample_rate, name),
            "start_s": asked.start_s,
            "duration_s": len(waveform) / sample_rate,
        }
    )


def heard(asked: ExplanationRequest, what: str) -> tuple[np.ndarray, int]:
    """The window's waveform (T,) weighted by what was asked for, as loud as the window itself; and its sample rate."""
    config = asked.checkpoint.mel_config
    mask = _mask(asked, what)
    window = audio.read_recording(
        asked.session.path, sample_rate=config.sample_rate, start_s=asked.start_s, duration_s=config.window_s
    )
    return render(window.waveform[: config.window_samples], mask, config, equal_loudness=True), config.sample_rate


def _mask(asked: ExplanationRequest, what: str) -> np.ndarray:
    if what == "evidence":
        return _evidence_mask(asked, asked.contributions.scales)
    if what == "rest":
        return 1 - _evidence_mask(asked, asked.contributions.scales)
    scale = what.removeprefix("scale:")
    if scale not in asked.contributions.scales:
        raise SessionError(f"One can listen to the evidence, to the rest or to a scale, not to {what!r}.")
    return _evidence_mask(asked, (scale,))


def _evidence_mask(asked: ExplanationRequest, scales: tuple[str, ...]) -> np.ndarray:
    """(F, L): the strongest events of these scales; where a scale's events are everywhere, its saliency."""
    events = [event for event in asked.evidence.positive if event.scale in scales and not _everywhere(asked, event)]
    config = asked.checkpoint.mel_config
    if events:
        return box_mask(events[:N_EVENTS], config, window_start_s=asked.start_s)
    found = saliency(
        asked.tagger.model, asked.mel, asked.tag_index, method="gradient_x_input", scales=scales, mel_config=config
    )
    mask = top_mask(found.total, TOP_SHARE)
    if not mask.any():
        raise MsecnnError("Nothing in this window speaks for this tag, so there is nothing to listen to.")
    return mask


def _everywhere(asked: ExplanationRequest, event: EvidenceEvent) -> bool:
    return event.end_s - event.start_s > WHOLE_WINDOW * asked.checkpoint.mel_config.window_s
