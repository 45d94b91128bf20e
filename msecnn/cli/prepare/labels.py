"""`prepare join-labels`: what teachers said, in several folders, as one."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from msecnn.cli.prepare.arguments import add_subcommand

if TYPE_CHECKING:
    from msecnn.cli.prepare.arguments import Subcommands


def add_subcommands(kinds: "Subcommands") -> None:
    summary = "teachers' labels from several folders as one, so that labelling can be shared"
    parser = add_subcommand(kinds, "join-labels", summary, _join_labels)
    parser.add_argument("folders", type=Path, nargs="+", metavar="LABELS", help="folders of labels, as distill writes")
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="may be one of them")


def _join_labels(args: argparse.Namespace) -> int:
    from msecnn.distillation.joined_labels import join_label_folders

    for teacher, n_clips in join_label_folders(args.folders, args.out).items():
        print(f"{args.out / teacher}.npz: {n_clips:,} clips")
    return 0
