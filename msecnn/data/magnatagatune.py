"""MagnaTagATune (Law et al., ISMIR 2009): fetched, unpacked, decoded, split by the field's protocol, written down.

ROOT/annotations_final.csv, clip_info_final.csv    the labels (CC BY-NC-SA 3.0), downloaded, never contained here
     mp3.zip.001, .002, .003                       the audio as published; may be deleted once unpacked
     mp3/0/… to mp3/f/…                            25,863 clips of 29 s
     folders.jsonl                                 the standard split by folder: all clips ("unfiltered")
     folders_filtered.jsonl                        the same split, clips with at least one of the 50 tags
     artist_disjoint.jsonl                         ours: no artist in two parts
"""

import csv
import io
import logging
import zipfile
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

import numpy as np
from tqdm import tqdm

from msecnn.data.download import RemoteFile, fetch, sha256
from msecnn.data.inspection import inspect_files
from msecnn.data.manifest import SPLITS, Clip, Manifest, deal_groups
from msecnn.errors import DatasetError
from msecnn.files import check_space, locked_folder, write_atomically
from msecnn.tags import MAGNATAGATUNE_TAGS

logger = logging.getLogger(__name__)

HOME = "https://mirg.city.ac.uk/datasets/magnatagatune/"
LICENCE = "CC BY-NC-SA 3.0"

ANNOTATIONS = RemoteFile(
    "annotations_final.csv", "99b94e95825d4fa576386a5367b9c96e0ec636e9f9c240aceb492f4728f68c3c", 50_000_000
)
CLIP_INFO = RemoteFile(
    "clip_info_final.csv", "cb6108a10d3a91f0bfd7d2fbec2382559d15f20c8d28093f14e12162a47a3e78", 50_000_000
)
ARCHIVE = (
    RemoteFile("mp3.zip.001", "f857fe185968773058cc71662c2ef5d8f2d4b7338e3c122cfd52f82dcb9760b9", 1_500_000_000),
    RemoteFile("mp3.zip.002", "fc2e1ec441755556ed1398b1808f1b08b6034372f8bc27394510c0c58cdb52ce", 1_500_000_000),
    RemoteFile("mp3.zip.003", "83a689824c17e82f6eb81cdbc4e4ca239a4cfc1fb41f1a5c80b861caec90450f", 1_500_000_000),
)
AUDIO_BYTES = 3_000_000_000  # about; the archive, and once more what it unpacks to

# An MP3's first letter is its folder, 0 to f.
SPLIT_OF_FOLDER = dict.fromkeys("0123456789ab", "train") | {"c": "valid"} | dict.fromkeys("def", "test")
BROKEN = ("35644", "55753", "57881")  # clip ids of three MP3s that were published broken, all in train
# Clips for train, valid and test when no others are missing.
PROTOCOL_COUNTS = {"folders": (18_706, 1_825, 5_329), "folders_filtered": (15_247, 1_529, 4_332)}

# Of the seeds tried for the artist-disjoint split, the one whose parts have the most similar tags is taken.
ARTIST_SEEDS = 200


def prepare(
    root: Path,
    *,
    base_url: str = HOME,
    archive: Sequence[RemoteFile] = ARCHIVE,
    download: bool = True,
    jobs: int | None = None,
    pause_s: float = 1.0,
) -> dict[str, Manifest]:
    """Does all that is still to be done; may be stopped and started again at any time.

    Args:
        root: where everything lies, and is taken from if it's there already.
        base_url: of the publisher or a mirror.
        archive: the parts of the audio's archive.
        download: False to take only what lies under the root.
        jobs: files decoded at once; as many as there are processors when None.
        pause_s: before a download is tried again.

    Returns:
        The manifests by the name of their split.
    """
    with locked_folder(root):
        for labels in (ANNOTATIONS, CLIP_INFO):
            _obtain_labels(labels, root, base_url, download=download, pause_s=pause_s)
        clips = read_labels(root, root if (root / "0").is_dir() else root / "mp3")
        left_out = {_name(clip): "it was published broken" for clip in clips if clip.clip_id in BROKEN}
        clips = [clip for clip in clips if clip.clip_id not in BROKEN]
        left_out |= _obtain_audio(clips, root, base_url, archive, download=download, pause_s=pause_s)
        clips = _inspected(clips, root, left_out, jobs)
        manifests = {name: replace(manifest, left_out=left_out) for name, manifest in split(clips).items()}
        for name, manifest in manifests.items():
            manifest.write(root / f"{name}.jsonl")
    return manifests


def read_labels(root: Path, audio_root: Path) -> list[Clip]:
    """All clips of the label files, in their order, split by folder, grouped by track; nothing is known of the audio.

    Raises:
        DatasetError: the label files are not such files.
    """
    annotations = _read_csv(root / ANNOTATIONS.name, ("clip_id", "mp3_path", *MAGNATAGATUNE_TAGS))
    info_columns = ("clip_id", "artist", "album", "title", "track_number")
    info = {row["clip_id"]: row for row in _read_csv(root / CLIP_INFO.name, info_columns)}
    clips = []
    for row in annotations:
        clip_id, path = row["clip_id"], PurePosixPath(row["mp3_path"])
        if path.parts[0] not in SPLIT_OF_FOLDER or clip_id not in info:
            raise DatasetError(f"{ANNOTATIONS.name} names clip {clip_id} ({path}), which {CLIP_INFO.name} doesn't know")
        about = {key: info[clip_id][key] for key in ("artist", "album", "title")}
        clip = Clip(
            clip_id=clip_id,
            path=audio_root / path,
            split=SPLIT_OF_FOLDER[path.parts[0]],
            labels=np.array([row[tag] == "1" for tag in MAGNATAGATUNE_TAGS], dtype=np.float32),
            group=" / ".join((about["artist"], about["album"], info[clip_id]["track_number"], about["title"])),
            extra=about,
        )
        clips.append(clip)
    return clips


def split(clips: Sequence[Clip]) -> dict[str, Manifest]:
    """The manifests of usable clips, by the name of their split."""
    if not clips:
        raise DatasetError("none of MagnaTagATune's clips can be used; its audio is not there")
    folders = Manifest(MAGNATAGATUNE_TAGS, tuple(clips), "MagnaTagATune, split by folder", LICENCE)
    filtered = replace(folders.filtered(), name="MagnaTagATune, split by folder, clips with at least one tag")
    disjoint = Manifest(MAGNATAGATUNE_TAGS, _artist_disjoint(folders), "MagnaTagATune, no artist in two parts", LICENCE)
    return {"folders": folders, "folders_filtered": filtered, "artist_disjoint": disjoint}


def unpack(parts: Sequence[Path], folder: Path, wanted: set[str]) -> dict[str, str]:
    """Unpacks the wanted files of an archive that was cut into parts, without joining it on the disk.

    Returns:
        Name and reason of each wanted file that is damaged in the archive.
    """
    damaged = {}
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with zipfile.ZipFile(io.BufferedReader(JoinedParts(parts))) as archive:
            members = [member for member in archive.infolist() if _inner_name(member) in wanted]
            check_space(folder, sum(member.file_size for member in members), "unpacked clips")
            for member in tqdm(members, desc="unpacking", unit="file"):
                try:
                    _extract(archive, member, folder / _inner_name(member))
                except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
                    damaged[_inner_name(member)] = f"it is damaged in the archive: {error}"
    except (zipfile.BadZipFile, EOFError) as error:
        raise DatasetError(f"{parts[0]} and the parts after it are not a whole archive: {error}") from error
    return damaged


class JoinedParts(io.RawIOBase):
    """Files one after the other, as one file to read."""

    def __init__(self, parts: Sequence[Path]) -> None:
        self._files = [part.open("rb") for part in parts]
        ends = np.cumsum([part.stat().st_size for part in parts]).tolist()
        self._starts, self._size = [0, *ends[:-1]], ends[-1]
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._position = max(0, offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence])
        return self._position

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if self._position >= self._size:
            return 0
        number = bisect_right(self._starts, self._position) - 1
        self._files[number].seek(self._position - self._starts[number])
        n_read = self._files[number].readinto(buffer)  # up to the end of this part; the caller asks again
        self._position += n_read
        return n_read

    def close(self) -> None:
        for file in self._files:
            file.close()
        super().close()


def _obtain_labels(labels: RemoteFile, root: Path, base_url: str, *, download: bool, pause_s: float) -> None:
    path = root / labels.name
    if path.exists():
        if sha256(path) != labels.sha256:
            logger.warning("%s is not the published file; it is taken as it is", path)
    elif download:
        fetch(labels, base_url, root, pause_s=pause_s)
    else:
        raise DatasetError(f"{path} is not there, and downloads were ruled out")


def _obtain_audio(
    clips: Sequence[Clip], root: Path, base_url: str, archive: Sequence[RemoteFile], *, download: bool, pause_s: float
) -> dict[str, str]:
    """Unpacks the clips that are missing; returns name and reason of those that are damaged in the archive."""
    missing = {_name(clip): clip for clip in clips if not clip.path.exists()}
    parts = [root / part.name for part in archive]
    if missing and download:
        # space for all of it is looked for before anything is downloaded
        there = (path for part in parts for path in (part, Path(f"{part}.partial")) if path.exists())
        to_download = max(0, AUDIO_BYTES - sum(path.stat().st_size for path in there))
        check_space(root, to_download + AUDIO_BYTES * len(missing) // len(clips), "archive and its clips")
        parts = [fetch(part, base_url, root, pause_s=pause_s) for part in archive]
    if not missing or not all(part.exists() for part in parts):
        return {}
    return unpack(parts, clips[0].path.parents[1], set(missing))


def _inspected(clips: Sequence[Clip], root: Path, left_out: dict[str, str], jobs: int | None) -> list[Clip]:
    """The clips that decode, with their length and hash; adds the others to `left_out`."""
    for clip in clips:
        if not clip.path.exists():
            left_out.setdefault(_name(clip), "it is not there")
    present = [clip for clip in clips if _name(clip) not in left_out]
    found = inspect_files([clip.path for clip in present], root / "inspected.jsonl", jobs=jobs)
    usable = []
    for clip in present:
        inspection = found[clip.path]
        if inspection.problem:
            left_out[_name(clip)] = inspection.problem
        else:
            usable.append(replace(clip, duration_s=inspection.duration_s, hash=inspection.hash))
    return usable


def _artist_disjoint(folders: Manifest) -> tuple[Clip, ...]:
    """Deals artists out in the proportions of the standard split, so that tags are about as common in each part."""
    artists = [clip.extra["artist"] for clip in folders.clips]
    sizes = Counter(artists)
    names = sorted(sizes)
    row_of = {artist: row for row, artist in enumerate(names)}
    positives = np.zeros((len(names), len(folders.tags)))  # clips of each artist with each tag
    np.add.at(positives, [row_of[artist] for artist in artists], folders.labels())
    fractions = [len(folders.split(name)) / len(folders) for name in SPLITS]

    def dissimilarity(split_of: dict[str, str]) -> float:
        """Of the parts' tags: how far each count is, relatively, from its share."""
        total = 0.0
        for name, fraction in zip(SPLITS, fractions, strict=True):
            there = positives[[split_of[artist] == name for artist in names]].sum(0)  # (K,)
            total += float(((there / np.maximum(fraction * positives.sum(0), 1) - 1) ** 2).sum())
        return total

    deals = (deal_groups(sizes, seed=seed, fractions=fractions) for seed in range(ARTIST_SEEDS))
    split_of = min(deals, key=dissimilarity)
    return tuple(replace(clip, split=split_of[clip.extra["artist"]]) for clip in folders.clips)


def _extract(archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path) -> None:
    """Writes one file, whole or not at all; reading to the end checks its checksum."""
    content = archive.read(member)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, content)


def _inner_name(member: zipfile.ZipInfo) -> str:
    """FOLDER/FILE, whatever the archive puts before it."""
    return "/".join(PurePosixPath(member.filename).parts[-2:])


def _name(clip: Clip) -> str:
    return "/".join(clip.path.parts[-2:])


def _read_csv(path: Path, columns: Sequence[str]) -> list[dict[str, str]]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file, delimiter="\t"))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(f"cannot read {path}: {error}") from error
    missing = [column for column in columns if not rows or column not in rows[0]]
    if missing:
        raise DatasetError(f"{path} has no column {missing[0]!r}, so it is not MagnaTagATune's")
    return [{column: row[column] for column in columns} for row in rows]
