"""What a visitor asks to be explained: the words of a request, checked and handed to `explain`."""

from typing import Any

from msecnn.explain import DEFAULT_BASELINE, DEFAULT_METHOD
from msecnn.explain.explanation import Explanation, explain
from msecnn.ui.server.context import AppContext
from msecnn.ui.server.session import Session, SessionError, require_session


def requested_explanation(context: AppContext, session: Session | None, request: dict[str, Any]) -> Explanation:
    """One tag of one model in one window of the open recording.

    Args:
        request: "model", "tag", "window", and "method" and "baseline" where they are not the default ones.

    Raises:
        SessionError: nothing is open, the model has not tagged it, or the window is no number.
        ExplanationError: there is no such tag, window, method or baseline, or the model has no scales.
    """
    session = require_session(session)
    model, window = str(request.get("model")), request.get("window")
    prediction = session.prediction(model)
    if type(window) is not int:
        raise SessionError("Name a window by its number.")
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


def named_switches(request: dict[str, Any], key: str, names: tuple[str, ...]) -> tuple[str, ...]:
    """Those of some names that a request lists under a key; whatever else it lists is left out."""
    listed = request.get(key)
    return tuple(name for name in names if isinstance(listed, list) and name in listed)
