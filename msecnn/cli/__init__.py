"""The command line: one file a subcommand, imported only when it is named, so that `--help` answers at once."""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

from msecnn import __version__
from msecnn.cli import verbosity
from msecnn.errors import MsecnnError

COMMANDS = {
    "tag": "tag recordings, or a whole music library, with one or several models",
    "explain": "show, exactly, why a model gave a tag: per scale, per cell of the spectrogram",
    "models": "list the models and what each was trained on",
    "serve": "open the page",
    "prepare": "fetch and check a data set and write its manifest",
    "train": "train a network on a manifest",
    "distill": "train a network on what other taggers say of a manifest",
    "evaluate": "evaluate checkpoints or a file of scores: ROC-AUC, PR-AUC, intervals",
    "faithfulness": "measure over many clips how faithful each explanation is",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one subcommand; domain errors become one line on standard error and exit status 1."""
    argv = list(sys.argv[1:] if argv is None else argv)
    parser = argparse.ArgumentParser(
        prog="msecnn",
        description="Hear, see and question how a network tags music.",
        epilog="msecnn COMMAND --help tells what a command takes.",
    )
    parser.add_argument("--version", action="version", version=f"msecnn {__version__}")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    named = next((word for word in argv if not word.startswith("-")), None)
    for name, summary in COMMANDS.items():
        # no abbreviations: a card keeps the command, and is read by people and checked by programs
        description = summary[0].upper() + summary[1:] + "."
        subparser = subparsers.add_parser(name, help=summary, description=description, allow_abbrev=False)
        if name == named:
            importlib.import_module(f"msecnn.cli.{name}").add_arguments(subparser)
            verbosity.add_arguments(subparser)
    args = parser.parse_args(argv, argparse.Namespace(words=argv))
    verbosity.set_up(args)
    try:
        return int(importlib.import_module(f"msecnn.cli.{args.command}").run(args))
    except MsecnnError as error:
        print(f"msecnn {args.command}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"msecnn {args.command}: stopped", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader of our output went away, as `| head` does: not our error
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
