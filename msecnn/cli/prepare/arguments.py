"""Arguments that several kinds of `prepare` take."""

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    #: What `add_subparsers` returns.
    Subcommands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def add_subcommand(
    kinds: "Subcommands", name: str, summary: str, run: Callable[[argparse.Namespace], int]
) -> argparse.ArgumentParser:
    """A kind of `prepare`, and the function that does it."""
    parser = kinds.add_parser(name, help=summary)
    parser.set_defaults(run_kind=run)
    return parser


def add_jobs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--jobs", type=at_least(1), metavar="N", help="files at once (as many as there are processors)")


def at_least(least: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if int(text) < least:
            raise argparse.ArgumentTypeError(f"{text} is less than {least}")
        return int(text)

    return number
