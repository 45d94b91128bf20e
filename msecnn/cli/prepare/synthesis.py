"""`prepare songs` and `prepare conditions`, made of clips that there are; and what all such recipes share."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from msecnn.cli.prepare.arguments import add_jobs, add_subcommand, at_least

if TYPE_CHECKING:
    from msecnn.cli.prepare.arguments import Subcommands
    from msecnn.data.synthesis.piece import Piece


def add_subcommands(kinds: "Subcommands") -> None:
    songs = add_recipe(kinds, "songs", "dry voices over instrumental clips, women and men in equal number", _songs)
    songs.add_argument("voices", type=Path, metavar="VOICES", help="manifest: clips known to be sung by whom are used")
    songs.add_argument("backings", type=Path, metavar="BACKINGS", help="manifest: clips without a known voice are used")
    songs.add_argument(
        "--labels", type=Path, metavar="DIR", help="of teachers: over clips in which one hears a voice, nobody sings"
    )
    conditions = add_recipe(kinds, "conditions", "recordings too quiet, badly coded, with faults", _conditions)
    conditions.add_argument("manifest", type=Path, help="the manifest, or its folder")


def add_recipe(
    kinds: "Subcommands", name: str, summary: str, run: Callable[[argparse.Namespace], int]
) -> argparse.ArgumentParser:
    """A kind of `prepare` that makes clips, with the options that all of these have."""
    parser = add_subcommand(kinds, name, summary, run)
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="of the clips and their manifest")
    parser.add_argument(
        "--clips", type=at_least(0), nargs=3, default=(40, 10, 10), metavar=("TRAIN", "VALID", "TEST"),
        help="how many of each split (40 10 10)",
    )  # fmt: skip
    parser.add_argument("--seed", type=at_least(0), default=0, help="of all that is drawn (%(default)s)")
    add_jobs(parser)
    return parser


def n_clips(args: argparse.Namespace) -> dict[str, int]:
    """How many are wanted of each split."""
    from msecnn.data.manifest import SPLITS

    return dict(zip(SPLITS, args.clips, strict=True))


def write(args: argparse.Namespace, pieces: "list[Piece]") -> int:
    """Renders what was planned and writes the manifest."""
    from msecnn.cli.prepare.summary import print_summary
    from msecnn.data.synthesis.writer import write_pieces

    manifest = write_pieces(pieces, args.out, name=args.kind, jobs=args.jobs)
    return print_summary({manifest.write(args.out): manifest})


def _songs(args: argparse.Namespace) -> int:
    from msecnn.data.manifest import Manifest
    from msecnn.data.synthesis.songs import plan_songs

    backings = Manifest.read(args.backings)
    if args.labels:
        from msecnn.distillation.instrumental import without_voices

        backings = without_voices(backings, args.labels)
    return write(args, plan_songs(Manifest.read(args.voices), backings, n_clips(args), seed=args.seed))


def _conditions(args: argparse.Namespace) -> int:
    from msecnn.data.manifest import Manifest
    from msecnn.data.synthesis.conditions import plan_conditions

    return write(args, plan_conditions(Manifest.read(args.manifest), n_clips(args), seed=args.seed))
