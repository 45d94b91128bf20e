"""Answers as files that other programs read: JSON lines, CSV, Parquet; written whole or not at all."""

import csv
import json
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

from msecnn.library.result_journal import LibraryError
from msecnn.library.scan import readable

#: Answers to a row group of a Parquet file, which is built in memory.
ROW_GROUP = 1000
COLUMNS = ("file", "model", "duration_s", "error")


def check_format(path: Path) -> None:
    """Raises LibraryError now, rather than after hours, if a file of that name cannot be written."""
    if path.suffix.lower() not in WRITERS:
        raise LibraryError(f"{path} must end in {', '.join(list(WRITERS)[:-1])} or {list(WRITERS)[-1]}.")
    if path.is_dir() or not path.parent.is_dir():
        raise LibraryError(f"{path} is a folder, or lies in one that does not exist.")
    if path.suffix.lower() == ".parquet":
        _pyarrow()


def write_table(path: Path, answers: Iterable[dict[str, Any]], tags: Sequence[str]) -> None:
    """Writes answers in the format of the file's name; an existing file is replaced when all is written.

    Args:
        answers: as `answer_json` gives them, or `{"file", "error"}`.
        tags: the columns of CSV and Parquet.
    """
    writer = WRITERS[path.suffix.lower()]
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            temporary = Path(file.name)
            try:
                writer(temporary, answers, tags)
                os.fsync(file.fileno())
                os.chmod(temporary, 0o666 & ~_umask())
                os.replace(temporary, path)
            except BaseException:
                temporary.unlink(missing_ok=True)
                raise
    except OSError as error:
        raise LibraryError(f"{path} cannot be written: {error.strerror}; the answers are kept.") from error


def write_csv(answers: Iterable[dict[str, Any]], tags: Sequence[str], out: TextIO) -> None:
    """A row for each file and model, a column for each tag."""
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow([*COLUMNS, *tags])
    for answer in answers:
        for row in _rows(answer):
            rows.writerow([row.get(column, "") for column in (*COLUMNS, *tags)])


def _rows(answer: dict[str, Any]) -> Iterator[dict[str, Any]]:
    file = readable(answer["file"])
    if "error" in answer:
        yield {"file": file, "error": answer["error"]}
        return
    for model, said in answer["models"].items():
        yield {"file": file, "model": model, "duration_s": answer["duration_s"], **said["tags"]}


def _write_jsonl(path: Path, answers: Iterable[dict[str, Any]], tags: Sequence[str]) -> None:
    with path.open("w", encoding="utf-8") as out:
        for answer in answers:
            answer = {**answer, "file": readable(answer["file"])}
            out.write(json.dumps(answer, ensure_ascii=False) + "\n")


def _write_csv(path: Path, answers: Iterable[dict[str, Any]], tags: Sequence[str]) -> None:
    with path.open("w", encoding="utf-8", newline="") as out:
        write_csv(answers, tags, out)


def _write_parquet(path: Path, answers: Iterable[dict[str, Any]], tags: Sequence[str]) -> None:
    arrow, parquet = _pyarrow()
    kinds = {"duration_s": arrow.float64()} | dict.fromkeys(tags, arrow.float32())
    schema = arrow.schema([(column, kinds.get(column, arrow.string())) for column in (*COLUMNS, *tags)])
    answers = iter(answers)
    with parquet.ParquetWriter(path, schema) as out:
        while group := list(islice(answers, ROW_GROUP)):
            rows = [row for answer in group for row in _rows(answer)]
            out.write_table(arrow.Table.from_pylist(rows, schema=schema))


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise LibraryError("Writing Parquet needs pyarrow: pip install pyarrow.") from error
    return pyarrow, pyarrow.parquet


def _umask() -> int:
    """The process's umask, which can only be read by setting it."""
    umask = os.umask(0)
    os.umask(umask)
    return umask


WRITERS: dict[str, Callable[[Path, Iterable[dict[str, Any]], Sequence[str]], None]] = {
    ".csv": _write_csv,
    ".jsonl": _write_jsonl,
    ".parquet": _write_parquet,
}
