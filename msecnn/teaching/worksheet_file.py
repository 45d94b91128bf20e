"""One worksheet that a student handed in, read from its page or its zip; whatever else the file may be gets a sentence.

`msecnn/ui/static/hand_in.js` writes both. Nothing is ever unpacked to a disk.
"""

import io
import json
import re
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from msecnn.errors import MsecnnError
from msecnn.files import read_regular, why

#: What the page writes into each worksheet, and the schema that is read here.
KIND, SCHEMA = "msecnn-worksheet", 1
#: Largest file, and largest data in it, bytes: a worksheet has 1.5 MB, its data some hundred kB.
MAX_FILE, MAX_DATA = 16_000_000, 2_000_000
#: Files in a zip, and what they may unfold to.
MAX_ENTRIES, MAX_UNFOLDED = 200, 50_000_000
#: Longest text, lessons of a worksheet and steps of a lesson that are taken.
MAX_TEXT, MAX_LESSONS, MAX_STEPS = 4000, 64, 64
DATA_IN_ZIP = "answers.json"
_DATA_IN_PAGE = re.compile(rf'<script type="application/json" id="{KIND}">(.*?)</script>', re.DOTALL)


class WorksheetError(MsecnnError):
    """A file is no worksheet, or one that is not read."""


@dataclass(frozen=True)
class Answer:
    """One answer: the question is in the student's language."""

    lesson: str
    step: int
    question: str
    answer: str


@dataclass(frozen=True)
class Worksheet:
    """What a student handed in.

    Attributes:
        student: as typed; may be empty.
        saved: ISO 8601, UTC.
        settings: titles and values of what the figures depended on.
        link: to what was seen; empty of an own recording.
    """

    student: str
    saved: str
    language: str
    recording: str
    link: str
    settings: tuple[tuple[str, str], ...]
    answers: tuple[Answer, ...]


def read_worksheet(path: Path) -> Worksheet:
    """Reads a `.html` or `.zip` that the page has saved.

    Raises:
        WorksheetError: it is none, is broken, or is built to do harm.
    """
    try:
        content = read_regular(path, most=MAX_FILE)
    except OSError as error:
        raise WorksheetError(f"It cannot be read: {why(error)}.") from error
    data = _of_zip(content) if content.startswith(b"PK") else _of_page(content)
    return _checked(_json(data))


def _of_page(content: bytes) -> bytes:
    found = _DATA_IN_PAGE.findall(content.decode("utf-8", "replace"))
    if not found:
        raise WorksheetError("It is no worksheet of this page.")
    return str(found[-1]).encode()


def _of_zip(content: bytes) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            _check_entries(entries)
            data = [entry for entry in entries if PurePosixPath(entry.filename).name == DATA_IN_ZIP]
            if len(data) != 1:
                raise WorksheetError("It is a zip, and not that of a worksheet.")
            with archive.open(data[0]) as file:
                return file.read(MAX_DATA + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError, ValueError) as error:
        raise WorksheetError("It is a zip that is damaged or cannot be opened.") from error


def _check_entries(entries: list[zipfile.ZipInfo]) -> None:
    if len(entries) > MAX_ENTRIES or sum(entry.file_size for entry in entries) > MAX_UNFOLDED:
        raise WorksheetError("It is a zip that unfolds to far more than a worksheet has.")
    for entry in entries:
        path = PurePosixPath(entry.filename.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or ":" in path.parts[0]:
            raise WorksheetError("It is a zip with a path that leads out of its folder.")


def _json(data: bytes) -> Any:
    if len(data) > MAX_DATA:
        raise WorksheetError("Its data are larger than a worksheet's can be.")
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise WorksheetError("Its data cannot be read.") from error


def _checked(data: Any) -> Worksheet:
    if not isinstance(data, dict) or data.get("kind") != KIND:
        raise WorksheetError("It is no worksheet of this page.")
    if data.get("schema") != SCHEMA:
        raise WorksheetError("It was made by another version of the page, whose worksheets are not read here.")
    lessons, settings = _list(data, "lessons", MAX_LESSONS), _list(data, "settings", MAX_STEPS)
    if not all(isinstance(row, list) and len(row) == 2 for row in settings):
        raise WorksheetError("Its settings are none.")
    return Worksheet(
        student=" ".join(_text(data, "student").split()),
        saved=_text(data, "saved"),
        language=_text(data, "language"),
        recording=_text(data, "recording"),
        link=_text(data, "link"),
        settings=tuple((str(key)[:MAX_TEXT], str(value)[:MAX_TEXT]) for key, value in settings),
        answers=tuple(answer for lesson in lessons for answer in _answers(lesson)),
    )


def _answers(lesson: Any) -> list[Answer]:
    if not isinstance(lesson, dict):
        raise WorksheetError("One of its lessons is none.")
    answers = []
    for row in _list(lesson, "answers", MAX_STEPS):
        if not isinstance(row, dict) or type(row.get("step")) is not int or not 0 <= row["step"] < MAX_STEPS:
            raise WorksheetError("One of its answers is none.")
        answers.append(Answer(_text(lesson, "id"), row["step"], _text(row, "question"), _text(row, "answer")))
    return answers


def _text(row: dict[str, Any], key: str) -> str:
    value = row.get(key)
    if not isinstance(value, str):
        raise WorksheetError(f"Its {key} is no text.")
    return value[:MAX_TEXT]


def _list(row: dict[str, Any], key: str, most: int) -> list[Any]:
    value = row.get(key)
    if not isinstance(value, list) or len(value) > most:
        raise WorksheetError(f"Its {key} are no list, or too many.")
    return value
