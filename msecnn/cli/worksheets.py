"""`worksheets`: those that a class handed in, joined into one table."""

import argparse
import sys
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "paths",
        nargs="+",
        type=Path,
        metavar="FILE",
        help="worksheets as the page saves them (.html, .zip), or folders",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="TABLE.csv", help="a row a student and question")


def run(args: argparse.Namespace) -> int:
    """Status 1 where a file was skipped, so that a script notices."""
    from msecnn.errors import MsecnnError
    from msecnn.files import printable, write_atomically
    from msecnn.teaching.worksheet_table import join

    if args.out.suffix.lower() != ".csv":
        raise MsecnnError(f"{args.out} must end in .csv.")
    joined = join(path for path in args.paths)
    for skipped in joined.skipped:
        print(printable(f"{skipped.path}: {skipped.reason}"), file=sys.stderr)
    if not joined.worksheets:
        raise MsecnnError("There is no worksheet to join.")
    write_atomically(args.out, joined.csv())
    n_answers = sum(len(sheet.answers) for _, sheet in joined.worksheets)
    counted = f"{len(joined.worksheets)} worksheets of {joined.n_students} students, {n_answers} answers"
    print(printable(f"{counted}: {args.out}"))
    if joined.skipped:
        print(f"Skipped: {len(joined.skipped)}, each with its reason above.", file=sys.stderr)
    return 1 if joined.skipped else 0
