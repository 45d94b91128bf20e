"""What the server knows of those who are there: whose turn it is, what it holds of each, and who has left."""

import logging
import time
from pathlib import Path
from typing import Literal

from msecnn.ui.server.fair_queue import FairQueue
from msecnn.ui.server.listeners import Listeners
from msecnn.ui.server.live_streams import LiveStreams
from msecnn.ui.server.session_store import SessionStore

log = logging.getLogger(__name__)

#: Work of one kind waits for its like only: "light" is a picture or a word, "model" runs a network once or a few
#: times, "slow" draws, or runs it hundreds of times.
Lane = Literal["light", "model", "slow"]

#: Questions that run at once, wait in all, and wait of one session.
LANES: dict[Lane, tuple[int, int, int]] = {"light": (4, 200, 16), "model": (1, 200, 12), "slow": (1, 60, 4)}
#: Of all sessions together. A recording has half a megabyte for each of its windows: 20 minutes are 22 MB.
HELD_BYTES = 2**30
#: Of the sounds, archives and worksheets made for all of them, on the disk.
MADE_BYTES = 2 * 2**30


class Visitors:
    """One for each running page."""

    def __init__(self, held_bytes: int = HELD_BYTES, made_bytes: int = MADE_BYTES) -> None:
        self.sessions = SessionStore(held_bytes, made_bytes)
        self.listeners = Listeners(self._left)
        self.lanes: dict[Lane, FairQueue] = {
            lane: FairQueue(n_at_once, n_waiting=n_waiting, n_each=n_each, listens=self.listeners.listens)
            for lane, (n_at_once, n_waiting, n_each) in LANES.items()
        }
        self.live = LiveStreams()
        #: Names of the requests that are waited for or worked on.
        self.in_hand: set[str] = set()

    def _left(self, session: str, since: float) -> None:
        for lane in self.lanes.values():
            lane.leave(session, joined_before=since)
        self.live.end(session, unused_since=since)

    def needed_files(self) -> set[Path]:
        """The files of recordings that are still held, once those are forgotten that nobody uses."""
        self.sessions.expire()
        return self.sessions.paths()

    def close(self, patience_s: float) -> bool:
        """Drops all questions; whether those that ran have ended in time."""
        for lane in self.lanes.values():
            lane.close()
        deadline = time.monotonic() + patience_s
        while self.n_running and time.monotonic() < deadline:
            time.sleep(0.05)
        return not self.n_running

    @property
    def n_running(self) -> int:
        return sum(lane.n_running for lane in self.lanes.values())
