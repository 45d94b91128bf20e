"""Reports of paragraphs and tables: at most six columns where people read, all of them in a CSV file beside it."""

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from msecnn.files import write_atomically

#: More columns than these nobody reads in one line.
MAX_COLUMNS = 6
#: Where the CSV files of a page lie, seen from it.
FOLDER = "tables"
_ESTIMATE = re.compile(r"([+-]?[\d.]+) [\[(]([+-]?[\d.]+) to ([+-]?[\d.]+)(?:, excludes zero)?[\])]")


@dataclass(frozen=True)
class Table:
    """Rows of text under a header.

    Attributes:
        name: of the CSV file, in which a folder's slash becomes an underscore.
        shown: which columns a page shows; the first six where nothing is said.
        brief: the rows that a page shows; all where nothing is said.
    """

    name: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    shown: Sequence[str] = ()
    brief: Sequence[Sequence[str]] | None = None

    @property
    def is_shown_in_part(self) -> bool:
        """Whether a page shows some columns or rows only."""
        return len(self.header) > MAX_COLUMNS or self.brief is not None

    @property
    def file(self) -> str:
        """Of the CSV file."""
        return f"{self.name.replace('/', '_')}.csv"

    def text(self) -> str:
        """All columns, aligned."""
        return table(self.header, self.rows)

    def markdown(self) -> str:
        """At most six columns, and where the others are."""
        if not self.is_shown_in_part:
            return table(self.header, self.rows, markdown=True)
        names = self.shown or self.header[:MAX_COLUMNS]
        places = [list(self.header).index(name) for name in names]
        rows = self.rows if self.brief is None else self.brief
        narrow = table(names, [[row[place] for place in places] for row in rows], markdown=True)
        path = f"{FOLDER}/{self.file}"
        whole = f"{len(self.header)} columns" if self.brief is None else f"{len(self.rows)} rows"
        return f"{narrow}\n\nAll {whole}: [{path}]({path})."

    def csv(self) -> str:
        """All columns; an estimate with its interval becomes three: `X`, `X low`, `X high`."""
        columns = [
            column
            for title, cells in zip(self.header, zip(*self.rows, strict=True), strict=True)
            for column in _columns(title, cells)
        ]
        written = io.StringIO()
        csv.writer(written, lineterminator="\n").writerows(zip(*columns, strict=True))
        return written.getvalue()


@dataclass(frozen=True)
class Report:
    """Paragraphs and tables, in order."""

    parts: Sequence[str | Table]

    def text(self) -> str:
        """For a terminal: every table whole."""
        return "\n\n".join(part.text() if isinstance(part, Table) else part for part in self.parts if part)

    def markdown(self) -> str:
        """For a page, beside which `csv_files` lie in the folder `tables`."""
        return "\n\n".join(part.markdown() if isinstance(part, Table) else part for part in self.parts if part)

    def csv_files(self) -> dict[str, str]:
        """Content by file name, of the tables that a page shows in part."""
        tables = (part for part in self.parts if isinstance(part, Table))
        return {table.file: table.csv() for table in tables if table.is_shown_in_part}

    def write(self, folder: Path) -> None:
        """Writes report.md, and the CSV files below it, each whole or not at all."""
        (folder / FOLDER).mkdir(parents=True, exist_ok=True)
        files = {"report.md": self.markdown() + "\n"}
        files |= {f"{FOLDER}/{name}": text for name, text in self.csv_files().items()}
        for name, text in files.items():
            write_atomically(folder / name, text.encode())


def table(header: Sequence[str], rows: Sequence[Sequence[str]], *, markdown: bool = False) -> str:
    """Rows of text under a header; the first column is set left, the others right."""
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]
    cells = [
        [
            text.ljust(width) if i == 0 else text.rjust(width)
            for i, (text, width) in enumerate(zip(row, widths, strict=True))
        ]
        for row in [header, *rows]
    ]
    if not markdown:
        return "\n".join("  ".join(row).rstrip() for row in cells)
    rule = ["-" * width if i == 0 else "-" * (width - 1) + ":" for i, width in enumerate(widths)]
    return "\n".join("| " + " | ".join(row) + " |" for row in [cells[0], rule, *cells[1:]])


def _columns(title: str, cells: Sequence[str]) -> list[list[str]]:
    """A column as it is, or its values and the ends of their intervals apart; an empty cell stays empty."""
    estimates = [_ESTIMATE.fullmatch(cell) for cell in cells]
    if not any(estimates) or any(cell and not estimate for cell, estimate in zip(cells, estimates, strict=True)):
        return [[title, *cells]]
    values = [estimate.groups() if estimate else ("", "", "") for estimate in estimates]
    titles = (title, f"{title} low", f"{title} high")
    return [[name, *column] for name, column in zip(titles, zip(*values, strict=True), strict=True)]
