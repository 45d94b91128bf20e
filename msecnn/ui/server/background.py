"""Slow questions: they tell how far they are, and stop when the visitor has seen enough."""

import secrets
import threading
import time
from collections.abc import Callable, Iterator
from queue import SimpleQueue
from typing import Generic, TypeVar

from msecnn.ui.server.context import AppContext
from msecnn.ui.server.fair_queue import absence
from msecnn.ui.server.request_fields import text
from msecnn.ui.server.rpc import Answer, Request
from msecnn.ui.server.session import Session
from msecnn.ui.server.stopped import StoppedTokens

Result = TypeVar("Result")
Progress = Callable[[float], None]

#: How often progress goes to the browser, seconds.
INTERVAL_S = 0.2

_at_work: set[str] = set()  # tokens of the tasks of this process
_stopped = StoppedTokens()


class BackgroundTask(Generic[Result]):
    """Runs `work(progress, cancelled)` in a thread of its own.

    Iterating yields the share that is done, now and then; afterwards `result` is there, or the error is raised.

    Args:
        token: chosen by the browser and known to nobody else; `stop` with it ends the job.
    """

    def __init__(self, token: str, work: Callable[[Progress, Callable[[], bool]], Result]) -> None:
        self.token, self._work = token, work
        self._reports: SimpleQueue[float | None] = SimpleQueue()  # None: the work is over
        self._stopped, self._visitor_left = threading.Event(), absence()
        self._error: BaseException | None = None
        self.result: Result

    def __iter__(self) -> Iterator[float]:
        _at_work.add(self.token)
        threading.Thread(target=self._run, daemon=True).start()
        try:
            while (part := self._reports.get()) is not None:
                yield part
        finally:
            self._stopped.set()  # also when the visitor has left and nobody iterates any longer
            _at_work.discard(self.token)
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        reported = time.monotonic()

        def report(part: float) -> None:
            nonlocal reported
            if time.monotonic() - reported >= INTERVAL_S:
                reported = time.monotonic()
                self._reports.put(part)

        try:
            self.result = self._work(report, self._is_cancelled)
        except BaseException as error:
            self._error = error
        finally:
            self._reports.put(None)

    def _is_cancelled(self) -> bool:
        return self._stopped.is_set() or self.token in _stopped or self._visitor_left()


def token_of(request: Request) -> str:
    """The browser's word for a slow question; whoever gives none cannot stop it, and nobody stops it for him."""
    token = request.get("token")
    return secrets.token_hex() if token is None else text(token, "token")


def stop(context: AppContext, session: Session | None, request: Request) -> Answer:
    """Ends the task whose token the browser names, whichever process runs it; also one that has yet to begin.

    The answer tells whether this process runs it: on ZeroGPU another one does.
    """
    token = text(request.get("token"), "token")
    at_work = token in _at_work
    _stopped.add(token)
    return Answer({"stopped": at_work})
