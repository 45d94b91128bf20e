"""The evidence made sound: the strongest alone, everything but it, or what one scale looks at."""

from msecnn.ui.server.context import AppContext
from msecnn.ui.server.explanation_request import requested_explanation
from msecnn.ui.server.rpc import Answer, Page, Request
from msecnn.ui.server.served_files import served_wav
from msecnn.ui.server.session import Session


def build(page: Page) -> None:
    page.endpoint("listen", listen, model=True)


def listen(context: AppContext, session: Session | None, request: Request) -> Answer:
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
