"""Changes to fields of files: one in words, and the list of what was there before, from which there is a way back."""

import json
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from msecnn.files import printable, why
from msecnn.library.fields import FileTagError


@dataclass(frozen=True)
class Change:
    """What was, or would be, done to one file.

    Attributes:
        before, after: the field's values; None where it is absent.
        error: why nothing was done, or None.
    """

    file: str
    before: list[str] | None
    after: list[str] | None
    error: str | None = None

    def sentence(self, field: str) -> str:
        """The change in words, on one line."""
        if self.error:
            return self.error
        was, will_be = ("; ".join(values) if values else "nothing" for values in (self.before, self.after))
        return printable(f"{self.file}: {field} was {was}; now {will_be}")


class UndoList:
    """What fields held before we wrote them: JSON lines, each on the disk before its file is touched."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, change: Change, field: str) -> None:
        row = {"file": os.path.abspath(change.file), "field": field, "before": change.before, "after": change.after}
        try:
            with self.path.open("ab") as file:
                file.write(json.dumps(row).encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise FileTagError(f"The undo list {self.path} cannot be written: {why(error)}.") from error

    def rows(self) -> list[dict[str, Any]]:
        """All entries, oldest first; a torn last line, whose file was not touched, is left out."""
        try:
            lines = self.path.read_bytes().split(b"\n")[:-1]
            rows = [json.loads(line) for line in lines]
            if all({"file", "field", "before", "after"} <= row.keys() for row in rows):
                return rows
        except OSError as error:
            raise FileTagError(f"The undo list {self.path} cannot be read: {why(error)}.") from error
        except (ValueError, AttributeError):
            pass
        raise FileTagError(f"{self.path} is not an undo list of this program.")


def tell(changes: Iterable[Change], field: str, *, dry_run: bool, say: Callable[[str], None]) -> tuple[int, int]:
    """Says what went wrong, and in a dry run every change; returns how many were made, and how many could not be."""
    n_changed = n_errors = 0
    for change in changes:
        n_errors += change.error is not None
        n_changed += change.error is None
        if change.error or dry_run:
            say(change.sentence(field))
    return n_changed, n_errors
