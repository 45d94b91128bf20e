"""`python -m msecnn prepare`: a data set fetched, checked and written down as a manifest; or something made of one."""

import argparse
import importlib

#: Modules of this package, in the order of their subcommands in `--help`.
GROUPS = ("own_music", "published", "derived", "synthesis", "sounds", "labels")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    kinds = parser.add_subparsers(dest="kind", metavar="WHAT", required=True)
    for group in GROUPS:
        importlib.import_module(f"msecnn.cli.prepare.{group}").add_subcommands(kinds)


def run(args: argparse.Namespace) -> int:
    return int(args.run_kind(args))
