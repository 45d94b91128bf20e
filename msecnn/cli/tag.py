"""`tag`: recordings or a whole library in, tags out: as a table, JSON, CSV or Parquet."""

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from tqdm import tqdm

from msecnn.errors import MsecnnError

if TYPE_CHECKING:
    from msecnn.library.job import RecordingTagger
    from msecnn.library.run import Engine

UNTRAINED = "{model} has random weights: its numbers mean nothing until a trained checkpoint takes its place."
#: Up to so many files starting worker processes takes longer than it saves.
FEW = 4


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "files", nargs="+", metavar="FILE", help="mp3, ogg, opus, flac, wav, m4a, webm, mp4; or folders"
    )
    parser.add_argument(
        "--model",
        action="append",
        metavar="NAME",
        help="a bundled model's name or a checkpoint's folder; may be given several times (default: all bundled ones)",
    )
    parser.add_argument("--top", type=int, default=10, metavar="N", help="tags to print in the table (default: 10)")
    parser.add_argument("--hop-s", type=float, metavar="S", help="seconds between windows (default: 29.12, a window)")
    parser.add_argument("--format", choices=("table", "json", "csv"), default="table", help="default: table")
    parser.add_argument("--device", metavar="D", help="cpu or cuda (default: a GPU if there is one)")
    parser.add_argument("--dtype", choices=("float32", "bfloat16"), default="float32", help="default: float32")
    library = parser.add_argument_group("a music library")
    library.add_argument("--recursive", action="store_true", help="tag all recordings in the folders and below them")
    library.add_argument("--out", metavar="TABLE", type=Path, help="write all answers to a .csv, .jsonl or .parquet")
    library.add_argument("--jobs", type=int, metavar="N", help="processes that work at once (default: one a core)")
    library.add_argument("--resume", action="store_true", help="go on with the run to --out that was interrupted")


def run(args: argparse.Namespace) -> int:
    from msecnn.checkpoint import bundled
    from msecnn.library.job import Job, RecordingTagger

    _check(args)
    files, complaints = _find(args.files) if args.recursive else (args.files, [])
    for complaint in complaints:
        _say(complaint)
    models = tuple(dict.fromkeys(args.model or bundled()))
    tagger = RecordingTagger(Job(models, args.hop_s, args.device, args.dtype))
    for loaded in tagger.taggers:
        if loaded.checkpoint.untrained:
            _say(UNTRAINED.format(model=loaded.name))
    engine = _engine(args, files, tagger)
    n_errors = _to_file(args, files, tagger, engine) if args.out else _to_stdout(args, files, tagger, engine)
    return int(n_errors > 0)


def _check(args: argparse.Namespace) -> None:
    if args.top < 1:
        raise MsecnnError(f"--top must be at least 1, not {args.top}.")
    if args.jobs is not None and args.jobs < 1:
        raise MsecnnError(f"--jobs must be at least 1, not {args.jobs}.")
    if args.resume and not args.out:
        raise MsecnnError("--resume goes on with a run to a file: give its --out.")


def _find(paths: Sequence[str]) -> tuple[Sequence[str], list[str]]:
    """The recordings in folders, and what has to be said of the rest."""
    from msecnn.library.scan import readable, scan

    found = scan(paths)
    complaints = [f"The folder {readable(path)} cannot be read: {why}." for path, why in found.unreadable.items()]
    if skipped := found.skipped_sentence():
        complaints.append(skipped)
    if not found.files:
        raise MsecnnError(" ".join([*complaints, "There are no recordings in what was named."]))
    return found.files, complaints


def _engine(args: argparse.Namespace, files: Sequence[str], tagger: "RecordingTagger") -> "Engine":
    from msecnn.library.workers import n_cores, tag_in_workers

    if args.jobs is None and not args.out and len(files) <= FEW:
        return lambda files: _here(files, tagger)
    return lambda files: tag_in_workers(files, tagger.job, jobs=args.jobs or n_cores())


def _here(files: Sequence[str], tagger: "RecordingTagger") -> Iterator[tuple[int, dict[str, Any]]]:
    """Tags a few files in this process; the bar follows the seconds of a long one."""
    for index, file in enumerate(files):
        with tqdm(unit="s", leave=False, delay=2, disable=not sys.stderr.isatty()) as bar:

            def progress(heard_s: float, whole_s: float | None, bar: Any = bar) -> None:
                bar.total = whole_s and round(whole_s)
                bar.update(round(heard_s) - bar.n)

            yield index, tagger(file, progress=progress)


def _to_file(args: argparse.Namespace, files: Sequence[str], tagger: "RecordingTagger", engine: "Engine") -> int:
    from msecnn.library.run import journal_path, tag_library

    if args.resume and args.out.exists() and not journal_path(args.out).exists():
        _say(f"{args.out} is complete: no run was interrupted. Without --resume all is tagged anew.")
        return 0

    def tell_errors(answers: Iterable[dict[str, Any]]) -> None:
        for answer in answers:
            if "error" in answer:
                _say(answer["error"])

    try:
        summary = tag_library(files, tagger, engine, args.out, resume=args.resume, then=tell_errors)
    except KeyboardInterrupt:
        _say("the answers so far are kept, and --resume goes on from them")
        raise
    _say(f"recordings tagged: {summary.n_tagged:,}; not readable: {summary.n_errors:,}; all are in {args.out}")
    return summary.n_errors


def _to_stdout(args: argparse.Namespace, files: Sequence[str], tagger: "RecordingTagger", engine: "Engine") -> int:
    from msecnn.library.run import in_order, progress_bar
    from msecnn.library.scan import readable
    from msecnn.library.tables import write_csv

    answers = []
    with progress_bar(len(files)) as bar:
        for answer in in_order(engine(files)):
            bar.update()
            answers.append({**answer, "file": readable(answer["file"])})
            if "error" in answer:
                _say(answer["error"])
            if args.format == "table":
                print_table(answers[-1], args.top, sys.stdout)
    if args.format == "json":
        print(json.dumps(answers, ensure_ascii=False, indent=2))
    elif args.format == "csv":
        write_csv(answers, tagger.tags, sys.stdout)
    return sum("error" in answer for answer in answers)


def print_table(answer: dict[str, Any], top: int, out: TextIO) -> None:
    """The models' top tags side by side."""
    file = "".join(c if c.isprintable() else "�" for c in answer["file"])  # a name must not command a terminal
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
