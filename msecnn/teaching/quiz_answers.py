"""Answers to the quiz as CSV files: one row a quiz that was filled in, in one file or in many."""

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from msecnn.errors import MsecnnError
from msecnn.files import printable, read_regular, why
from msecnn.teaching.quiz import COLUMNS, FORMS, LETTERS, OCCASIONS, form_questions

#: Largest file of answers, bytes; longest code of a participant, characters; rows of all files together.
MAX_FILE, MAX_CODE, MAX_ROWS = 4_000_000, 40, 20_000


class QuizError(MsecnnError):
    """A file or a row of answers is none."""


@dataclass(frozen=True)
class FilledIn:
    """A quiz that was filled in.

    Attributes:
        participant: the code, in capitals.
        occasion: one of `OCCASIONS`.
        form: one of `FORMS`.
        answers: a letter a question; "" where it was left out.
    """

    participant: str
    occasion: str
    form: str
    answers: tuple[str, ...]

    @property
    def right(self) -> tuple[bool, ...]:
        """Whether each answer is right; one that was left out is not."""
        return tuple(
            given == question.letter for given, question in zip(self.answers, form_questions(self.form), strict=True)
        )

    @property
    def score(self) -> int:
        return sum(self.right)


def answer_files(paths: Iterable[Path]) -> list[Path]:
    """The files that are named, and the `.csv` in the folders that are.

    Raises:
        QuizError: a path leads nowhere.
    """
    files: list[Path] = []
    for path in paths:
        if not path.exists():
            raise QuizError(f"{path} does not exist.")
        files += sorted(path.rglob("*.csv")) if path.is_dir() else [path]
    return list(dict.fromkeys(files))


def read_answers(paths: Iterable[Path]) -> tuple[list[FilledIn], list[str]]:
    """All rows that are answers, and a sentence for each that is none or comes twice.

    Raises:
        QuizError: a path leads nowhere, or there are too many rows.
    """
    filled: dict[tuple[str, str], FilledIn] = {}
    problems: list[str] = []
    for path in answer_files(paths):
        try:
            rows = list(_rows(path))
        except QuizError as error:
            problems.append(f"{path}: {error}")
            continue
        for line, row in rows:
            try:
                quiz = _filled_in(row)
            except QuizError as error:
                problems.append(f"{path}, line {line}: {error}")
                continue
            if (before := filled.setdefault((quiz.participant, quiz.occasion), quiz)) is not quiz:
                kind = "the same once more" if before == quiz else "another quiz of the same person and occasion"
                problems.append(f"{path}, line {line}: It is {kind}; the first counts.")
        if len(filled) + len(problems) > MAX_ROWS:
            raise QuizError(f"There are more than {MAX_ROWS:,} rows: name the files of one study.")
    return list(filled.values()), problems


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        text = read_regular(path, most=MAX_FILE).decode("utf-8-sig")
    except OSError as error:
        raise QuizError(f"It cannot be read: {why(error)}.") from error
    except UnicodeDecodeError as error:
        raise QuizError("It is no text in UTF-8.") from error
    delimiter = ";" if text.partition("\n")[0].count(";") > text.partition("\n")[0].count(",") else ","
    table = csv.DictReader(io.StringIO(text), delimiter=delimiter, strict=True)
    try:
        if missing := [name for name in COLUMNS if name not in (table.fieldnames or ())]:
            raise QuizError(f"It has no column {missing[0]}.")
        yield from ((table.line_num, row) for row in table)
    except csv.Error as error:
        raise QuizError("It is no table of comma-separated values.") from error


def _filled_in(row: dict[str, str]) -> FilledIn:
    cells = {name: (row.get(name) or "").strip().lower() for name in COLUMNS}
    participant = "".join(cells["participant"].upper().split())
    if not participant or len(participant) > MAX_CODE:
        raise QuizError("It has no code of a participant, or one that is too long.")
    for name, allowed in (("occasion", OCCASIONS), ("form", FORMS)):
        if cells[name] not in allowed:
            raise QuizError(f"The {name} is {' or '.join(allowed)}, not {printable(cells[name], longest=20)!r}.")
    answers = tuple(cells[name] for name in COLUMNS[3:])
    for name, answer in zip(COLUMNS[3:], answers, strict=True):
        if len(answer) > 1 or answer not in LETTERS:
            raise QuizError(f"The answer {name} is a letter from a to d, not {printable(answer, longest=20)!r}.")
    return FilledIn(participant, cells["occasion"], cells["form"], answers)
