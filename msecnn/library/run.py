"""A run over a library: answers go to a journal as they come, and to the table in order when all are there."""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from tqdm import tqdm

from msecnn.library.result_journal import ResultJournal
from msecnn.library.stamps import Engine, Stamp, same_content, stale_answer, tag_unchanged
from msecnn.library.tables import check_format, write_table
from msecnn.library.tagging_job import RecordingTagger

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Summary:
    """How a run went: recordings tagged, and files that could not be used, in all and beyond those of earlier runs."""

    n_tagged: int
    n_errors: int


def tag_library(
    files: Sequence[str],
    tagger: RecordingTagger,
    engine: Engine,
    out: Path,
    *,
    resume: bool = False,
    content: bool = False,
    then: Callable[[Iterable[dict[str, Any]]], None] | None = None,
) -> Summary:
    """Tags files into a table; interrupted at any point, the next call with `resume` goes on.

    The table has one order, that of `files`, and the same content however often the run was interrupted.

    Args:
        tagger: the models, for their names, weights and tags; the engine does the work.
        out: `.csv`, `.jsonl` or `.parquet`. Beside it lies the journal, until all is done.
        resume: go on from the journal; errors in it are tried again, and files that have changed since.
        content: know files by their content, not only by size and time of change.
        then: called with all answers before the journal goes; it may write into the files, and gets an error in place
            of an answer that is no longer about what its file holds.

    Raises:
        LibraryError: the table or journal cannot be written, or belongs to another run.
    """
    check_format(out)
    path = journal_path(out)
    job = tagger.job.identity() | ({"content": True} if content else {})
    with ResultJournal(path, job, resume=resume) as journal:
        todo = [file for file in files if not journal.holds(file, Stamp.of(file, content=content))]
        with progress_bar(len(files), len(files) - len(todo)) as bar:
            for _, answer, stamp in tag_unchanged(todo, engine, content=content):
                journal.append(answer, stamp)
                bar.update()
        write_table(out, journal.answers(files), tagger.tags)
        if then is not None:
            then(_still_true_of(journal, files, content=content))
        n_errors = sum("error" in answer for answer in journal.answers(files))
    path.unlink()
    return Summary(len(files) - n_errors, n_errors)


def tag_files(
    files: Sequence[str], engine: Engine, *, content: bool = False
) -> Iterator[tuple[dict[str, Any], Stamp | None]]:
    """Answers of files, in their order, with the stamp of what each is about; nothing is kept on the disk."""
    with progress_bar(len(files)) as bar:
        stamped = tag_unchanged(files, engine, content=content)
        for pair in in_order((index, (answer, stamp)) for index, answer, stamp in stamped):
            bar.update()
            yield pair


def still_true(
    stamped: Iterable[tuple[dict[str, Any], Stamp | None]], *, content: bool = False
) -> Iterator[dict[str, Any]]:
    """What `tag_files` gave, with an error in place of an answer that is no longer about what its file holds."""
    for answer, stamp in stamped:
        is_true = "error" in answer or same_content(Stamp.of(answer["file"], content=content), stamp)
        yield answer if is_true else stale_answer(answer["file"])


def _still_true_of(journal: ResultJournal, files: Sequence[str], *, content: bool) -> Iterator[dict[str, Any]]:
    """Each file's answer, if it is about what the file holds now; what is written into the file then changes that."""
    for answer in journal.answers(files):
        file = answer["file"]
        if "error" in answer:
            yield answer
        elif not journal.holds(file, before := Stamp.of(file, content=content)):
            yield stale_answer(file)
        else:
            yield answer
            if not same_content(Stamp.of(file), before):
                journal.append(answer, Stamp.of(file, content=content))


def journal_path(out: Path) -> Path:
    """Where the answers are until a table is complete."""
    return out.with_name(f"{out.name}.journal")


def in_order(answers: Iterable[tuple[int, Answer]]) -> Iterator[Answer]:
    """Answers that become ready in any order, in the order of their files."""
    waiting: dict[int, Answer] = {}
    due = 0
    for index, answer in answers:
        waiting[index] = answer
        while due in waiting:
            yield waiting.pop(due)
            due += 1


def progress_bar(n_files: int, n_done: int = 0) -> Any:
    """Files done, time left; shown to people only."""
    hidden = n_files == 1 or not sys.stderr.isatty()
    return tqdm(total=n_files, initial=n_done, unit="file", smoothing=0.05, disable=hidden)
