"""How the C library keeps freed memory, where that can be said (glibc)."""

import contextlib
import ctypes

#: Parameters of glibc's `mallopt`: what is returned to the system, and how many arenas threads may have.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8


def keep_freed_memory() -> None:
    """Large blocks are used again instead of returned: without it a training step on a CPU took twice as long.

    Above the mmap threshold each tensor's pages would be faulted anew at each use.
    """
    _set(M_MMAP_THRESHOLD, 1 << 30)
    _set(M_TRIM_THRESHOLD, (1 << 31) - 1)


def share_freed_memory() -> None:
    """All threads take memory from one place.

    Otherwise each of the server's 40 threads keeps, once it has run a network, 20 MB of freed memory to itself.
    """
    _set(M_ARENA_MAX, 1)


def _set(parameter: int, value: int) -> None:
    with contextlib.suppress(AttributeError, TypeError):  # the latter on Windows, for the program's own handle
        ctypes.CDLL(None).mallopt(parameter, value)
