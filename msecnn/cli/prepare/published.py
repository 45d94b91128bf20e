"""`prepare magnatagatune` and `prepare open-music`: music that others have published."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from msecnn.cli.prepare.arguments import add_jobs, add_subcommand, at_least

if TYPE_CHECKING:
    from msecnn.cli.prepare.arguments import Subcommands


def add_subcommands(kinds: "Subcommands") -> None:
    magnatagatune = "the data set of the paper: fetch, unpack, check, split"
    _add_magnatagatune(add_subcommand(kinds, "magnatagatune", magnatagatune, _magnatagatune))
    open_music = "freely licensed music from Debian's packages, without labels"
    _add_open_music(add_subcommand(kinds, "open-music", open_music, _open_music))


def _add_magnatagatune(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("root", type=Path, metavar="ROOT", help="folder for, or with, its labels, archive and clips")
    parser.add_argument("--mirror", metavar="URL", help="download from here instead of the publisher")
    parser.add_argument("--no-download", action="store_true", help="take only what lies under ROOT")
    add_jobs(parser)


def _add_open_music(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("root", type=Path, metavar="ROOT", help="folder for, or with, the tracks")
    parser.add_argument(
        "--from", dest="source", type=Path, metavar="FOLDER",
        help="take packages from here (PACKAGE/…, PACKAGE_VERSION.deb, or / where they are installed), not from apt",
    )  # fmt: skip
    parser.add_argument("--package", action="append", metavar="NAME", help="only this one; may be given several times")
    parser.add_argument(
        "--crops", type=at_least(0), default=0, metavar="N", help="further crops of each track of train (0)"
    )
    add_jobs(parser)


def _magnatagatune(args: argparse.Namespace) -> int:
    from msecnn.cli.prepare.summary import print_summary
    from msecnn.data import magnatagatune
    from msecnn.data.manifest import SPLITS

    base_url = (args.mirror or magnatagatune.HOME).rstrip("/") + "/"
    manifests = magnatagatune.prepare(args.root, base_url=base_url, download=not args.no_download, jobs=args.jobs)
    print_summary({args.root / f"{name}.jsonl": manifest for name, manifest in manifests.items()})
    for name, counts in magnatagatune.PROTOCOL_COUNTS.items():
        told = ", ".join(f"{split} {count:,}" for split, count in zip(SPLITS, counts, strict=True))
        print(f"the literature's {name}: {told}")
    return 0


def _open_music(args: argparse.Namespace) -> int:
    from msecnn.cli.prepare.summary import print_summary
    from msecnn.data import open_music

    manifests = open_music.prepare(
        args.root, source=args.source, packages=args.package, n_more_crops=args.crops, jobs=args.jobs
    )
    return print_summary({args.root / f"{name}.jsonl": manifest for name, manifest in manifests.items()})
