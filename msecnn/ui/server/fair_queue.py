"""Whose turn it is: who has had least of the time comes first, and nobody can take all the places.

Start-time fair queueing (Goyal, Vin and Cheng, SIGCOMM 1996), once between addresses and once between the sessions of
an address: a visitor who multiplies his sessions gains nothing over those who come from elsewhere.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from msecnn.errors import MsecnnError

#: What a turn is charged when it begins, seconds; the rest when it ends. Several may run at once.
ADVANCE_S = 0.05
#: A question's answer is waited for from the start, or so many seconds later at the latest.
ABANDONED_S = 3.0
#: Places are counted anew no more often than this, seconds: with hundreds waiting, that is work too.
COUNT_INTERVAL_S = 0.5


class BusyError(MsecnnError):
    """A question that cannot even wait.

    Attributes:
        place: how many wait already.
    """

    def __init__(self, sentence: str, place: int) -> None:
        super().__init__(sentence)
        self.place = place


@dataclass(frozen=True)
class Visitor:
    """Who asks: a session, which its browser or program has named, and the network address that it comes from."""

    address: str
    session: str


@dataclass(eq=False)
class Turn:
    """A question in the queue; `release` it in the end, however it ends.

    Attributes:
        left: set when the visitor has left: whatever is still done is done for nobody.
        superseded: whether the visitor has asked anew, and wants this answer no longer.
    """

    visitor: Visitor
    queue: "FairQueue"
    joined: float = field(default_factory=time.monotonic)
    left: threading.Event = field(default_factory=threading.Event)
    superseded: bool = False
    begun: float | None = None
    refused: BusyError | None = None
    called: asyncio.Event = field(default_factory=asyncio.Event)

    async def comes(self, timeout_s: float | None = None) -> bool:
        """Waits for the turn; False where it has not come in time. Raises BusyError where it never will."""
        try:
            await asyncio.wait_for(self.called.wait(), timeout_s)
        except TimeoutError:
            return False
        if self.refused is not None:
            raise self.refused
        return True

    @property
    def place(self) -> int:
        """From 1, the next."""
        return self.queue.place(self)

    def release(self) -> None:
        self.queue.release(self)

    def supersede(self) -> None:
        """Gives the question up for a later one: what waits goes, what runs is told."""
        self.superseded = True
        self.queue.drop(self, BusyError("A later question took its place.", 0))


_current: ContextVar[Turn | None] = ContextVar("turn", default=None)


def in_turn(turn: Turn, function: Callable[..., Any], *args: Any) -> Any:
    """Calls a function that can ask for `absence`, in a thread with a context of its own."""
    _current.set(turn)
    return function(*args)


def absence() -> Callable[[], bool]:
    """Tells, in any thread, whether the visitor has left for whom this is called; outside of a turn nobody leaves."""
    turn = _current.get()
    return turn.left.is_set if turn is not None else lambda: False


def current_visitor() -> str:
    """The session for whose question this is called; outside of a turn a name that nobody has."""
    turn = _current.get()
    return turn.visitor.session if turn is not None else ""


class _Shares:
    """Seconds that each of several has had; one who comes, or comes back, begins with what the last one began with."""

    def __init__(self) -> None:
        self._had: dict[str, float] = {}
        self._clock = 0.0

    def enter(self, name: str) -> None:
        self._had[name] = max(self._had.get(name, 0.0), self._clock)

    def least(self, names: Collection[str]) -> str:
        return min(names, key=self._had.__getitem__)

    def begin(self, name: str) -> None:
        self._clock = max(self._clock, self._had[name])

    def charge(self, name: str, seconds: float) -> None:
        if name in self._had:
            self._had[name] += seconds

    @property
    def is_empty(self) -> bool:
        return not self._had

    def keep(self, names: Collection[str]) -> None:
        """Forgets those who are not among the names and whose share says no more than the clock."""
        self._had = {name: had for name, had in self._had.items() if name in names or had > self._clock}


class FairQueue:
    """Lets questions run, `n_at_once` of them; it is used by one event loop.

    Args:
        n_waiting: may wait in all; where more come, the address with most of them gives one up.
        n_each: may wait of one session.
        listens: whether a session waits for its answers; the turn of a question goes to the next where nobody does.
    """

    def __init__(
        self, n_at_once: int, *, n_waiting: int, n_each: int, listens: Callable[[str], bool] = lambda _: True
    ) -> None:
        self.n_at_once, self.n_waiting, self.n_each, self._listens = n_at_once, n_waiting, n_each, listens
        self._waiting: dict[str, dict[str, list[Turn]]] = {}  # address -> session -> its questions in order
        self._running: list[Turn] = []
        self._addresses = _Shares()
        self._sessions: dict[str, _Shares] = {}  # of each address
        self._places: dict[Turn, int] = {}
        self._counted = float("-inf")

    def join(self, visitor: Visitor) -> Turn:
        """A place in the queue. Raises BusyError where there is none."""
        sessions = self._waiting.get(visitor.address, {})
        n_own = len(sessions.get(visitor.session, ()))
        if n_own >= self.n_each:
            raise BusyError(f"You have {n_own} questions waiting already: try again when one is answered.", n_own)
        self._make_room(visitor)
        turn = Turn(visitor, self)
        if visitor.address not in self._waiting:
            self._addresses.enter(visitor.address)
        shares = self._sessions.setdefault(visitor.address, _Shares())
        if not n_own:
            shares.enter(visitor.session)
        self._waiting.setdefault(visitor.address, {}).setdefault(visitor.session, []).append(turn)
        self._fill()
        return turn

    def release(self, turn: Turn) -> None:
        """Ends a turn that runs, or gives up one that waits."""
        if turn in self._running:
            self._running.remove(turn)
            assert turn.begun is not None
            seconds = time.monotonic() - turn.begun - ADVANCE_S
            self._addresses.charge(turn.visitor.address, seconds)
            if turn.visitor.address in self._sessions:
                self._sessions[turn.visitor.address].charge(turn.visitor.session, seconds)
            self._forget_the_idle()
        else:
            self._remove(turn)
        self._fill()

    def leave(self, session: str, *, joined_before: float) -> None:
        """Drops what a visitor asked who has left: what waits goes, what runs is told."""
        for turn in [*self.waiting(), *self._running]:
            if turn.visitor.session == session and turn.joined < joined_before:
                self.drop(turn, BusyError("The visitor has left.", 0))

    def close(self) -> None:
        """Drops everything: the server ends."""
        for turn in [*self.waiting(), *self._running]:
            self.drop(turn, BusyError("The server stops: try again in a moment.", 0))

    def drop(self, turn: Turn, reason: BusyError) -> None:
        """Refuses a question that waits, and tells one that runs that nobody needs its answer."""
        turn.left.set()
        self._refuse(turn, reason)

    def waiting(self) -> Iterator[Turn]:
        return (turn for sessions in self._waiting.values() for turns in sessions.values() for turn in turns)

    @property
    def n_running(self) -> int:
        return len(self._running)

    def place(self, turn: Turn) -> int:
        """Where a question stands if all take equally long: each session's first, then each one's second, and so on."""
        if time.monotonic() - self._counted > COUNT_INTERVAL_S or turn not in self._places:
            self._counted = time.monotonic()
            rounds = sorted(
                (number, turn.joined, id(turn), turn)
                for sessions in self._waiting.values()
                for turns in sessions.values()
                for number, turn in enumerate(turns)
            )
            self._places = {turn: place for place, (*_, turn) in enumerate(rounds, start=1)}
        return self._places.get(turn, 1)

    def _make_room(self, visitor: Visitor) -> None:
        """Where the queue is full, who has most in it gives up his newest question, unless that is who comes."""
        counts = {name: sum(map(len, sessions.values())) for name, sessions in self._waiting.items()}
        n_waiting = sum(counts.values())
        if n_waiting < self.n_waiting:
            return
        busy = BusyError(f"The server is busy: {n_waiting} questions are waiting. Try again in a moment.", n_waiting)
        largest = max(counts, key=counts.__getitem__)
        most = max(self._waiting[largest].values(), key=lambda turns: (len(turns), turns[-1].joined))
        n_own = len(self._waiting.get(visitor.address, {}).get(visitor.session, ()))
        if counts.get(visitor.address, 0) + 1 >= counts[largest] and n_own + 1 >= len(most):
            raise busy
        self._refuse(most[-1], busy)

    def _refuse(self, turn: Turn, reason: BusyError) -> None:
        if turn not in self._running:
            self._remove(turn)
            turn.refused = reason
            turn.called.set()

    def _remove(self, turn: Turn) -> None:
        address, session = turn.visitor.address, turn.visitor.session
        turns = self._waiting.get(address, {}).get(session, [])
        if turn in turns:
            turns.remove(turn)
            if not turns:
                del self._waiting[address][session]
            if not self._waiting[address]:
                del self._waiting[address]

    def _fill(self) -> None:
        while self._waiting and len(self._running) < self.n_at_once:
            address = self._addresses.least(self._waiting)
            session = self._sessions[address].least(self._waiting[address])
            turn = self._waiting[address][session][0]
            if time.monotonic() - turn.joined > ABANDONED_S and not self._listens(session):
                self.drop(turn, BusyError("The visitor has left.", 0))
                continue
            for shares, name in ((self._addresses, address), (self._sessions[address], session)):
                shares.begin(name)
                shares.charge(name, ADVANCE_S)
            self._remove(turn)
            self._running.append(turn)
            turn.begun = time.monotonic()
            turn.called.set()

    def _forget_the_idle(self) -> None:
        """What is kept of visitors stays in proportion to those who are there."""
        present = {turn.visitor.address for turn in self._running} | set(self._waiting)
        self._addresses.keep(present)
        for address in [*self._sessions]:
            at_work = {turn.visitor.session for turn in self._running if turn.visitor.address == address}
            self._sessions[address].keep(at_work | set(self._waiting.get(address, ())))
            if address not in present and self._sessions[address].is_empty:
                del self._sessions[address]
