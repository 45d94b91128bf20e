"""What the server holds of its visitors, bounded in bytes and in age: nobody's requests make another forgotten.

Memory and disk are bounded alike: where there is too much, the address that has most of it loses its oldest.
"""

import threading
import time
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from pathlib import Path

from msecnn.ui.server.fair_queue import Visitor
from msecnn.ui.server.made_files import Payload, delete_files
from msecnn.ui.server.session import Session

#: Seconds after its last use that a recording is forgotten.
HELD_S = 3600.0


@dataclass
class _Held:
    session: Session
    address: str
    used: float


class SessionStore:
    """The open recordings, by the visitor's session and by slot: a page can have a second one open for comparison.

    Args:
        max_bytes: of predictions and spectrograms, of all visitors together.
        max_made_bytes: of the files that were made for them, likewise.
    """

    def __init__(self, max_bytes: int, max_made_bytes: int) -> None:
        self.max_bytes, self.max_made_bytes = max_bytes, max_made_bytes
        self._held: dict[tuple[str, str], _Held] = {}  # (session, slot), longest unused first
        self._closed: set[Path] = set()  # recordings that were held, and may be no longer
        self._lock = threading.Lock()  # the clean-up has a thread of its own

    def get(self, visitor: Visitor, slot: str) -> Session | None:
        with self._lock:
            held = self._held.pop((visitor.session, slot), None)
            if held is None:
                return None
            held.used = time.monotonic()
            self._held[visitor.session, slot] = held
            return held.session

    def put(self, visitor: Visitor, slot: str, session: Session) -> None:
        """Holds a recording in place of the one before; where there is too much, the address that has most loses."""
        with self._lock:
            before = self._held.pop((visitor.session, slot), None)
            key, held = (visitor.session, slot), _Held(session, visitor.address, time.monotonic())
            self._held[key] = held
            if before is not None and before.session.path == session.path:
                session.made.adopt(before.session.made)
            elif before is not None:
                self._close(before)
            while self.n_bytes > self.max_bytes and len(self._held) > 1:
                self._forget(self._first_of_the_largest(keep=key))

    def add_made(self, visitor: Visitor, slot: str, path: Path, question: Hashable, answer: Payload) -> None:
        """Keeps the files of an answer with the recording they were made of; if that is gone, they go too."""
        with self._lock:
            held = self._held.get((visitor.session, slot))
            if held is None or held.session.path != path:
                delete_files(answer)
                return
            held.session.made.add(question, answer)
            while self.n_made_bytes > self.max_made_bytes and self._n_made > 1:
                self._drop_of_the_largest(newest=held)

    def expire(self, now: float | None = None) -> None:
        """Forgets what nobody has used for `HELD_S`."""
        now = time.monotonic() if now is None else now
        with self._lock:
            for key in [key for key, held in self._held.items() if now - held.used > HELD_S]:
                self._forget(key)

    @property
    def n_bytes(self) -> int:
        return sum(held.session.n_bytes for held in self._held.values())

    @property
    def n_made_bytes(self) -> int:
        return sum(held.session.made.n_bytes for held in self._held.values())

    def paths(self) -> set[Path]:
        """The files that are still needed."""
        with self._lock:
            return {path for held in self._held.values() for path in _files(held.session)}

    def take_closed(self) -> set[Path]:
        """The files of recordings that were closed since this was last asked, and that nobody else has open."""
        held = self.paths()
        with self._lock:
            closed, self._closed = self._closed - held, set()
        return closed

    def __len__(self) -> int:
        return len(self._held)

    @property
    def _n_made(self) -> int:
        return sum(len(held.session.made) for held in self._held.values())

    def _first_of_the_largest(self, keep: tuple[str, str]) -> tuple[str, str]:
        others = {key: held for key, held in self._held.items() if key != keep}
        largest = _largest(others.values(), lambda session: session.n_bytes)
        return next(key for key, held in others.items() if held.address == largest)

    def _drop_of_the_largest(self, newest: _Held) -> None:
        """Deletes the oldest files of the address that has most, but not those that were made just now."""
        droppable = [held for held in self._held.values() if len(held.session.made) > (held is newest)]
        largest = _largest(droppable, lambda session: session.made.n_bytes)
        next(held for held in droppable if held.address == largest).session.made.drop_oldest()

    def _forget(self, key: tuple[str, str]) -> None:
        self._close(self._held.pop(key))

    def _close(self, held: _Held) -> None:
        held.session.made.clear()
        self._closed.add(held.session.path)


def _largest(held: Iterable[_Held], n_bytes: Callable[[Session], int]) -> str:
    """The address that has most."""
    of_address: dict[str, int] = {}
    for one in held:
        of_address[one.address] = of_address.get(one.address, 0) + n_bytes(one.session)
    return max(of_address, key=of_address.__getitem__)


def _files(session: Session) -> Iterable[Path]:
    yield session.path
    yield from session.made.paths
