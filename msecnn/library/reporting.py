"""A run as a person follows it: what is found, tagged, unreadable and written, each in a sentence when it is known."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TextIO

from msecnn.errors import MsecnnError
from msecnn.files import printable
from msecnn.library.file_tags import FileTagWriter
from msecnn.library.run import journal_path, still_true, tag_files, tag_library
from msecnn.library.scan import scan
from msecnn.library.stamps import Engine
from msecnn.library.tables import write_csv, write_json, write_text
from msecnn.library.tagging_job import RecordingTagger
from msecnn.library.unfinished import unfinished_sentence
from msecnn.tagger import UNTRAINED, Tagger

#: Takes a sentence for a person.
Say = Callable[[str], None]


def find_recordings(paths: Sequence[str], say: Say) -> tuple[Sequence[str], int]:
    """The recordings in folders and below; says what else is there, and counts the folders that cannot be read."""
    found = scan(paths)
    for folder, reason in found.unreadable.items():
        say(f"The folder “{printable(folder)}” cannot be read: {reason}.")
    if skipped := found.skipped_sentence():
        say(skipped)
    if found.unfinished:
        say(unfinished_sentence(found.unfinished))
    if not found.files:
        raise MsecnnError("There are no recordings in what was named.")
    return found.files, len(found.unreadable)


def tell_untrained(taggers: Sequence[Tagger], say: Say) -> None:
    """Warns of models whose numbers mean nothing."""
    for tagger in taggers:
        if tagger.checkpoint.untrained:
            say(UNTRAINED.format(model=tagger.name))


def tag_to_table(
    files: Sequence[str],
    tagger: RecordingTagger,
    engine: Engine,
    out: Path,
    *,
    resume: bool = False,
    content: bool = False,
    writer: FileTagWriter | None = None,
    say: Say,
) -> int:
    """`tag_library`, told; returns how many files could not be used or written."""
    if resume and out.exists() and not journal_path(out).exists():
        say(f"{out} is complete: no run was interrupted. Without --resume all is tagged anew.")
        return 0
    n_unwritten = 0

    def then(answers: Iterable[dict[str, Any]]) -> None:
        nonlocal n_unwritten
        told = _telling_errors(answers, say)
        n_unwritten = writer(told) if writer else sum(0 for _ in told)

    try:
        summary = tag_library(files, tagger, engine, out, resume=resume, content=content, then=then)
    except KeyboardInterrupt:
        say("the answers so far are kept, and --resume goes on from them")
        raise
    say(f"recordings tagged: {summary.n_tagged:,}; not readable: {summary.n_errors:,}; all are in {out}")
    return summary.n_errors + n_unwritten


def _telling_errors(answers: Iterable[dict[str, Any]], say: Say) -> Iterator[dict[str, Any]]:
    for answer in answers:
        if "error" in answer and not answer.get("stale"):
            say(answer["error"])
        yield answer


def tag_to_stream(
    files: Sequence[str],
    tagger: RecordingTagger,
    engine: Engine,
    out: TextIO,
    *,
    form: str,
    top: int,
    content: bool = False,
    writer: FileTagWriter | None = None,
    say: Say,
) -> int:
    """Tags files to a stream; returns how many files could not be used or written.

    Args:
        form: "table" for a person, answer by answer; "json" or "csv" when all are there.
        top: tags of each answer in the table.
    """
    stamped = []
    for answer, stamp in tag_files(files, engine, content=content):
        stamped.append((answer, stamp))
        if "error" in answer:
            say(answer["error"])
        if form == "table":
            write_text(answer, top, out)
    answers = [answer for answer, _ in stamped]
    if form == "json":
        write_json(answers, out)
    elif form == "csv":
        write_csv(answers, tagger.tags, out)
    n_unwritten = writer(still_true(stamped, content=content)) if writer else 0
    return sum("error" in answer for answer in answers) + n_unwritten
