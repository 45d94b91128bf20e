"""Who is there to be answered: of each session, how many streams of answers are open."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable

#: Seconds without a stream after which a visitor counts as gone: a browser may lose one and open the next.
GRACE_S = 3.0


class Listeners:
    """Counts streams, and tells when a session's last one has ended.

    Args:
        left: called with the session and with the time until which its questions are nobody's any longer.
    """

    def __init__(self, left: Callable[[str, float], None]) -> None:
        self._left, self._streams = left, Counter[str]()

    def listens(self, session: str) -> bool:
        return session in self._streams

    def opened(self, session: str) -> None:
        self._streams[session] += 1

    def ended(self, session: str) -> None:
        self._streams[session] -= 1
        if self._streams[session] <= 0:
            del self._streams[session]
            asyncio.get_running_loop().call_later(GRACE_S, self._tell, session, time.monotonic())

    def _tell(self, session: str, ended: float) -> None:
        if not self.listens(session):
            self._left(session, ended)
