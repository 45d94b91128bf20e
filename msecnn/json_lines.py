"""A log of JSON lines that survives a kill: rows are on the disk one by one, and a torn last one doesn't count."""

import json
import os
from pathlib import Path
from types import TracebackType
from typing import Any


def read_json_lines(path: Path) -> list[dict[str, Any]]:
    """The rows of a log, a file of JSON lines; a torn last line doesn't count, and no file is no rows."""
    return _whole_rows(path)[0]


class JsonLinesLog:
    """A log open for appending, as a context manager; one process may append at a time.

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
        self._file.write(json.dumps(row).encode() + b"\n")  # in ASCII: any file name can be written
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
