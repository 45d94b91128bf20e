"""`python -m msecnn prepare`: a data set fetched, checked and written down as a manifest; or its mels computed."""

import argparse
import logging
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from msecnn.data.manifest import Manifest

HELP = "fetch and check a data set and write its manifest"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    kinds = parser.add_subparsers(dest="kind", metavar="WHAT", required=True)
    _add_folder(kinds.add_parser("folder", help="any music: a folder with one subfolder a tag"))
    _add_csv(kinds.add_parser("csv", help="any music: a table of audio files and their tags"))
    _add_magnatagatune(kinds.add_parser("magnatagatune", help="the data set of the paper: fetch, unpack, check, split"))
    _add_open_music(kinds.add_parser("open-music", help="freely licensed music from Debian's packages, without labels"))
    join = kinds.add_parser("join", help="several manifests with one vocabulary as one")
    join.add_argument("manifests", type=Path, nargs="+", metavar="MANIFEST")
    join.add_argument("--out", type=Path, required=True, metavar="MANIFEST", help="a .jsonl file, or a folder")
    join.add_argument("--name", help="of the data set")
    speeds = kinds.add_parser("speeds", help="the training clips played faster or slower, for teachers to label")
    speeds.add_argument("manifest", type=Path, help="the manifest, or its folder")
    speeds.add_argument("--speed", type=float, nargs="+", default=[0.87, 1.15], metavar="X", help="(0.87 1.15)")
    speeds.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="of the copies and their manifest")
    _add_jobs(speeds)
    mels = kinds.add_parser("mels", help="compute the mels of a manifest's clips, once")
    mels.add_argument("manifest", type=Path, help="the manifest, or its folder")
    mels.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="of the mels")
    _add_jobs(mels)


def run(args: argparse.Namespace) -> int:
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    return COMMANDS[args.kind](args)


def _add_folder(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, help="TAG/file, TAG/ALBUM/file, or either inside train, valid, test")
    _add_out(parser)


def _add_csv(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("table", type=Path, help="with a header line; separated by tabs, semicolons or commas")
    parser.add_argument(
        "--audio-root", type=Path, metavar="FOLDER", help="what the paths are relative to (the table's)"
    )
    parser.add_argument("--path-column", default="path", metavar="NAME", help="holds the file (%(default)s)")
    parser.add_argument("--tags-column", metavar="NAME", help='holds "rock, piano" or "rock=0.7; piano=0.2" (tags)')
    parser.add_argument("--split-column", metavar="NAME", help="holds train, valid or test (split, or drawn)")
    parser.add_argument(
        "--group-column", action="append", default=[], metavar="NAME",
        help="names what no split may tear apart, such as the artist (group); if given several times, all together",
    )  # fmt: skip
    parser.add_argument("--clip-column", metavar="NAME", help="holds the clip's name (its path)")
    parser.add_argument("--start-column", metavar="NAME", help="holds where in the file the clip starts, in seconds")
    parser.add_argument("--duration-column", metavar="NAME", help="holds how long the clip is, in seconds")
    parser.add_argument(
        "--absent", choices=("false", "unknown"), default="false",
        help="what it means that a row doesn't name a tag (%(default)s)",
    )  # fmt: skip
    _add_out(parser)


def _add_magnatagatune(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("root", type=Path, metavar="ROOT", help="folder for, or with, its labels, archive and clips")
    parser.add_argument("--mirror", metavar="URL", help="download from here instead of the publisher")
    parser.add_argument("--no-download", action="store_true", help="take only what lies under ROOT")
    _add_jobs(parser)


def _add_open_music(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("root", type=Path, metavar="ROOT", help="folder for, or with, the tracks")
    parser.add_argument(
        "--from", dest="source", type=Path, metavar="FOLDER",
        help="take packages from here (PACKAGE/…, PACKAGE_VERSION.deb, or / where they are installed), not from apt",
    )  # fmt: skip
    parser.add_argument("--package", action="append", metavar="NAME", help="only this one; may be given several times")
    parser.add_argument(
        "--crops", type=_at_least(0), default=0, metavar="N", help="further crops of each track of train (0)"
    )
    _add_jobs(parser)


def _add_out(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, required=True, metavar="MANIFEST", help="a .jsonl file, or a folder")
    parser.add_argument("--name", help="of the data set")
    parser.add_argument("--licence", default="", help="of the data set")
    parser.add_argument(
        "--vocabulary", metavar="FILE", help="'magnatagatune', or a file with a tag a line (default: the data's tags)"
    )
    parser.add_argument(
        "--seed", type=_at_least(0), default=0, help="of the splits, where they are drawn (%(default)s)"
    )
    parser.add_argument(
        "--fractions", type=float, nargs=3, default=(0.8, 0.1, 0.1), metavar=("TRAIN", "VALID", "TEST"),
        help="of the splits, where they are drawn (0.8 0.1 0.1)",
    )  # fmt: skip
    _add_jobs(parser)


def _add_jobs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--jobs", type=_at_least(1), metavar="N", help="files at once (as many as there are processors)"
    )


def _at_least(least: int) -> "Callable[[str], int]":
    def number(text: str) -> int:
        if int(text) < least:
            raise argparse.ArgumentTypeError(f"{text} is less than {least}")
        return int(text)

    return number


def _folder(args: argparse.Namespace) -> int:
    from msecnn.data.importing import from_folder

    manifest = from_folder(args.folder, _journal_path(args.out), **_common_options(args))
    return _tell({manifest.write(args.out): manifest})


def _csv(args: argparse.Namespace) -> int:
    from msecnn.data.importing import Columns, from_table

    columns = Columns(
        path=args.path_column,
        tags=args.tags_column,
        split=args.split_column,
        group=tuple(args.group_column),
        clip_id=args.clip_column,
        start_s=args.start_column,
        duration_s=args.duration_column,
    )
    manifest = from_table(
        args.table,
        _journal_path(args.out),
        columns=columns,
        audio_root=args.audio_root,
        absent_is_unknown=args.absent == "unknown",
        **_common_options(args),
    )
    return _tell({manifest.write(args.out): manifest})


def _magnatagatune(args: argparse.Namespace) -> int:
    from msecnn.data import magnatagatune
    from msecnn.data.manifest import SPLITS

    base_url = (args.mirror or magnatagatune.HOME).rstrip("/") + "/"
    manifests = magnatagatune.prepare(args.root, base_url=base_url, download=not args.no_download, jobs=args.jobs)
    _tell({args.root / f"{name}.jsonl": manifest for name, manifest in manifests.items()})
    for name, counts in magnatagatune.PROTOCOL_COUNTS.items():
        told = ", ".join(f"{split} {count:,}" for split, count in zip(SPLITS, counts, strict=True))
        print(f"the literature's {name}: {told}")
    return 0


def _open_music(args: argparse.Namespace) -> int:
    from msecnn.data import open_music

    manifests = open_music.prepare(
        args.root, source=args.source, packages=args.package, n_more_crops=args.crops, jobs=args.jobs
    )
    return _tell({args.root / f"{name}.jsonl": manifest for name, manifest in manifests.items()})


def _join(args: argparse.Namespace) -> int:
    from msecnn.data.manifest import Manifest, join, warn_of_torn_groups

    manifest = join([Manifest.read(path) for path in args.manifests], args.name or args.out.stem)
    warn_of_torn_groups(manifest.clips)
    return _tell({manifest.write(args.out): manifest})


def _speeds(args: argparse.Namespace) -> int:
    from msecnn.data.manifest import Manifest
    from msecnn.data.speeds import at_other_speeds

    manifest = at_other_speeds(Manifest.read(args.manifest), args.speed, args.out / "clips", jobs=args.jobs)
    return _tell({manifest.write(args.out): manifest})


def _mels(args: argparse.Namespace) -> int:
    from msecnn.data.manifest import Manifest
    from msecnn.data.mel_cache import MelCache

    manifest = Manifest.read(args.manifest)
    cache = MelCache.build(manifest, None, args.out, jobs=args.jobs)
    print(f"{len(cache.available(manifest))} of {len(manifest)} clips have their mel in {args.out}")
    return 1 if len(cache.failed) == len(manifest) else 0


def _common_options(args: argparse.Namespace) -> dict:
    return {
        "vocabulary": _vocabulary(args.vocabulary),
        "name": args.name,
        "licence": args.licence,
        "seed": args.seed,
        "fractions": tuple(args.fractions),
        "jobs": args.jobs,
    }


def _vocabulary(name: str | None) -> tuple[str, ...] | None:
    from msecnn.errors import DatasetError
    from msecnn.tags import MAGNATAGATUNE_TAGS

    if name is None:
        return None
    if name == "magnatagatune":
        return MAGNATAGATUNE_TAGS
    try:
        lines = Path(name).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"cannot read the vocabulary {name}: {error}") from error
    return tuple(line.strip() for line in lines if line.strip())


def _journal_path(out: Path) -> Path:
    return (out.parent if out.suffix == ".jsonl" else out) / "inspected.jsonl"


def _tell(manifests: "Mapping[Path, Manifest]") -> int:
    """Says what was written, and what was left out of it."""
    left_out = next(iter(manifests.values())).left_out
    for name, reason in left_out.items():
        print(f"left out: {name}: {reason}")
    for path, manifest in manifests.items():
        print(f"{path}: {_counts(manifest)}, {len(manifest.tags)} tags")
    print(f"{len(left_out)} left out")
    return 0


def _counts(manifest: "Manifest") -> str:
    from msecnn.data.manifest import SPLITS

    splits = ", ".join(f"{split} {len(manifest.split(split)):,}" for split in SPLITS)
    return f"{len(manifest):,} clips ({splits})"


COMMANDS = {
    "folder": _folder,
    "csv": _csv,
    "magnatagatune": _magnatagatune,
    "open-music": _open_music,
    "join": _join,
    "speeds": _speeds,
    "mels": _mels,
}
