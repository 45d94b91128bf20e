"""The microphones that the server listens to: one a session, few enough for its memory; each ends with its page."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from msecnn.audio import StreamResampler
from msecnn.live import LiveAnswer, LiveTagger
from msecnn.tagger import Tagger
from msecnn.ui.server.session import SessionError

#: Streams at once; each holds about 14 MB of two bundled networks' maps.
MOST = 32
#: Seconds without sound after which a stream is forgotten.
IDLE_S = 20.0


@dataclass
class LiveStream:
    """One visitor's sound.

    Attributes:
        name: chosen by the browser, another one after each start.
        serial: of the last piece.
        answer: what was said to it, for a piece that is sent twice.
    """

    name: str
    resampler: StreamResampler
    tagger: LiveTagger
    lock: threading.Lock = field(default_factory=threading.Lock)
    serial: int = -1
    answer: LiveAnswer | None = None
    used: float = field(default_factory=time.monotonic)

    def hear(self, samples: np.ndarray, serial: int) -> LiveAnswer:
        """What the networks say once a piece (T,) was added; a piece that is sent again is heard once."""
        with self.lock:
            self.used = time.monotonic()
            if self.answer is None or serial > self.serial:
                self.tagger.add(self.resampler.add(samples))
                self.answer, self.serial = self.tagger.answer(), serial
            return self.answer


class LiveStreams:
    """All of them, by the visitor's session."""

    def __init__(self) -> None:
        self._streams: dict[str, LiveStream] = {}
        self._lock = threading.Lock()

    def stream(self, session: str, name: str, source_rate: int, taggers: Sequence[Tagger]) -> LiveStream:
        """The session's stream of that name; a new one, in place of the one before, where it has another.

        Raises:
            SessionError: the server listens to as many as it can.
            AudioError: the sample rate, Hz, is none.
        """
        with self._lock:
            self._forget_idle()
            known = self._streams.get(session)
            if known is not None and known.name == name:
                return known
            if known is None and len(self._streams) >= MOST:
                raise SessionError(f"The server listens to {MOST} microphones already: try again in a moment.")
            tagger = LiveTagger(taggers)
            new = LiveStream(name, StreamResampler(source_rate, tagger.config.sample_rate), tagger)
            self._streams[session] = new
            return new

    def end(self, session: str, *, unused_since: float = float("inf")) -> None:
        """Forgets a session's stream, unless it was used after that moment (`time.monotonic`)."""
        with self._lock:
            stream = self._streams.get(session)
            if stream is not None and stream.used < unused_since:
                del self._streams[session]

    def __len__(self) -> int:
        return len(self._streams)

    def _forget_idle(self) -> None:
        now = time.monotonic()
        self._streams = {name: one for name, one in self._streams.items() if now - one.used < IDLE_S}
