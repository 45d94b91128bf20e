"""What the server holds of its visitors, bounded in bytes and in age: nobody's requests make another forgotten."""

import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from msecnn.ui.server.fair_queue import Visitor
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
    """

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self._held: dict[tuple[str, str], _Held] = {}  # (session, slot), longest unused first
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
                before.session.made.clear()
            while self.n_bytes > self.max_bytes and len(self._held) > 1:
                self._forget(self._first_of_the_largest(keep=key))

    def expire(self, now: float | None = None) -> None:
        """Forgets what nobody has used for `HELD_S`."""
        now = time.monotonic() if now is None else now
        with self._lock:
            for key in [key for key, held in self._held.items() if now - held.used > HELD_S]:
                self._forget(key)

    @property
    def n_bytes(self) -> int:
        return sum(held.session.n_bytes for held in self._held.values())

    def paths(self) -> set[Path]:
        """The files that are still needed."""
        with self._lock:
            return {path for held in self._held.values() for path in _files(held.session)}

    def __len__(self) -> int:
        return len(self._held)

    def _first_of_the_largest(self, keep: tuple[str, str]) -> tuple[str, str]:
        n_bytes: dict[str, int] = {}
        for key, held in self._held.items():
            if key != keep:
                n_bytes[held.address] = n_bytes.get(held.address, 0) + held.session.n_bytes
        largest = max(n_bytes, key=n_bytes.__getitem__)
        return next(key for key, held in self._held.items() if held.address == largest and key != keep)

    def _forget(self, key: tuple[str, str]) -> None:
        self._held.pop(key).session.made.clear()


def _files(session: Session) -> Iterable[Path]:
    yield session.path
    yield from session.made.paths
