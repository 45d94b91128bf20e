"""The signals that end a server."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType


@contextlib.contextmanager
def end_signal() -> Iterator[threading.Event]:
    """Set by Ctrl-C, by `kill`, systemd or Docker, and when the terminal goes; a second signal ends at once."""
    ended = threading.Event()
    names = [name for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {name: signal.getsignal(getattr(signal, name)) for name in names}

    def end(number: int, _: FrameType | None) -> None:
        ended.set()
        signal.signal(number, signal.SIG_DFL)

    for name in names:
        signal.signal(getattr(signal, name), end)
    try:
        yield ended
    finally:
        for name, handler in before.items():
            signal.signal(getattr(signal, name), handler)
