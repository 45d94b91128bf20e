"""Examples that were opened before: by the first two models their answer is the same for everybody, so it is kept."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace

from msecnn.ui.gpu_seconds import SLOW_S
from msecnn.ui.server.context import AppContext
from msecnn.ui.server.made_files import MadeFiles
from msecnn.ui.server.rpc import Answer, Request
from msecnn.ui.server.served_files import served
from msecnn.ui.server.session import Session
from msecnn.ui.server.visitors import Lane
from msecnn.ui.server.zero_gpu import bind_on_gpu


class KeptExamples:
    """Opens recordings by `open_recording`, and answers an example that is kept without running a network.

    Args:
        open_recording: runs where a network may run, so what is kept asks for no GPU and waits for nobody's.
    """

    def __init__(
        self, context: AppContext, open_recording: Callable[[AppContext, Session | None, Request], Answer]
    ) -> None:
        self._context, self._open = context, bind_on_gpu(open_recording, context, duration_s=SLOW_S)
        self._kept: dict[str, Answer] = {}

    def lane(self, request: Request) -> Lane:
        return "light" if self._example(request) in self._kept else "model"

    def open(self, context: AppContext, session: Session | None, request: Request) -> Answer:
        """A handler, to be mounted without `model=True`."""
        example = self._example(request)
        answer = self._kept.get(example or "") or self._open(session, request)
        if example is None:
            return answer
        self._kept[example] = answer
        return _renewed(answer)

    def _example(self, request: Request) -> str | None:
        """The example that is asked for by the first two models; None for everything else."""
        example, models = request.get("example"), request.get("models") or []
        if not isinstance(example, str) or example not in self._context.examples:
            return None
        return example if models in ([], list(self._context.taggers)[:2]) else None


def _renewed(answer: Answer) -> Answer:
    """For one more visitor: files made of it are each visitor's own, and Gradio writes addresses into what it sends."""
    assert answer.session is not None
    payload, session = deepcopy(answer.payload), replace(answer.session, made=MadeFiles())
    payload["recording"]["audio"] = served(session.path)  # the copy made before may have been cleared away
    return Answer(payload, session)
