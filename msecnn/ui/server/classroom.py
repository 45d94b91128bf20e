"""Who may speak to the room: its lecturer by a secret, phones by a code. A server has at most one room open."""

import asyncio
import hmac
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from msecnn.ui.server.room import GONE, Room, RoomError

#: Wrong codes or secrets, and joins, that one address may send within `WINDOW_S` seconds: a class may share one.
MOST_WRONG, MOST_JOINS, WINDOW_S = 30, 400, 60.0
#: Addresses that are counted at once; of more, the longest known are counted anew.
MOST_ADDRESSES = 2000

SLOW_DOWN = "Too many tries came from your address: wait a minute."


class Tries:
    """How often each address has tried something within a window of time, bounded in memory."""

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._clock = most, clock
        self._counted: dict[str, tuple[float, int]] = {}  # begin of the address's window, and its tries in it

    def add(self, address: str) -> None:
        """Counts one more."""
        begun, n_tries = self._of(address)
        self._counted.pop(address, None)
        self._counted[address] = begun, n_tries + 1
        if len(self._counted) > MOST_ADDRESSES:
            del self._counted[next(iter(self._counted))]

    def require_few(self, address: str) -> None:
        """Raises RoomError where there were too many."""
        if self._of(address)[1] >= self._most:
            raise RoomError(SLOW_DOWN, 429)

    def _of(self, address: str) -> tuple[float, int]:
        now = self._clock()
        begun, n_tries = self._counted.get(address, (now, 0))
        return (begun, n_tries) if now - begun < WINDOW_S else (now, 0)

    def __len__(self) -> int:
        return len(self._counted)


class Signal:
    """Wakes those who wait for a change; all of them wait in one event loop, anybody may tell of the change."""

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def next(self) -> asyncio.Event:
        """Set at the next change."""
        self._loop = asyncio.get_running_loop()
        return self._event

    def tell(self) -> None:
        event, self._event = self._event, asyncio.Event()
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(event.set)


@dataclass
class Classroom:
    """What `--class` brings.

    Attributes:
        secret: by which the lecturer is known, in the link that the server prints; the code is no part of it.
        changed: something that phones have to be told.
        counted: something that only the lecturer has to be told.
    """

    clock: Callable[[], float] = time.monotonic
    secret: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    changed: Signal = field(default_factory=Signal)
    counted: Signal = field(default_factory=Signal)
    _room: Room | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._wrong, self._joins = Tries(MOST_WRONG, self.clock), Tries(MOST_JOINS, self.clock)

    # ---- phones
    def join(self, address: str, code: object, token: object) -> str:
        """A phone's token, for the right code; small letters and spaces are forgiven.

        Raises:
            RoomError: the code is wrong, the room is full or has ended, or the address tries too often.
        """
        self._wrong.require_few(address)
        self._joins.require_few(address)
        room = self.room
        if not isinstance(code, str) or not hmac.compare_digest(_read(code), room.code.encode()):
            self._wrong.add(address)
            raise RoomError("No room has this code: look at it again.", 404)
        self._joins.add(address)
        return room.join(address, token)

    @property
    def room(self) -> Room:
        """The open room.

        Raises:
            RoomError: there is none.
        """
        room = self._room
        if room is None or not room.is_open:
            raise RoomError(GONE, 410)
        return room

    # ---- the lecturer
    def require_lecturer(self, address: str, secret: str) -> None:
        """Raises RoomError for everybody else."""
        self._wrong.require_few(address)
        if not hmac.compare_digest(secret.encode(), self.secret.encode()):
            self._wrong.add(address)
            raise RoomError("Only the lecturer can do this, by the link that the server printed.", 403)

    def open(self) -> Room:
        """The room that is open, or a new one with another code."""
        with self._lock:
            if self._room is None or not self._room.is_open:
                self._room = Room(clock=self.clock)
            return self._room

    def close(self) -> None:
        """Ends the room, if one is open; everything about it is forgotten, and those who wait are told."""
        with self._lock:
            room, self._room = self._room, None
        if room is not None:
            room.close()
        self.tell(lecturer_only=False)

    def tell(self, *, lecturer_only: bool) -> None:
        """Wakes whom a change concerns."""
        self.counted.tell()
        if not lecturer_only:
            self.changed.tell()


def _read(code: str) -> bytes:
    """What was meant by a code as somebody typed it."""
    return "".join(code[:40].upper().split()).encode("utf-8", "replace")
