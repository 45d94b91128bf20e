"""`tag`: recordings or a whole library in, tags out: as a table, JSON, CSV or Parquet."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from msecnn.errors import MsecnnError

if TYPE_CHECKING:
    from msecnn.library.file_tags import FileTagWriter
    from msecnn.library.stamps import Engine
    from msecnn.library.tagging_job import RecordingTagger


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
    parser.add_argument(
        "--runtime", choices=("onnx", "torch"), help="what runs the models (default: the sooner one of those installed)"
    )
    library = parser.add_argument_group("a music library")
    library.add_argument("--recursive", action="store_true", help="tag all recordings in the folders and below them")
    library.add_argument("--out", metavar="TABLE", type=Path, help="write all answers to a .csv, .jsonl or .parquet")
    library.add_argument("--jobs", type=int, metavar="N", help="processes that work at once (default: one a core)")
    library.add_argument("--resume", action="store_true", help="go on with the run to --out that was interrupted")
    library.add_argument(
        "--check-content", action="store_true", help="tell changed files by their content, not only by size and time"
    )
    library.add_argument("--engine", choices=("local", "ray"), default="local", help="ray: on a cluster that is there")
    files = parser.add_argument_group("tags in the files themselves (MP3, FLAC, Ogg, MP4)")
    files.add_argument("--write-tags", action="store_true", help="write the --top tags of one model into each file")
    files.add_argument("--tag-field", default="MSECNN_TAGS", metavar="F", help="the field (default: MSECNN_TAGS)")
    files.add_argument("--min-probability", type=float, default=0.2, metavar="P", help="none below (default: 0.2)")
    files.add_argument("--dry-run", action="store_true", help="only say what --write-tags, --undo, --clean would do")
    files.add_argument("--undo-list", type=Path, metavar="U", help="remember there what fields held before")
    files.add_argument("--undo", type=Path, metavar="U", help="give fields the values back that an undo list remembers")
    files.add_argument("--clean", action="store_true", help="remove the copies that a killed run left in the folders")


def run(args: argparse.Namespace) -> int:
    from msecnn.checkpoint import bundled
    from msecnn.library import file_tags, reporting, scan, unfinished
    from msecnn.library.tagging_job import RecordingTagger, TaggingJob

    _check(args)
    if args.undo:
        return int(file_tags.tell_undo(args.undo, dry_run=args.dry_run, say=_say) > 0)
    if args.clean:
        left = scan.scan(args.files).unfinished
        return int(unfinished.remove_unfinished(left, dry_run=args.dry_run, say=_say) > 0)
    files, n_bad = reporting.find_recordings(args.files, _say) if args.recursive else (args.files, 0)
    models = tuple(dict.fromkeys(args.model or bundled()))
    settings = {name: getattr(args, name) for name in ("hop_s", "device", "dtype", "runtime")}
    tagger = RecordingTagger(TaggingJob.soonest(models, **settings))
    reporting.tell_untrained(tagger.taggers, _say)
    how = {"content": args.check_content, "writer": _writer(args, tagger) if args.write_tags else None, "say": _say}
    engine = _engine(args, tagger, len(files))
    if args.out:
        n_bad += reporting.tag_to_table(files, tagger, engine, args.out, resume=args.resume, **how)
    else:
        n_bad += reporting.tag_to_stream(files, tagger, engine, sys.stdout, form=args.format, top=args.top, **how)
    return int(n_bad > 0)


def _check(args: argparse.Namespace) -> None:
    if args.top < 1:
        raise MsecnnError(f"--top must be at least 1, not {args.top}.")
    if args.jobs is not None and args.jobs < 1:
        raise MsecnnError(f"--jobs must be at least 1, not {args.jobs}.")
    if args.resume and not args.out:
        raise MsecnnError("--resume goes on with a run to a file: give its --out.")
    if args.dry_run and not (args.write_tags or args.undo or args.clean):
        raise MsecnnError("--dry-run goes with --write-tags, --undo or --clean: nothing else changes your files.")
    if not 0 <= args.min_probability <= 1:
        raise MsecnnError(f"--min-probability must be between 0 and 1, not {args.min_probability:g}.")
    if not (args.files or args.undo):
        raise MsecnnError("Name at least one recording or folder; --help tells more.")


def _engine(args: argparse.Namespace, tagger: "RecordingTagger", n_files: int) -> "Engine":
    from msecnn.library.engines import FEW, cluster_engine, local_engine

    if args.engine == "ray":
        return cluster_engine(tagger, jobs=args.jobs)
    return local_engine(tagger, here=not args.out and n_files <= FEW, jobs=args.jobs)


def _writer(args: argparse.Namespace, tagger: "RecordingTagger") -> "FileTagWriter":
    from msecnn.library.file_tags import FileTagWriter

    out: Path | None = args.out
    how = {name: getattr(args, name) for name in ("top", "min_probability", "dry_run")}
    how["undo_list"] = args.undo_list or (out.with_name(f"{out.name}.undo") if out else Path("msecnn.undo"))
    return FileTagWriter.of(tagger.taggers, named=bool(args.model), field=args.tag_field, say=_say, **how)


def _say(sentence: str) -> None:
    print(f"msecnn tag: {sentence}", file=sys.stderr)
