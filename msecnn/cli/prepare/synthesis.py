"""`prepare songs` and its kind: music that is rare among recordings that are free, made from what is free."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from msecnn.cli.prepare.arguments import add_jobs, add_subcommand, at_least

if TYPE_CHECKING:
    from msecnn.cli.prepare.arguments import Subcommands
    from msecnn.data.manifest import Manifest
    from msecnn.data.synthesis.piece import Piece


def add_subcommands(kinds: "Subcommands") -> None:
    songs = _add(kinds, "songs", "dry voices over instrumental clips, women and men in equal number", _songs)
    songs.add_argument("voices", type=Path, metavar="VOICES", help="manifest: clips known to be sung by whom are used")
    songs.add_argument("backings", type=Path, metavar="BACKINGS", help="manifest: clips without a known voice are used")
    songs.add_argument(
        "--labels", type=Path, metavar="DIR", help="of teachers: over clips in which one hears a voice, nobody sings"
    )


def _add(
    kinds: "Subcommands", name: str, summary: str, run: Callable[[argparse.Namespace], int]
) -> argparse.ArgumentParser:
    parser = add_subcommand(kinds, name, summary, run)
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="of the clips and their manifest")
    parser.add_argument(
        "--clips", type=at_least(0), nargs=3, default=(40, 10, 10), metavar=("TRAIN", "VALID", "TEST"),
        help="how many of each split (40 10 10)",
    )  # fmt: skip
    parser.add_argument("--seed", type=at_least(0), default=0, help="of all that is drawn (%(default)s)")
    add_jobs(parser)
    return parser


def _n_clips(args: argparse.Namespace) -> dict[str, int]:
    from msecnn.data.manifest import SPLITS

    return dict(zip(SPLITS, args.clips, strict=True))


def _write(args: argparse.Namespace, pieces: "list[Piece]") -> int:
    from msecnn.cli.prepare.summary import print_summary
    from msecnn.data.synthesis.writer import write_pieces

    manifest = write_pieces(pieces, args.out, name=args.kind, jobs=args.jobs)
    return print_summary({manifest.write(args.out): manifest})


def _songs(args: argparse.Namespace) -> int:
    from msecnn.data.manifest import Manifest
    from msecnn.data.synthesis.songs import plan_songs

    backings = Manifest.read(args.backings)
    if args.labels:
        backings = _without_voices(backings, args.labels)
    return _write(args, plan_songs(Manifest.read(args.voices), backings, _n_clips(args), seed=args.seed))


#: Above this, a teacher hears a voice.
VOICE_HEARD = 0.15


def _without_voices(manifest: "Manifest", folder: Path) -> "Manifest":
    """The clips in which no teacher hears a voice, of those that all of them have labelled."""
    from msecnn.distillation.soft_labels import SoftLabels, key_of, labelled
    from msecnn.errors import DatasetError
    from msecnn.tags import FAMILIES

    labels = [SoftLabels.read(path) for path in sorted(folder.glob("*.npz"))]
    if not labels:
        raise DatasetError(f"{folder} holds no labels")
    voices = [[tags.index(tag) for tag in FAMILIES["vocals"] if tag in tags] for tags in (each.tags for each in labels)]
    return labelled(labels, manifest).select(
        lambda clip: all(
            each.clips[key_of(clip)].windows.mean(0)[columns].max(initial=0) < VOICE_HEARD
            for each, columns in zip(labels, voices, strict=True)
        )
    )
