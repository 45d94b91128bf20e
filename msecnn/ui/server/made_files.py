"""The files that the server has made of one recording: each once, together at most `MAX_BYTES`, gone with it."""

import contextlib
from collections.abc import Hashable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gradio.utils import get_upload_folder

#: Of one recording's sounds, archives and worksheets; the oldest go. One sound of 20 minutes has up to 110 MB.
MAX_BYTES = 256 * 2**20
#: The folder, inside that for uploads, where `served_files.new_file` puts what it makes.
FOLDER = "made"

Payload = dict[str, Any]


@dataclass(frozen=True)
class _Made:
    """An answer, and how large its files are."""

    answer: Payload
    n_bytes: int


class MadeFiles:
    """Answers that came with files, by what was asked, in the order in which they were made."""

    def __init__(self) -> None:
        self._made: dict[Hashable, _Made] = {}

    def find(self, question: Hashable) -> Payload | None:
        """The answer that was given before, if its files are still there."""
        made = self._made.get(question)
        if made is None or not all(path.is_file() for path in made_files(made.answer)):
            return None
        return deepcopy(made.answer)

    def add(self, question: Hashable, answer: Payload) -> None:
        files = [*made_files(answer)]
        if not files:
            return
        self._delete(question)
        n_bytes = sum(path.stat().st_size for path in files if path.is_file())
        self._made[question] = _Made(deepcopy(answer), n_bytes)  # Gradio writes addresses into what it sends
        while len(self._made) > 1 and self.n_bytes > MAX_BYTES:
            self.drop_oldest()

    def drop_oldest(self) -> None:
        self._delete(next(iter(self._made)))

    def adopt(self, other: "MadeFiles") -> None:
        """Takes over what was made of the same recording before other models were asked."""
        self._made = {**other._made, **self._made}

    @property
    def paths(self) -> set[Path]:
        return {path for made in self._made.values() for path in made_files(made.answer)}

    def __len__(self) -> int:
        """How many answers came with files."""
        return len(self._made)

    @property
    def n_bytes(self) -> int:
        return sum(made.n_bytes for made in self._made.values())

    def clear(self) -> None:
        for question in [*self._made]:
            self._delete(question)

    def _delete(self, question: Hashable) -> None:
        if (made := self._made.pop(question, None)) is not None:
            delete_files(made.answer)


def delete_files(answer: Payload) -> None:
    """Deletes the files that were made for an answer."""
    for path in made_files(answer):
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
            path.parent.rmdir()


def made_files(value: Any) -> Iterator[Path]:
    """The files in an answer that were made for it; copies of the examples are everybody's."""
    if isinstance(value, dict) and isinstance(value.get("path"), str) and "meta" in value:
        path = Path(value["path"])
        if path.parent.parent == Path(get_upload_folder()) / FOLDER:
            yield path
    elif isinstance(value, dict):
        for part in value.values():
            yield from made_files(part)
