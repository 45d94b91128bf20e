"""What a visitor asks to be explained: the words of a request, checked and handed to `explain`."""

from typing import Any

from msecnn.explain import DEFAULT_BASELINE, DEFAULT_METHOD
from msecnn.explain.choices import choose_window
from msecnn.explain.explanation import Explanation, explain
from msecnn.explain.whole_network import Grid, WholeNetwork
from msecnn.ui.server.context import AppContext
from msecnn.ui.server.request_fields import whole_number
from msecnn.ui.server.session import Session, require_session


def requested_explanation(context: AppContext, session: Session | None, request: dict[str, Any]) -> Explanation:
    """One tag of one model in one window of the open recording.

    Args:
        request: "model", "tag", "window", and "method" and "baseline" where they are not the default ones.

    Raises:
        SessionError: nothing is open, the model has not tagged it, or the window is no number.
        ExplanationError: there is no such tag, window, method or baseline, or the model has no scales.
    """
    session = require_session(session)
    model = str(request.get("model"))
    prediction = session.prediction(model)
    window = choose_window(session.shown, whole_number(request, "window"))
    if prediction is not session.shown:  # it may have other windows than the player shows: the one at that place
        window = int(abs(prediction.window_starts_s - session.shown.window_starts_s[window]).argmin())
    return explain(
        context.taggers[model],
        prediction,
        str(request.get("tag")),
        window,
        method=str(request.get("method", DEFAULT_METHOD)),
        baseline=str(request.get("baseline", DEFAULT_BASELINE)),
        recording=session.path,
        name=session.name,
    )


def requested_whole(context: AppContext, session: Session | None, request: dict[str, Any]) -> WholeNetwork | None:
    """The same of a model without scales, in the window that the player shows; None of one with scales.

    Raises:
        SessionError: nothing is open, or the model has not tagged it.
        ExplanationError: there is no such tag or window, or the model takes waveforms.
    """
    session = require_session(session)
    prediction = session.prediction(str(request.get("model")))
    tagger = context.taggers[prediction.model]
    if tagger.model.scales:
        return None
    window = choose_window(session.shown, whole_number(request, "window"))
    grid = Grid(context.taggers[session.shown.model].checkpoint.mel_config, session.shown.window_starts_s[window])
    return WholeNetwork.of(tagger, prediction, str(request.get("tag")), grid)
