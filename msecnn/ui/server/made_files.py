"""The files that the server has made of one recording: each once, together at most `MAX_BYTES`, gone with it."""

import contextlib
from collections.abc import Hashable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

from gradio.utils import get_upload_folder

#: Of one recording's sounds, archives and worksheets; the oldest go. One sound of 20 minutes has up to 110 MB.
MAX_BYTES = 256 * 2**20
#: The folder, inside that for uploads, where `served_files.new_file` puts what it makes.
FOLDER = "made"

Payload = dict[str, Any]


class MadeFiles:
    """Answers that came with files, by what was asked, in the order in which they were made."""

    def __init__(self) -> None:
        self._answers: dict[Hashable, Payload] = {}

    def find(self, question: Hashable) -> Payload | None:
        """The answer that was given before, if its files are still there."""
        answer = self._answers.get(question)
        if answer is None or not all(path.is_file() for path in made_files(answer)):
            return None
        return deepcopy(answer)

    def add(self, question: Hashable, answer: Payload) -> None:
        if not any(made_files(answer)):
            return
        self._delete(question)
        self._answers[question] = deepcopy(answer)  # Gradio writes addresses into what it sends
        while len(self._answers) > 1 and self.n_bytes > MAX_BYTES:
            self._delete(next(iter(self._answers)))

    def adopt(self, other: "MadeFiles") -> None:
        """Takes over what was made of the same recording before other models were asked."""
        self._answers = {**other._answers, **self._answers}

    @property
    def paths(self) -> set[Path]:
        return {path for answer in self._answers.values() for path in made_files(answer)}

    @property
    def n_bytes(self) -> int:
        return sum(path.stat().st_size for path in self.paths if path.is_file())

    def clear(self) -> None:
        for question in [*self._answers]:
            self._delete(question)

    def _delete(self, question: Hashable) -> None:
        for path in made_files(self._answers.pop(question, {})):
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
