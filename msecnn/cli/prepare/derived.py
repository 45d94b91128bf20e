"""`prepare join`, `prepare speeds` and `prepare mels`: what is made of manifests that there are."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from msecnn.cli.prepare.arguments import add_jobs, add_subcommand

if TYPE_CHECKING:
    from msecnn.cli.prepare.arguments import Subcommands


def add_subcommands(kinds: "Subcommands") -> None:
    join = add_subcommand(kinds, "join", "several manifests with one vocabulary as one", _join)
    join.add_argument("manifests", type=Path, nargs="+", metavar="MANIFEST")
    join.add_argument("--out", type=Path, required=True, metavar="MANIFEST", help="a .jsonl file, or a folder")
    join.add_argument("--name", help="of the data set")
    summary = "the training clips played faster or slower, for teachers to label"
    speeds = add_subcommand(kinds, "speeds", summary, _speeds)
    speeds.add_argument("manifest", type=Path, help="the manifest, or its folder")
    speeds.add_argument("--speed", type=float, nargs="+", default=[0.87, 1.15], metavar="X", help="(0.87 1.15)")
    speeds.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="of the copies and their manifest")
    add_jobs(speeds)
    mels = add_subcommand(kinds, "mels", "compute the mels of a manifest's clips, once", _mels)
    mels.add_argument("manifest", type=Path, help="the manifest, or its folder")
    mels.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="of the mels")
    add_jobs(mels)


def _join(args: argparse.Namespace) -> int:
    from msecnn.cli.prepare.summary import print_summary
    from msecnn.data.manifest import Manifest, join, warn_of_torn_groups

    manifest = join([Manifest.read(path) for path in args.manifests], args.name or args.out.stem)
    warn_of_torn_groups(manifest.clips)
    return print_summary({manifest.write(args.out): manifest})


def _speeds(args: argparse.Namespace) -> int:
    from msecnn.cli.prepare.summary import print_summary
    from msecnn.data.manifest import Manifest
    from msecnn.data.speeds import at_other_speeds

    manifest = at_other_speeds(Manifest.read(args.manifest), args.speed, args.out / "clips", jobs=args.jobs)
    return print_summary({manifest.write(args.out): manifest})


def _mels(args: argparse.Namespace) -> int:
    from msecnn.data.manifest import Manifest
    from msecnn.data.mel_cache import MelCache

    manifest = Manifest.read(args.manifest)
    cache = MelCache.build(manifest, None, args.out, jobs=args.jobs)
    print(f"{len(cache.available(manifest))} of {len(manifest)} clips have their mel in {args.out}")
    return 1 if len(cache.failed) == len(manifest) else 0
