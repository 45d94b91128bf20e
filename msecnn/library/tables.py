"""Answers as files that other programs read: JSON lines, CSV, Parquet; written whole or not at all."""

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

from msecnn.files import WriteError, printable, readable, replacing
from msecnn.library.result_journal import LibraryError

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
        with replacing(path) as partial:
            writer(partial, answers, tags)
    except WriteError as error:
        raise LibraryError(f"{path} cannot be written: {error.reason}; the answers are kept.") from error


def write_csv(answers: Iterable[dict[str, Any]], tags: Sequence[str], out: TextIO) -> None:
    """A row for each file and model, a column for each tag."""
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow([*COLUMNS, *tags])
    for answer in answers:
        for row in _rows(answer):
            rows.writerow([row.get(column, "") for column in (*COLUMNS, *tags)])


def write_text(answer: dict[str, Any], top: int, out: TextIO) -> None:
    """One answer for a person: the models' top tags side by side."""
    file = printable(answer["file"])
    if "error" in answer:
        print(f"{file}: {answer['error']}", file=out)
        return
    print(f"{file} ({answer['duration_s']:.1f} s)", file=out)
    for note in answer["notes"]:
        print(f"  {note}", file=out)
    print("  " + "".join(f"{model:<26}" for model in answer["models"]).rstrip(), file=out)
    ranked = [sorted(said["tags"].items(), key=lambda pair: -pair[1])[:top] for said in answer["models"].values()]
    for row in zip(*ranked, strict=False):
        print("  " + "".join(f"{probability:.3f}  {tag:<19}" for tag, probability in row).rstrip(), file=out)


def write_json(answers: Iterable[dict[str, Any]], out: TextIO) -> None:
    """All answers as one readable list."""
    named = [{**answer, "file": readable(answer["file"])} for answer in answers]
    print(json.dumps(named, ensure_ascii=False, indent=2), file=out)


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


WRITERS: dict[str, Callable[[Path, Iterable[dict[str, Any]], Sequence[str]], None]] = {
    ".csv": _write_csv,
    ".jsonl": _write_jsonl,
    ".parquet": _write_parquet,
}
