"""Which content of a file an answer is about: a file may be replaced while, or after, it is tagged."""

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from stat import S_ISREG
from typing import Any

from msecnn.files import printable
from msecnn.library.tagging_job import error_answer

#: Tags files: index into them and answer, in whatever order they become ready, each once.
Engine = Callable[[Sequence[str]], Iterator[tuple[int, dict[str, Any]]]]
#: A file that changes while it is read is read once more.
TRIES = 2


@dataclass(frozen=True)
class Stamp:
    """What a file's content is known by.

    Attributes:
        size: bytes.
        mtime_ns: when it was changed.
        sha256: of its content, or None where that was not asked.
    """

    size: int
    mtime_ns: int
    sha256: str | None = None

    @classmethod
    def of(cls, file: str, *, content: bool = False) -> "Stamp | None":
        """A file's stamp now, with its content's hash if asked; None where it cannot be read."""
        try:
            status = os.stat(file)
            digest = None
            if content and S_ISREG(status.st_mode):
                with open(file, "rb") as opened:
                    digest = hashlib.file_digest(opened, "sha256").hexdigest()
        except (OSError, ValueError):  # ValueError: a NUL in the name
            return None
        return cls(status.st_size, status.st_mtime_ns, digest)


def same_content(first: Stamp | None, second: Stamp | None) -> bool:
    """Whether two stamps are of one content: by its hash if both have it, else by size and time."""
    if first is None or second is None:
        return first is second
    if first.sha256 and second.sha256:
        return first.sha256 == second.sha256
    return (first.size, first.mtime_ns) == (second.size, second.mtime_ns)


def tag_unchanged(
    files: Sequence[str], engine: Engine, *, content: bool = False
) -> Iterator[tuple[int, dict[str, Any], Stamp | None]]:
    """Tags files, and says of each which content its answer is about.

    Args:
        content: take hashes into the stamps.

    Yields:
        Index into `files`, answer and stamp, each once; an error for a file that kept changing while it was read.
    """
    pending = list(range(len(files)))
    for _ in range(TRIES):
        before = {index: Stamp.of(files[index]) for index in pending}
        changed = []
        for position, answer in engine([files[index] for index in pending]) if pending else ():
            index = pending[position]
            after = Stamp.of(files[index], content=content)
            if same_content(before[index], after):
                yield index, answer, after
            else:
                changed.append(index)
        pending = sorted(changed)
    for index in pending:
        name = printable(os.path.basename(files[index]))
        yield index, error_answer(files[index], f"“{name}” was changed by another program while it was read."), None


def stale_answer(file: str) -> dict[str, Any]:
    """In place of an answer that is about another content than the file has by now."""
    name = printable(os.path.basename(file))
    sentence = f"“{name}” was changed after it was tagged, so nothing was written into it."
    return error_answer(file, sentence) | {"stale": True}
