"""Answers into the recordings that they are about, with a list of what was there before, and the way back."""

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from msecnn.files import printable
from msecnn.library.fields import FileTagError, file_name, read_field, write_field

#: The field that is ours: TXXX:MSECNN_TAGS in ID3, MSECNN_TAGS in Vorbis comments, a freeform atom in MP4.
FIELD = "MSECNN_TAGS"


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
            raise FileTagError(f"The undo list {self.path} cannot be written: {error.strerror}.") from error

    def rows(self) -> list[dict[str, Any]]:
        """All entries, oldest first; a torn last line, whose file was not touched, is left out."""
        try:
            lines = self.path.read_bytes().split(b"\n")[:-1]
            rows = [json.loads(line) for line in lines]
            if all({"file", "field", "before", "after"} <= row.keys() for row in rows):
                return rows
        except OSError as error:
            raise FileTagError(f"The undo list {self.path} cannot be read: {error.strerror}.") from error
        except (ValueError, AttributeError):
            pass
        raise FileTagError(f"{self.path} is not an undo list of this program.")


def write_tags(
    answers: Iterable[dict[str, Any]],
    *,
    model: str,
    top: int,
    min_probability: float,
    undo_list: UndoList | None,
    field: str = FIELD,
) -> Iterator[Change]:
    """Writes each answered file's most probable tags, most probable first, into a field of the file.

    Args:
        answers: as `answer_json` gives them; errors are passed over.
        model: whose tags.
        top: at most so many.
        min_probability: none below this.
        undo_list: None for a dry run, which touches nothing.

    Yields:
        A change for each file whose field is not yet what it should be, or could not be read or written.
    """
    for answer in answers:
        if "error" in answer:
            continue
        ranked = sorted(answer["models"][model]["tags"].items(), key=lambda pair: -pair[1])
        values = [tag for tag, probability in ranked[:top] if probability >= min_probability] or None
        file = answer["file"]
        try:
            change = Change(file, read_field(file, field), values)
            if change.before == change.after:
                continue
            if undo_list is not None:
                undo_list.append(change, field)
                write_field(file, field, values)
        except FileTagError as error:
            change = Change(file, None, None, str(error))
        yield change


def undo(undo_list: UndoList, *, dry_run: bool = False) -> Iterator[tuple[str, Change]]:
    """Gives fields their former values, newest change first; what was changed since by others is left alone.

    Yields:
        Field and change of each entry that was not already undone.
    """
    for row in reversed(undo_list.rows()):
        file, field = row["file"], row["field"]
        change = Change(file, row["after"], row["before"])
        try:
            current = read_field(file, field)
            if current == row["before"]:
                continue
            if current != row["after"]:
                raise FileTagError(f"“{file_name(file)}” has another {field} than we wrote: it was left alone.")
            if not dry_run:
                write_field(file, field, row["before"])
        except FileTagError as error:
            change = Change(file, None, None, str(error))
        yield field, change
