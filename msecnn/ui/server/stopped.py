"""Which slow requests were stopped, in memory that forked processes share: on ZeroGPU a request runs in one."""

import hashlib
import mmap
import threading

#: Requests that are remembered as stopped; the oldest of so many ended long ago.
N_REMEMBERED = 256
_N_BYTES = 16  # of a token's digest


class StoppedTokens:
    """The tokens of requests that are to end.

    Made before the first fork, it is one and the same in all of them: what one process adds, the others find. Tokens
    are added by the process that answers the browser, which is one, so a lock among its threads is enough.
    """

    def __init__(self) -> None:
        self._digests = mmap.mmap(-1, N_REMEMBERED * _N_BYTES)  # shared with processes that are forked from here on
        self._lock = threading.Lock()
        self._n_added = 0

    def add(self, token: str) -> None:
        with self._lock:
            start = (self._n_added % N_REMEMBERED) * _N_BYTES
            self._digests[start : start + _N_BYTES] = _digest(token)
            self._n_added += 1

    def __contains__(self, token: str) -> bool:
        return self._digests.find(_digest(token), 0) >= 0


def _digest(token: str) -> bytes:
    return hashlib.blake2b(token.encode("utf-8", "backslashreplace"), digest_size=_N_BYTES).digest()
