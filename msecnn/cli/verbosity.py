"""How much a command tells beside its answer: `-v` all, `-q` only errors. Both are about standard error."""

import argparse
import logging

#: Commands that work for long, and say what they are at.
TALKATIVE = ("distill", "serve", "train")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    either = parser.add_mutually_exclusive_group()
    either.add_argument("-v", "--verbose", action="store_true", help="log all that may help to find a fault")
    either.add_argument("-q", "--quiet", action="store_true", help="log nothing but errors")


def set_up(args: argparse.Namespace) -> None:
    """Sends the log to standard error; `-v` and `-q` are about this program's own, not about its libraries'."""
    usual = logging.INFO if args.command in TALKATIVE else logging.WARNING
    served = "%(asctime)s %(levelname)s %(name)s: " if args.command == "serve" else ""
    logging.basicConfig(level=usual, format=f"{served}%(message)s")
    if args.verbose or args.quiet:
        logging.getLogger("msecnn").setLevel(logging.DEBUG if args.verbose else logging.ERROR)
