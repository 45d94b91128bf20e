"""The evidence made sound: the strongest alone, everything but it, or what one scale looks at."""

from msecnn.explain.explanation import Explanation
from msecnn.ui.server.context import AppContext
from msecnn.ui.server.explanation_request import requested_explanation
from msecnn.ui.server.rpc import Answer, Page, Payload, Request
from msecnn.ui.server.served_files import served_wav
from msecnn.ui.server.session import Session

#: What can be heard besides the recording and each scale, with its title.
PARTS = {"evidence": "Strongest evidence only", "rest": "Everything else"}


def build(page: Page) -> None:
    page.endpoint("sonify", sonify, model=True)


def sonify(context: AppContext, session: Session | None, request: Request) -> Answer:
    """One window, of which only the named part is heard; `explain.sonification` has the names."""
    explanation = requested_explanation(context, session, request)
    part, sample_rate = str(request.get("what")), explanation.mel_config.sample_rate
    waveform = explanation.sound(part)
    name = f"{explanation.tag} {part}".replace(":", " ").replace(" ", "-")
    return Answer(
        {
            "sound": served_wav(waveform, sample_rate, name),
            "start_s": explanation.start_s,
            "duration_s": len(waveform) / sample_rate,
        }
    )


def sounds(explanation: Explanation) -> Payload:
    """What can be asked for: the parts by name and title, and the scales where there are several."""
    scales = explanation.contributions.scales
    return {"parts": PARTS, "scales": list(scales) if len(scales) > 1 else []}
