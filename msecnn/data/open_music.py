"""Freely licensed music from Debian's game packages: the list of tracks travels here, the audio is fetched by name.

ROOT/tracks/PACKAGE/…    the tracks, as their packages hold them
     manifest.jsonl      the listed stretches of them: clips without labels, for teachers to listen to
"""

import csv
import logging
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import numpy as np
from tqdm import tqdm

from msecnn.data.debian import check_source, unpacked
from msecnn.data.inspection import Inspection, inspect_files
from msecnn.data.manifest import Clip, Manifest
from msecnn.errors import DatasetError
from msecnn.files import locked_folder, write_atomically
from msecnn.frontend import MelConfig
from msecnn.tags import MAGNATAGATUNE_TAGS

logger = logging.getLogger(__name__)

NAME = "Open music from Debian's packages"
LICENCE = "free, by track; see each clip's licence"
INSIDE = "!/"  # in a track's name, between an archive and what it holds
CROP_STEP_S = 0.5  # on which further crops are looked for
CROP_APART_S = 5.0  # closer than this to another crop of the track, one more tells little new


@dataclass(frozen=True)
class Track:
    """A piece of music in a package, and the stretches of it that are clips.

    Attributes:
        package, version: of Debian; the version in which it was seen.
        track: its path in the package, or ARCHIVE!/PATH where it is packed once more.
        split: of all its clips.
        starts_s, durations_s: of its clips.
        title, artist, licence: as far as stated.
    """

    package: str
    version: str
    track: str
    split: str
    starts_s: tuple[float, ...]
    durations_s: tuple[float, ...]
    title: str
    artist: str
    licence: str


def listed_tracks() -> tuple[Track, ...]:
    """The list that travels with the product."""
    text = resources.files("msecnn.data").joinpath("open_music.tsv").read_text(encoding="utf-8")
    _, *rows = csv.reader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)
    return tuple(
        Track(package, version, track, split, _seconds(starts_s), _seconds(durations_s), title, artist, licence)
        for package, version, track, split, starts_s, durations_s, title, artist, licence in rows
    )


def prepare(
    root: Path,
    *,
    source: Path | None = None,
    packages: Sequence[str] | None = None,
    n_more_crops: int = 0,
    tracks: Sequence[Track] | None = None,
    jobs: int | None = None,
) -> dict[str, Manifest]:
    """Fetches what is missing and writes the manifests; may be stopped and started again at any time.

    Args:
        root: where everything lies.
        source: take the packages from this folder: PACKAGE/… as unpacked, PACKAGE_VERSION.deb, or a system's root
            where they are installed. None fetches them with apt-get.
        packages: only these.
        n_more_crops: of each track of the train split, at offsets far from the others.
        tracks: instead of the list that travels with the product.
        jobs: files decoded at once; as many as there are processors when None.

    Returns:
        "manifest", and "more_crops" if there are any.
    """
    tracks = listed_tracks() if tracks is None else tracks
    known = {track.package for track in tracks}
    if packages and (strange := sorted(set(packages) - known)):
        raise DatasetError(f"{', '.join(strange)} is not in the list; its packages are {', '.join(sorted(known))}")
    wanted: dict[str, list[Track]] = {}
    for track in tracks:
        if not packages or track.package in packages:
            wanted.setdefault(track.package, []).append(track)
    with locked_folder(root):
        return _prepare(wanted, root, source, n_more_crops, jobs)


def _prepare(
    wanted: Mapping[str, Sequence[Track]], root: Path, source: Path | None, n_more_crops: int, jobs: int | None
) -> dict[str, Manifest]:
    left_out = _fetch(wanted, root, source)
    tracks = [track for some in wanted.values() for track in some]
    present = [track for track in tracks if _path(root, track).exists()]
    found = inspect_files([_path(root, track) for track in present], root / "inspected.jsonl", jobs=jobs)
    for track in present:
        if found[_path(root, track)].problem:
            left_out[f"{track.package} {track.track}"] = str(found[_path(root, track)].problem)
    usable = [(track, found[_path(root, track)]) for track in present if not found[_path(root, track)].problem]
    clips = {"manifest": [clip for track, inspection in usable for clip in _listed_clips(track, root, inspection)]}
    if not clips["manifest"]:
        raise DatasetError(f"none of the listed tracks can be had; the first: {next(iter(left_out.items()))}")
    if n_more_crops:
        clips["more_crops"] = [clip for each in usable for clip in _more_clips(*each, root, n_more_crops)]
    manifests = {
        name: Manifest(MAGNATAGATUNE_TAGS, tuple(some), f"{NAME} ({name})", LICENCE, left_out)
        for name, some in clips.items()
    }
    for name, manifest in manifests.items():
        manifest.write(root / f"{name}.jsonl")
    return manifests


def more_starts(starts_s: Sequence[float], length_s: float, clip_s: float, n_more: int) -> list[float]:
    """Where to crop a track further: each time the place that is furthest from all crops so far.

    Args:
        starts_s: of the crops that there are.
        length_s: of the track.
        clip_s: of a crop.
        n_more: how many at most; fewer where they would lie closer than CROP_APART_S to another.
    """
    places = np.arange(0, length_s - clip_s, CROP_STEP_S)
    starts = list(starts_s)
    for _ in range(n_more):
        if not len(places):
            break
        distance = np.abs(places[:, None] - np.array(starts)).min(1)
        if distance.max() < CROP_APART_S:
            break
        starts.append(float(places[distance.argmax()]))
    return starts[len(starts_s) :]


def _listed_clips(track: Track, root: Path, found: Inspection) -> Iterator[Clip]:
    for start_s, duration_s in zip(track.starts_s, track.durations_s, strict=True):
        if start_s < found.duration_s:
            yield _clip(track, root, found, start_s, duration_s)
        else:
            logger.warning("%s %s is too short for its clip at %.2f s", track.package, track.track, start_s)


def _more_clips(track: Track, found: Inspection, root: Path, n_more: int) -> Iterator[Clip]:
    if track.split == "train":
        clip_s = MelConfig().window_s
        for start_s in more_starts(track.starts_s, found.duration_s, clip_s, n_more):
            yield _clip(track, root, found, start_s, clip_s)


def _clip(track: Track, root: Path, found: Inspection, start_s: float, duration_s: float) -> Clip:
    return Clip(
        clip_id=f"{track.package}/{track.track}@{start_s:.2f}",
        path=_path(root, track),
        split=track.split,
        labels=np.full(len(MAGNATAGATUNE_TAGS), np.nan),
        group=f"debian:{track.package} / {track.track}",
        duration_s=min(duration_s, found.duration_s - start_s),
        start_s=start_s,
        hash=found.hash,
        extra={
            "source": f"debian:{track.package}",
            "member": track.track,
            "title": track.title,
            "artist": track.artist,
            "licence": track.licence,
            "real": "1",
        },
    )


def _seconds(cell: str) -> tuple[float, ...]:
    return tuple(map(float, cell.split()))


def _path(root: Path, track: Track) -> Path:
    return root / "tracks" / track.package / track.track.replace(INSIDE, "/")


def _fetch(wanted: Mapping[str, Sequence[Track]], root: Path, source: Path | None) -> dict[str, str]:
    """Puts the tracks under the root; returns package, or package and track, and the reason of what can't be had."""
    if wanted:
        check_source(source)
    left_out: dict[str, str] = {}
    todo = {name: tracks for name, tracks in wanted.items() if not all(_path(root, track).exists() for track in tracks)}
    for name, tracks in tqdm(todo.items(), desc="packages", unit="package", disable=not todo):
        try:
            with unpacked(name, root, source) as folder:
                for track in tracks:
                    if not _take(track, folder, root):
                        left_out[f"{name} {track.track}"] = f"the package holds no such file; {track.version} did"
        except DatasetError as error:
            left_out[name] = str(error)
    for name, reason in left_out.items():
        logger.warning("left out %s: %s", name, reason)
    return left_out


def _take(track: Track, folder: Path, root: Path) -> bool:
    """Copies a track out of an unpacked package, whole or not at all; false if it isn't there."""
    target = _path(root, track)
    if target.exists():
        return True
    archive_name, _, inner = track.track.partition(INSIDE)
    try:
        if inner:
            archive_path = next(iter(sorted(folder.rglob(archive_name))))
            with zipfile.ZipFile(archive_path) as archive:
                content = archive.read(inner)
        else:
            content = (folder / track.track).read_bytes()
    except (StopIteration, KeyError, OSError, zipfile.BadZipFile):
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(target, content)
    return True
