"""`prepare folder` and `prepare csv`: anybody's music as a manifest."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from msecnn.cli.prepare.arguments import add_jobs, add_subcommand, at_least

if TYPE_CHECKING:
    from msecnn.cli.prepare.arguments import Subcommands


def add_subcommands(kinds: "Subcommands") -> None:
    _add_folder(add_subcommand(kinds, "folder", "any music: a folder with one subfolder a tag", _folder))
    _add_csv(add_subcommand(kinds, "csv", "any music: a table of audio files and their tags", _csv))


def _add_folder(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, help="TAG/file, TAG/ALBUM/file, or either inside train, valid, test")
    _add_out(parser)


def _add_csv(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("table", type=Path, help="with a header line; separated by tabs, semicolons or commas")
    parser.add_argument("--audio-root", type=Path, metavar="FOLDER", help="paths are relative to it (the table's)")
    parser.add_argument("--path-column", default="path", metavar="NAME", help="holds the file (%(default)s)")
    parser.add_argument("--tags-column", metavar="NAME", help='holds "rock, piano" or "rock=0.7; piano=0.2" (tags)')
    parser.add_argument("--split-column", metavar="NAME", help="holds train, valid or test (split, or drawn)")
    parser.add_argument(
        "--group-column", action="append", default=[], metavar="NAME",
        help="names what no split may tear apart, such as the artist (group); if given several times, all together",
    )  # fmt: skip
    parser.add_argument("--clip-column", metavar="NAME", help="holds the clip's name (its path)")
    parser.add_argument("--start-column", metavar="NAME", help="holds where in the file the clip starts, in seconds")
    parser.add_argument("--duration-column", metavar="NAME", help="holds how long the clip is, in seconds")
    parser.add_argument(
        "--absent", choices=("false", "unknown"), default="false",
        help="what it means that a row doesn't name a tag (%(default)s)",
    )  # fmt: skip
    _add_out(parser)


def _add_out(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, required=True, metavar="MANIFEST", help="a .jsonl file, or a folder")
    parser.add_argument("--name", help="of the data set")
    parser.add_argument("--licence", default="", help="of the data set")
    vocabulary = "'magnatagatune', or a file with a tag a line (default: the data's tags)"
    parser.add_argument("--vocabulary", metavar="FILE", help=vocabulary)
    parser.add_argument("--seed", type=at_least(0), default=0, help="of splits that are drawn (%(default)s)")
    parser.add_argument(
        "--fractions", type=float, nargs=3, default=(0.8, 0.1, 0.1), metavar=("TRAIN", "VALID", "TEST"),
        help="of the splits, where they are drawn (0.8 0.1 0.1)",
    )  # fmt: skip
    add_jobs(parser)


def _folder(args: argparse.Namespace) -> int:
    from msecnn.cli.prepare.summary import print_summary
    from msecnn.data.importing import from_folder

    manifest = from_folder(args.folder, _journal_path(args.out), **_common_options(args))
    return print_summary({manifest.write(args.out): manifest})


def _csv(args: argparse.Namespace) -> int:
    from msecnn.cli.prepare.summary import print_summary
    from msecnn.data.importing import Columns, from_table

    columns = Columns(
        path=args.path_column,
        tags=args.tags_column,
        split=args.split_column,
        group=tuple(args.group_column),
        clip_id=args.clip_column,
        start_s=args.start_column,
        duration_s=args.duration_column,
    )
    manifest = from_table(
        args.table,
        _journal_path(args.out),
        columns=columns,
        audio_root=args.audio_root,
        absent_is_unknown=args.absent == "unknown",
        **_common_options(args),
    )
    return print_summary({manifest.write(args.out): manifest})


def _common_options(args: argparse.Namespace) -> dict:
    return {
        "vocabulary": _vocabulary(args.vocabulary),
        "name": args.name,
        "licence": args.licence,
        "seed": args.seed,
        "fractions": tuple(args.fractions),
        "jobs": args.jobs,
    }


def _vocabulary(name: str | None) -> tuple[str, ...] | None:
    from msecnn.errors import DatasetError
    from msecnn.tags import MAGNATAGATUNE_TAGS

    if name is None:
        return None
    if name == "magnatagatune":
        return MAGNATAGATUNE_TAGS
    try:
        lines = Path(name).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"cannot read the vocabulary {name}: {error}") from error
    return tuple(line.strip() for line in lines if line.strip())


def _journal_path(out: Path) -> Path:
    return (out.parent if out.suffix == ".jsonl" else out) / "inspected.jsonl"
