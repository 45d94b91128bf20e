"""Copies of files that a killed process left behind: found, told, and removed on request. Their originals are whole."""

import os
import time
from collections.abc import Callable, Sequence

from msecnn.files import UNFINISHED, printable, why

#: Nobody writes a copy any more that has not changed for so many seconds.
ABANDONED_S = 600.0


def is_unfinished(entry: os.DirEntry[str]) -> bool:
    """Whether a folder's entry is a copy of `files.replacing` that nobody writes any more."""
    if not UNFINISHED.fullmatch(entry.name) or not entry.is_file(follow_symlinks=False):
        return False
    return time.time() - entry.stat(follow_symlinks=False).st_ctime > ABANDONED_S


def unfinished_sentence(paths: Sequence[str]) -> str:
    """How many there are, and how large, in words."""
    n_bytes = sum(os.lstat(path).st_size for path in paths if os.path.lexists(path))
    return (
        f"Unfinished copies that a killed --write-tags or --out left there: {len(paths):,} ({n_bytes / 1e6:,.1f} MB); "
        "their originals are whole, and --clean removes them."
    )


def remove_unfinished(paths: Sequence[str], *, dry_run: bool, say: Callable[[str], None]) -> int:
    """Removes copies, and says so; returns how many could not be removed."""
    n_bytes = n_errors = 0
    for path in paths:
        try:
            n_bytes += os.lstat(path).st_size
            if not dry_run:
                os.unlink(path)
        except OSError as error:
            n_errors += 1
            say(f"{printable(path)} cannot be removed: {why(error)}.")
        else:
            say(f"{printable(path)} {'would be' if dry_run else 'was'} removed")
    would = "would be " if dry_run else ""
    n_removed = f"{len(paths) - n_errors:,} ({n_bytes / 1e6:,.1f} MB)"
    say(f"unfinished copies {would}removed: {n_removed}; that could not be: {n_errors:,}")
    return n_errors
