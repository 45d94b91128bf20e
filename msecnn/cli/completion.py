"""`completion`: a script by which a shell completes commands, options, their choices, and files."""

import argparse

from msecnn.errors import MsecnnError

SHELLS = ("bash", "zsh", "tcsh")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", choices=SHELLS, help="for which shell; eval its output there, or keep it as a file")


def run(args: argparse.Namespace) -> int:
    from msecnn import cli

    try:
        import shtab
    except ImportError as error:
        raise MsecnnError("Completion needs one package more: pip install shtab.") from error
    parser = cli.make_parser(tuple(cli.COMMANDS))
    complete_files(parser, shtab.FILE)
    print(shtab.complete(parser, args.shell))
    return 0


def complete_files(parser: argparse.ArgumentParser, files: object) -> None:
    """Where a command takes words that it does not list, they may be files."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for subparser in action.choices.values():
                complete_files(subparser, files)
        elif action.choices is None and action.nargs != 0:
            action.complete = files  # type: ignore[attr-defined]
