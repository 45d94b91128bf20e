"""The worksheets of a class as one table: a row for each student and question."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from msecnn.errors import MsecnnError
from msecnn.teaching.cells import csv_text
from msecnn.teaching.worksheet_file import Worksheet, WorksheetError, read_worksheet

#: Files that are looked at: a class has thirty.
MAX_FILES = 2000
COLUMNS = ("student", "lesson", "step", "question", "answer", "language", "saved", "recording", "settings", "link",
           "file")  # fmt: skip


@dataclass(frozen=True)
class Skipped:
    """A file that is not in the table, and why."""

    path: Path
    reason: str


@dataclass(frozen=True)
class Joined:
    """What was read, in the order of the files, and what was not."""

    worksheets: tuple[tuple[Path, Worksheet], ...]
    skipped: tuple[Skipped, ...]

    @property
    def n_students(self) -> int:
        """How many names there are; worksheets without one count for one each."""
        names = [worksheet.student.casefold() for _, worksheet in self.worksheets]
        return len({name for name in names if name}) + names.count("")

    def csv(self) -> str:
        """The table, which a spreadsheet opens: no cell of it is a formula."""
        return csv_text(COLUMNS, self._rows())

    def _rows(self) -> Iterator[Sequence[object]]:
        for path, sheet in self.worksheets:
            settings = "; ".join(f"{key}: {value}" for key, value in sheet.settings)
            after = (sheet.language, sheet.saved, sheet.recording, settings, sheet.link, path.name)
            for answer in sheet.answers:
                yield (sheet.student, answer.lesson, answer.step + 1, answer.question, answer.answer, *after)


def worksheet_files(paths: Iterable[Path]) -> list[Path]:
    """The files that are named, and all in the folders that are; hidden ones are left out.

    Raises:
        MsecnnError: a path leads nowhere, or there are too many files.
    """
    files: list[Path] = []
    for path in paths:
        if not path.exists():
            raise MsecnnError(f"{path} does not exist.")
        below = path.rglob("*") if path.is_dir() else [path]
        files += sorted(file for file in below if not file.is_dir() and not file.name.startswith("."))
        if len(files) > MAX_FILES:
            raise MsecnnError(f"There are more than {MAX_FILES:,} files: name the folder of one class.")
    return list(dict.fromkeys(files))


def join(paths: Iterable[Path]) -> Joined:
    """Reads worksheets; of two of one student and lesson, the one that was saved later counts.

    Raises:
        MsecnnError: as `worksheet_files`.
    """
    read: list[tuple[Path, Worksheet]] = []
    skipped: list[Skipped] = []
    for path in worksheet_files(paths):
        try:
            sheet = read_worksheet(path)
        except WorksheetError as error:
            skipped.append(Skipped(path, str(error)))
            continue
        if not sheet.answers:
            skipped.append(Skipped(path, "It has no question of a lesson in it."))
        else:
            read.append((path, sheet))
    kept, replaced = _latest(read)
    return Joined(tuple(kept), (*skipped, *replaced))


def _latest(read: list[tuple[Path, Worksheet]]) -> tuple[list[tuple[Path, Worksheet]], list[Skipped]]:
    """Without those that a later one of the same student and lessons replaces."""
    best: dict[tuple[object, ...], int] = {}
    for i, (_, sheet) in enumerate(read):
        before = best.setdefault(_key(sheet), i)
        if sheet.saved > read[before][1].saved:
            best[_key(sheet)] = i
    skipped = []
    for i, (path, sheet) in enumerate(read):
        if (winner := best[_key(sheet)]) != i:
            skipped.append(Skipped(path, f"{read[winner][0].name} is of the same student and lesson, and counts."))
    return [read[i] for i in sorted(best.values())], skipped


def _key(sheet: Worksheet) -> tuple[object, ...]:
    """The same for worksheets of which one counts; without a name only the same answers are the same."""
    lessons = tuple(dict.fromkeys(answer.lesson for answer in sheet.answers))
    return (sheet.student.casefold(), *lessons) if sheet.student else ("", sheet.answers)
