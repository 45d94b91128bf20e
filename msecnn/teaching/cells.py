"""Cells of a CSV table that somebody opens in a spreadsheet: what others wrote in them must not compute anything."""

import csv
import io
from collections.abc import Iterable, Sequence

from msecnn.files import readable

#: With one of these a spreadsheet takes a cell for a formula (OWASP, "CSV Injection"), their wide forms included.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def safe_cell(value: object) -> str:
    """A value as a cell: on as many lines as it had, without control characters, and as text where it was a formula."""
    text = readable(str(value)).replace("\r\n", "\n").replace("\r", "\n")
    text = "".join(c for c in text if c.isprintable() or c == "\n")
    return f"'{text}" if text.lstrip(" \n\xa0").startswith(FORMULA) else text


def csv_text(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table; it begins with the mark by which spreadsheets know UTF-8."""
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(header)
    for row in rows:
        writer.writerow([safe_cell(value) for value in row])
    return "\ufeff" + table.getvalue()
