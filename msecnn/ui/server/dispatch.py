"""From a request to its answers: it waits for its turn, runs in a thread, and what it made is remembered."""

import inspect
import itertools
import logging
from collections.abc import AsyncGenerator, Callable, Hashable, Iterator
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import anyio.to_thread

from msecnn.errors import MsecnnError
from msecnn.ui.server.context import AppContext
from msecnn.ui.server.fair_queue import BusyError, Turn, Visitor, in_turn
from msecnn.ui.server.session import Session
from msecnn.ui.server.visitors import Lane, Visitors

log = logging.getLogger(__name__)

OUR_FAULT = "Something broke on our side; it has been noted in the server's log. Your recording is still open."
#: Seconds between two looks at a visitor's place.
PLACE_INTERVAL_S = 0.5
#: Threads that requests run in, more than all lanes let run at once.
THREADS = 16
#: Longest name that a browser gives its request, characters.
LONGEST_ID = 64

Request = dict[str, Any]
Payload = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """What a handler says: the payload for the browser and, if it opened something, what the server remembers."""

    payload: Payload
    session: Session | None = None


#: A handler answers at once, or yields answers of which all but the last tell of progress.
Handler = Callable[[AppContext, Session | None, Request], Answer | Iterator[Answer]]
BoundHandler = Callable[[Session | None, Request], Answer | Iterator[Answer]]

_limiter = anyio.CapacityLimiter(THREADS)
_serial = itertools.count()


@dataclass(frozen=True)
class Endpoint:
    """One kind of request.

    Attributes:
        lane: the queue for each request.
        slot: which of the visitor's recordings is read and replaced.
        same: keys of the request that decide which files are made; None where each answer makes its own.
        latest: of each session the question that a later one supersedes.
    """

    name: str
    handler: BoundHandler
    visitors: Visitors
    lane: Callable[[Request], Lane]
    slot: str
    same: tuple[str, ...] | None = None
    latest: dict[str, Turn] = field(default_factory=dict, compare=False)

    def question(self, request: Request) -> Hashable:
        """What two requests have in common whose answers are the same files."""
        if self.same is None:
            return self.name, next(_serial)
        return self.name, *(repr(request.get(key)) for key in self.same)

    async def answers(self, visitor: Visitor, request: object) -> AsyncGenerator[Payload, None]:
        """The payloads for the browser, each with the request's id; errors are payloads, too."""
        asked: Request = request if isinstance(request, dict) else {}
        name = str(asked.get("id", ""))[:LONGEST_ID]
        named = {"request": name}
        self.visitors.in_hand.add(name)
        try:
            async with aclosing(self._in_turn(visitor, asked)) as payloads:
                async for payload in payloads:
                    yield payload | named
        except Exception as error:
            yield self._failure(error) | named
        finally:
            self.visitors.in_hand.discard(name)

    def _failure(self, error: Exception) -> Payload:
        """A domain error becomes its sentence, anything else is logged as our bug."""
        if isinstance(error, BusyError):
            return {"error": str(error), "busy": error.place}
        if isinstance(error, MsecnnError):
            return {"error": str(error)}
        log.error("a request to %r failed", self.name, exc_info=error)
        return {"error": OUR_FAULT}

    async def _in_turn(self, visitor: Visitor, request: Request) -> AsyncGenerator[Payload, None]:
        turn, told = self._join(visitor, request), 0
        try:
            while not await turn.comes(PLACE_INTERVAL_S):
                if turn.place != told:
                    told = turn.place
                    yield {"progress": 0.0, "place": told}
            if told:
                yield {"progress": 0.0}
            session, question = self.visitors.sessions.get(visitor, self.slot), self.question(request)
            if session is not None and (made := session.made.find(question)) is not None:
                yield made
                return
            remember = partial(self._remember, visitor, session, question)
            async with aclosing(run_in_thread(self.handler, turn, remember, session, request)) as answers:
                async for answer in answers:
                    if not turn.superseded:
                        yield answer.payload
        except Exception:
            if not turn.superseded:
                raise
        finally:
            turn.release()
            if self.latest.get(visitor.session) is turn:
                del self.latest[visitor.session]

    def _join(self, visitor: Visitor, request: Request) -> Turn:
        """A place in the queue; one that says it is the `latest` takes that of the session's question before."""
        alone = request.get("latest") is True
        if alone and (before := self.latest.pop(visitor.session, None)) is not None:
            before.supersede()
        turn = self.visitors.lanes[self.lane(request)].join(visitor)
        if alone:
            self.latest[visitor.session] = turn
        return turn

    def _remember(
        self, visitor: Visitor, session: Session | None, question: Hashable, answer: Answer | None
    ) -> Answer | None:
        if answer is not None and answer.session is not None:
            self.visitors.sessions.put(visitor, self.slot, answer.session)
        elif answer is not None and session is not None:
            self.visitors.sessions.add_made(visitor, self.slot, session.path, question, answer.payload)
        return answer


async def run_in_thread(
    handler: BoundHandler, turn: Turn, remember: Callable[[Answer | None], Answer | None], *args: Any
) -> AsyncGenerator[Answer, None]:
    """A handler's answers, as long as the visitor is there to get them.

    They are remembered in the thread: nobody waits here any longer for what was made for a visitor who has left.
    """
    if not inspect.isgeneratorfunction(handler):
        yield await to_thread(turn, lambda: remember(handler(*args)))  # type: ignore[arg-type]
        return
    steps: Any = handler(*args)
    try:
        while not turn.left.is_set():
            if (answer := await to_thread(turn, lambda: remember(next(steps, None)))) is None:
                return
            yield answer
    finally:
        if not steps.gi_running:  # else its thread holds it last, and lets it go at the end of the step
            steps.close()


async def to_thread(turn: Turn, function: Callable[..., Any], *args: Any) -> Any:
    """Runs a function in a thread, where `fair_queue.absence` tells of the turn's visitor."""
    return await anyio.to_thread.run_sync(in_turn, turn, function, *args, limiter=_limiter)
