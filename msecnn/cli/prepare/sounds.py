"""`prepare instruments`, `guitars`, `percussion` and `not-music`, made of sounds in packages of Debian."""

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from msecnn.cli.prepare.synthesis import add_recipe, n_clips, write

if TYPE_CHECKING:
    from msecnn.cli.prepare.arguments import Subcommands
    from msecnn.data.synthesis.drum_kits import Kit


def add_subcommands(kinds: "Subcommands") -> None:
    _add_packages(add_recipe(kinds, "instruments", "bare instruments, by several soundfonts", _instruments))
    guitars = add_recipe(kinds, "guitars", "distorted guitars, alone and in a band", _guitars)
    guitars.add_argument("--recorded", type=Path, metavar="MANIFEST", help="clips known to hold a guitar are used too")
    _add_packages(guitars)
    _add_packages(add_recipe(kinds, "percussion", "drum samples in played patterns", _percussion))
    _add_packages(add_recipe(kinds, "not-music", "speech, ambience and effects of games, noise, tones", _not_music))


def _add_packages(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--packages", type=Path, metavar="FOLDER", help="keep Debian's packages here (in --out)")
    parser.add_argument(
        "--from", dest="source", type=Path, metavar="FOLDER",
        help="take packages from here (PACKAGE/…, PACKAGE_VERSION.deb, or / where they are installed), not from apt",
    )  # fmt: skip


def _fetch(args: argparse.Namespace, packages: Iterable[str]) -> dict[str, Path]:
    from msecnn.data.synthesis.packages import fetch

    return fetch(packages, args.packages or args.out, args.source)


def _sounds(args: argparse.Namespace) -> dict[str, Path]:
    """Soundfonts, and freepats, which is a folder of patches."""
    from msecnn.data.synthesis.packages import PATCHES, SOUNDFONTS, soundfont

    fonts = {package: soundfont(folder) for package, folder in _fetch(args, SOUNDFONTS).items()}
    return fonts | _fetch(args, [PATCHES])


def _kits(args: argparse.Namespace) -> "list[Kit]":
    from msecnn.data.synthesis.drum_kits import find_kits
    from msecnn.data.synthesis.packages import DRUMS

    return find_kits(_fetch(args, DRUMS))


def _instruments(args: argparse.Namespace) -> int:
    from msecnn.data.synthesis.instruments import plan_instruments

    return write(args, plan_instruments(_sounds(args), n_clips(args), seed=args.seed))


def _guitars(args: argparse.Namespace) -> int:
    from msecnn.data.manifest import Manifest
    from msecnn.data.synthesis.guitars import plan_guitars

    recorded = Manifest.read(args.recorded) if args.recorded else None
    return write(args, plan_guitars(_sounds(args), _kits(args), recorded, n_clips(args), seed=args.seed))


def _percussion(args: argparse.Namespace) -> int:
    from msecnn.data.synthesis.percussion import plan_percussion

    return write(args, plan_percussion(_kits(args), n_clips(args), seed=args.seed))


def _not_music(args: argparse.Namespace) -> int:
    from msecnn.data.synthesis.not_music import plan_not_music
    from msecnn.data.synthesis.packages import EFFECTS, SPEECH
    from msecnn.data.synthesis.speech import find_speakers

    speakers = find_speakers(_fetch(args, SPEECH), synthetic=True)
    return write(args, plan_not_music(speakers, _fetch(args, EFFECTS), n_clips(args), seed=args.seed))
