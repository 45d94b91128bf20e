"""`tag`: recordings or a whole library in, tags out: as a table, JSON, CSV or Parquet."""

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from tqdm import tqdm

from msecnn.errors import MsecnnError
from msecnn.files import printable, readable

if TYPE_CHECKING:
    from msecnn.library.run import Engine
    from msecnn.library.tagging_job import RecordingTagger

#: Up to so many files starting worker processes takes longer than it saves.
FEW = 4
#: Whose tags go into files when no model is named.
WRITER = "msecnn"
#: Takes answers, returns how many files could not be written.
FileTagWriter = Callable[[Iterable[dict[str, Any]]], int]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "files", nargs="*", metavar="FILE", help="mp3, ogg, opus, flac, wav, m4a, webm, mp4; or folders"
    )
    parser.add_argument(
        "--model",
        action="append",
        metavar="NAME",
        help="a bundled model's name or a checkpoint's folder; may be given several times (default: all bundled ones)",
    )
    parser.add_argument("--top", type=int, default=10, metavar="N", help="tags in the table or in a file (default: 10)")
    parser.add_argument("--hop-s", type=float, metavar="S", help="seconds between windows (default: 29.12, a window)")
    parser.add_argument("--format", choices=("table", "json", "csv"), default="table", help="default: table")
    parser.add_argument("--device", metavar="D", help="cpu or cuda (default: a GPU if there is one)")
    parser.add_argument("--dtype", choices=("float32", "bfloat16"), default="float32", help="default: float32")
    library = parser.add_argument_group("a music library")
    library.add_argument("--recursive", action="store_true", help="tag all recordings in the folders and below them")
    library.add_argument("--out", metavar="TABLE", type=Path, help="write all answers to a .csv, .jsonl or .parquet")
    library.add_argument("--jobs", type=int, metavar="N", help="processes that work at once (default: one a core)")
    library.add_argument("--resume", action="store_true", help="go on with the run to --out that was interrupted")
    library.add_argument("--engine", choices=("local", "ray"), default="local", help="ray: on a cluster that is there")
    files = parser.add_argument_group("tags in the files themselves (MP3, FLAC, Ogg, MP4)")
    files.add_argument("--write-tags", action="store_true", help="write the --top tags of one model into each file")
    files.add_argument("--tag-field", default="MSECNN_TAGS", metavar="F", help="the field (default: MSECNN_TAGS)")
    files.add_argument("--min-probability", type=float, default=0.2, metavar="P", help="none below (default: 0.2)")
    files.add_argument("--dry-run", action="store_true", help="only say what --write-tags or --undo would do")
    files.add_argument("--undo-list", type=Path, metavar="U", help="remember there what fields held before")
    files.add_argument("--undo", type=Path, metavar="U", help="give fields the values back that an undo list remembers")


def run(args: argparse.Namespace) -> int:
    from msecnn.checkpoint import bundled
    from msecnn.library.tagging_job import RecordingTagger, TaggingJob
    from msecnn.tagger import UNTRAINED

    _check(args)
    if args.undo:
        return _undo(args)
    files, n_unreadable = _find(args.files) if args.recursive else (args.files, 0)
    models = tuple(dict.fromkeys(args.model or bundled()))
    tagger = RecordingTagger(TaggingJob(models, args.hop_s, args.device, args.dtype))
    for loaded in tagger.taggers:
        if loaded.checkpoint.untrained:
            _say(UNTRAINED.format(model=loaded.name))
    writer = _file_tag_writer(args, tagger) if args.write_tags else None
    engine = _engine(args, files, tagger)
    to = _to_file if args.out else _to_stdout
    return int(to(args, files, tagger, engine, writer) + n_unreadable > 0)


def _check(args: argparse.Namespace) -> None:
    if args.top < 1:
        raise MsecnnError(f"--top must be at least 1, not {args.top}.")
    if args.jobs is not None and args.jobs < 1:
        raise MsecnnError(f"--jobs must be at least 1, not {args.jobs}.")
    if args.resume and not args.out:
        raise MsecnnError("--resume goes on with a run to a file: give its --out.")
    if args.dry_run and not (args.write_tags or args.undo):
        raise MsecnnError("--dry-run goes with --write-tags or --undo: nothing else changes your files.")
    if not 0 <= args.min_probability <= 1:
        raise MsecnnError(f"--min-probability must be between 0 and 1, not {args.min_probability:g}.")
    if not (args.files or args.undo):
        raise MsecnnError("Name at least one recording or folder; --help tells more.")


def _find(paths: Sequence[str]) -> tuple[Sequence[str], int]:
    """The recordings in folders; says what else is there, and counts the folders that cannot be read."""
    from msecnn.library.scan import scan

    found = scan(paths)
    for folder, why in found.unreadable.items():
        _say(f"The folder “{printable(folder)}” cannot be read: {why}.")
    if skipped := found.skipped_sentence():
        _say(skipped)
    if not found.files:
        raise MsecnnError("There are no recordings in what was named.")
    return found.files, len(found.unreadable)


def _engine(args: argparse.Namespace, files: Sequence[str], tagger: "RecordingTagger") -> "Engine":
    from msecnn.library.serving import ModelServer
    from msecnn.library.workers import n_cores, tag_in_workers

    if args.engine == "ray":
        from msecnn.library.cluster import tag_on_cluster

        return lambda files: tag_on_cluster(files, tagger.job, jobs=args.jobs)
    if args.jobs is None and not args.out and len(files) <= FEW:
        return lambda files: _here(files, tagger)
    server = ModelServer(tagger.taggers) if tagger.taggers[0].device.type == "cuda" else None
    return lambda files: tag_in_workers(files, tagger.job, jobs=args.jobs or n_cores(), server=server)


def _here(files: Sequence[str], tagger: "RecordingTagger") -> Iterator[tuple[int, dict[str, Any]]]:
    """Tags a few files in this process; the bar follows the seconds of a long one."""
    for index, file in enumerate(files):
        with tqdm(unit="s", leave=False, delay=2, disable=not sys.stderr.isatty()) as bar:

            def progress(heard_s: float, whole_s: float | None, bar: Any = bar) -> None:
                bar.total = whole_s and round(whole_s)
                bar.update(round(heard_s) - bar.n)

            yield index, tagger(file, progress=progress)


def _to_file(
    args: argparse.Namespace,
    files: Sequence[str],
    tagger: "RecordingTagger",
    engine: "Engine",
    writer: FileTagWriter | None,
) -> int:
    from msecnn.library.run import journal_path, tag_library

    if args.resume and args.out.exists() and not journal_path(args.out).exists():
        _say(f"{args.out} is complete: no run was interrupted. Without --resume all is tagged anew.")
        return 0

    n_unwritten = 0

    def then(answers: Iterable[dict[str, Any]]) -> None:
        nonlocal n_unwritten
        n_unwritten = writer(_telling_errors(answers)) if writer else sum(0 for _ in _telling_errors(answers))

    try:
        summary = tag_library(files, tagger, engine, args.out, resume=args.resume, then=then)
    except KeyboardInterrupt:
        _say("the answers so far are kept, and --resume goes on from them")
        raise
    _say(f"recordings tagged: {summary.n_tagged:,}; not readable: {summary.n_errors:,}; all are in {args.out}")
    return summary.n_errors + n_unwritten


def _telling_errors(answers: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for answer in answers:
        if "error" in answer:
            _say(answer["error"])
        yield answer


def _to_stdout(
    args: argparse.Namespace,
    files: Sequence[str],
    tagger: "RecordingTagger",
    engine: "Engine",
    writer: FileTagWriter | None,
) -> int:
    from msecnn.library.run import in_order, progress_bar
    from msecnn.library.tables import write_csv

    answers = []
    with progress_bar(len(files)) as bar:
        for answer in _telling_errors(in_order(engine(files))):
            bar.update()
            answers.append(answer)
            if args.format == "table":
                print_table(answer, args.top, sys.stdout)
    if args.format == "json":
        named = [{**answer, "file": readable(answer["file"])} for answer in answers]
        print(json.dumps(named, ensure_ascii=False, indent=2))
    elif args.format == "csv":
        write_csv(answers, tagger.tags, sys.stdout)
    n_unwritten = writer(answers) if writer else 0
    return sum("error" in answer for answer in answers) + n_unwritten


def _file_tag_writer(args: argparse.Namespace, tagger: "RecordingTagger") -> FileTagWriter:
    """What `--write-tags` does with the answers; returns how many files could not be written."""
    from msecnn.library.fields import check_field
    from msecnn.library.file_tags import UndoList, write_tags

    model = (
        tagger.taggers[0] if args.model else next((t for t in tagger.taggers if t.name == WRITER), tagger.taggers[0])
    )
    if model.checkpoint.untrained:
        raise MsecnnError(f"{model.name} has random weights: its tags are not written into files.")
    field = check_field(args.tag_field)
    undo_list = args.undo_list or (args.out.with_name(f"{args.out.name}.undo") if args.out else Path("msecnn.undo"))

    def write(answers: Iterable[dict[str, Any]]) -> int:
        changes = write_tags(
            answers,
            model=model.name,
            top=args.top,
            min_probability=args.min_probability,
            undo_list=None if args.dry_run else UndoList(undo_list),
            field=field,
        )
        n_errors = n_changed = 0
        for change in changes:
            n_errors += change.error is not None
            n_changed += change.error is None
            if change.error or args.dry_run:
                _say(change.sentence(field))
        would = "would be " if args.dry_run else ""
        undoing = "" if args.dry_run or not n_changed else f"; --undo {undo_list} takes it back"
        _say(f"files whose {field} {would}changed: {n_changed:,}; that could not be: {n_errors:,}{undoing}")
        return n_errors

    return write


def _undo(args: argparse.Namespace) -> int:
    """Takes back what `--write-tags` wrote."""
    from msecnn.library.file_tags import UndoList, undo

    n_errors = n_changed = 0
    for field, change in undo(UndoList(args.undo), dry_run=args.dry_run):
        n_errors += change.error is not None
        n_changed += change.error is None
        if change.error or args.dry_run:
            _say(change.sentence(field))
    would = "would be " if args.dry_run else ""
    _say(f"files {would}given back what they had: {n_changed:,}; that could not be: {n_errors:,}")
    return int(n_errors > 0)


def print_table(answer: dict[str, Any], top: int, out: TextIO) -> None:
    """The models' top tags side by side."""
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


def _say(sentence: str) -> None:
    print(f"msecnn tag: {sentence}", file=sys.stderr)
