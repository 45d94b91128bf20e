"""Writing that lasts: room looked for beforehand, one writer at a time, a journal of work that survives a kill."""

import contextlib
import json
import logging
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

from msecnn.errors import DatasetError

logger = logging.getLogger(__name__)


def check_space(folder: Path, n_bytes: int, what: str) -> None:
    """Raises DatasetError where fewer bytes are free than will be written.

    Args:
        folder: where to write; it exists.
        n_bytes: how much.
        what: names what will be written, in the plural.
    """
    free = shutil.disk_usage(folder).free
    if n_bytes > free:
        raise DatasetError(f"the {what} need {n_bytes / 1e9:.1f} GB more, and {folder} has {free / 1e9:.1f} GB free")


@contextlib.contextmanager
def locked_folder(folder: Path) -> Iterator[None]:
    """Lets one process at a time write a folder's files; the others wait. The lock ends with its process, however."""
    try:
        import fcntl
    except ImportError:  # Windows has no such lock: there, two at once are the user's to avoid
        yield
        return
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            logger.warning("another process is at work in %s; waiting for it", folder)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def read_json_lines(path: Path) -> list[dict[str, Any]]:
    """The rows of a journal, a file of JSON lines; a torn last line doesn't count, and no file is no rows."""
    return _whole_rows(path)[0]


class JsonLinesLog:
    """A journal open for appending, as a context manager; one process may append at a time.

    Attributes:
        rows: what it holds.
    """

    def __init__(self, path: Path) -> None:
        self.rows, n_bytes = _whole_rows(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("ab")
        self._file.truncate(n_bytes)

    def append(self, row: dict[str, Any]) -> None:
        """Adds a row; it is on the disk when this returns."""
        self._file.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())
        self.rows.append(row)

    def __enter__(self) -> "JsonLinesLog":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


def _whole_rows(path: Path) -> tuple[list[dict[str, Any]], int]:
    """The rows, and how many bytes they take."""
    content = path.read_bytes() if path.exists() else b""
    content = content[: content.rfind(b"\n") + 1]
    return [json.loads(line) for line in content.splitlines()], len(content)
