"""The command line: one file a subcommand, imported only when it is named, so that `--help` answers at once."""

import argparse
import contextlib
import errno
import importlib
import os
import signal
import sys
import threading
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from msecnn import __version__
from msecnn.cli import verbosity
from msecnn.errors import MissingPackage, MsecnnError
from msecnn.files import printable, why

#: What the system answers where an output takes no more; with a file's name it would be about that file.
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
COMMANDS = {
    "tag": "tag recordings, or a whole music library, with one or several models",
    "explain": "show, exactly, why a model gave a tag: per scale, per cell of the spectrogram",
    "what-if": "edit a recording, and tell what each edit does to every tag and every scale",
    "models": "list the models and what each was trained on",
    "serve": "open the page",
    "export": "write checkpoints as an ONNX graph, for browsers and programs without torch",
    "prepare": "fetch and check a data set and write its manifest",
    "train": "train a network on a manifest",
    "distill": "train a network on what other taggers say of a manifest",
    "evaluate": "evaluate checkpoints or a file of scores: ROC-AUC, PR-AUC, intervals",
    "faithfulness": "measure over many clips how faithful each explanation is",
    "worksheets": "join the worksheets that a class handed in into one table",
    "study": "write a quiz for before and after a class, and compare its answers",
    "completion": "print a script by which a shell completes these commands",
}
#: The extra of pyproject.toml with which a command finds all packages that it may need.
EXTRAS = {
    "tag": "torch",
    "export": "torch",
    "explain": "explain",
    "what-if": "explain",
    "serve": "page",
    "prepare": "train",
    "train": "train",
    "distill": "train",
    "evaluate": "train",
    "faithfulness": "train",
    "completion": "train",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one subcommand; domain errors become one line on standard error and exit status 1."""
    argv = list(sys.argv[1:] if argv is None else argv)
    named = next((word for word in argv if not word.startswith("-")), "")
    try:
        args = make_parser([named]).parse_args(argv, argparse.Namespace(words=argv))
        verbosity.set_up(args)
        return _run(args)
    except ModuleNotFoundError as error:
        if named not in EXTRAS or not error.name or error.name.partition(".")[0] == "msecnn":
            raise
        print(f"msecnn {named}: {MissingPackage(error, extra=EXTRAS[named])}", file=sys.stderr)
        return 1


def _run(args: argparse.Namespace) -> int:
    try:
        with _ended_in_order():
            status = int(_module(args.command).run(args))
            sys.stdout.flush()
            return status
    except MsecnnError as error:
        print(printable(f"msecnn {args.command}: {error}"), file=sys.stderr)
        return 1
    except KeyboardInterrupt as error:
        print(f"msecnn {args.command}: stopped", file=sys.stderr)
        return 128 + (signal.SIGTERM if isinstance(error, Terminated) else signal.SIGINT)
    except BrokenPipeError:  # the reader of our output went away, as `| head` does: not our error
        _drop_output()
        return 128 + 13  # SIGPIPE, which not every system has
    except OSError as error:
        if error.filename is not None:  # a folder was named that is a file, or may not be entered
            print(printable(f"msecnn {args.command}: {error.filename}: {why(error)}."), file=sys.stderr)
            return 1
        if error.errno not in _FULL:
            raise
        _drop_output()
        print(f"msecnn {args.command}: The output cannot be written: {why(error)}.", file=sys.stderr)
        return 1


def make_parser(whole: Collection[str]) -> argparse.ArgumentParser:
    """The parser of all commands; only those in `whole` are imported, and know their options."""
    parser = argparse.ArgumentParser(
        prog="msecnn",
        description="Hear, see and question how a network tags music.",
        epilog="msecnn COMMAND --help tells what a command takes.",
    )
    parser.add_argument("--version", action="version", version=f"msecnn {__version__}")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, summary in COMMANDS.items():
        # no abbreviations: a card keeps the command, and is read by people and checked by programs
        description = summary[0].upper() + summary[1:] + "."
        subparser = subparsers.add_parser(name, help=summary, description=description, allow_abbrev=False)
        if name in whole:
            _module(name).add_arguments(subparser)
            verbosity.add_arguments(subparser)
    return parser


def _module(command: str) -> Any:
    return importlib.import_module(f"msecnn.cli.{command.replace('-', '_')}")


class Terminated(KeyboardInterrupt):
    """SIGTERM, which then ends a command like Ctrl-C: what it was writing is cleaned up."""


@contextlib.contextmanager
def _ended_in_order() -> Iterator[None]:
    """Turns SIGTERM into an exception meanwhile; a command may take it over."""

    def end(number: int, frame: object) -> None:
        raise Terminated

    if threading.current_thread() is not threading.main_thread():  # which alone may take signals
        yield
        return
    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _drop_output() -> None:
    """Lets what is still buffered go nowhere, or the interpreter would fail to write it once more at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
