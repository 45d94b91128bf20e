"""A run over a library: answers go to a journal as they come, and to the table in order when all are there."""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from msecnn.library.result_journal import ResultJournal
from msecnn.library.tables import check_format, write_table
from msecnn.library.tagging_job import RecordingTagger

#: Tags files: index into them and answer, in whatever order they become ready, each once.
Engine = Callable[[Sequence[str]], Iterator[tuple[int, dict[str, Any]]]]


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
    then: Callable[[Iterable[dict[str, Any]]], None] | None = None,
) -> Summary:
    """Tags files into a table; interrupted at any point, the next call with `resume` goes on.

    The table has one order, that of `files`, and the same content however often the run was interrupted.

    Args:
        tagger: the models, for their names, weights and tags; the engine does the work.
        out: `.csv`, `.jsonl` or `.parquet`. Beside it lies the journal, until all is done.
        resume: go on from the journal; errors in it are tried again.
        then: called with all answers before the journal goes.

    Raises:
        LibraryError: the table or journal cannot be written, or belongs to another run.
    """
    check_format(out)
    path = journal_path(out)
    with ResultJournal(path, tagger.job.identity(), resume=resume) as journal:
        done = journal.done
        todo = [file for file in files if file not in done]
        with progress_bar(len(files), len(files) - len(todo)) as bar:
            for _, answer in engine(todo):
                journal.append(answer)
                bar.update()
        write_table(out, journal.answers(files), tagger.tags)
        if then is not None:
            then(journal.answers(files))
        n_errors = sum("error" in answer for answer in journal.answers(files))
    path.unlink()
    return Summary(len(files) - n_errors, n_errors)


def journal_path(out: Path) -> Path:
    """Where the answers are until a table is complete."""
    return out.with_name(f"{out.name}.journal")


def in_order(answers: Iterable[tuple[int, dict[str, Any]]]) -> Iterator[dict[str, Any]]:
    """Answers that become ready in any order, in the order of their files."""
    waiting: dict[int, dict[str, Any]] = {}
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
