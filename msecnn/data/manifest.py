"""A manifest lists the clips of a data set with their labels, splits and groups, in one file a person can read.

On disk it is JSON lines. The first line is the header: name, licence, tags in order, where the audio lies, what a tag
that a clip doesn't mention means, and which files were left out and why. Every further line is a clip:

    {"clip_id": "a.mp3", "path": "rock/a.mp3", "split": "train", "labels": {"rock": 1}, "group": "album 1", ...}
"""

import hashlib
import json
import logging
import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from msecnn.errors import DatasetError
from msecnn.files import printable, replacing

logger = logging.getLogger(__name__)

SPLITS = ("train", "valid", "test")
FILE_NAME = "manifest.jsonl"
FORMAT = "msecnn-manifest-1"


@dataclass(frozen=True, eq=False)
class Clip:
    """A stretch of one audio file, and what is known about it.

    Attributes:
        clip_id: name of the clip, unique in its manifest.
        path: the audio file.
        split: "train", "valid" or "test".
        labels: (K,) float32, the probability that each tag applies; NaN where nobody knows.
        group: what must not be torn apart by a split (track, album, artist), None where unknown.
        duration_s: length of the clip in seconds.
        start_s: where in the file the clip begins, in seconds.
        hash: SHA-256 of the file's bytes.
        extra: any other columns, as text.
    """

    clip_id: str
    path: Path
    split: str
    labels: np.ndarray
    group: str | None = None
    duration_s: float | None = None
    start_s: float = 0.0
    hash: str = ""
    extra: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "path", Path(self.path))
        object.__setattr__(self, "labels", np.asarray(self.labels, dtype=np.float32))
        if self.split not in SPLITS:
            raise DatasetError(
                f"clip {self.clip_id}: the split is {self.split!r}; it may be one of {', '.join(SPLITS)}"
            )
        if ((self.labels < 0) | (self.labels > 1)).any():
            raise DatasetError(f"clip {self.clip_id}: labels are probabilities, from 0 to 1, or NaN where unknown")


@dataclass(frozen=True, eq=False)
class Manifest:
    """Clips with one vocabulary.

    Attributes:
        tags: the K tags, in the order of every clip's labels.
        clips: the N clips.
        name: of the data set.
        licence: of the data set's audio and labels, as far as known.
        left_out: name and reason of each file that belongs to the data set and could not be used.
    """

    tags: tuple[str, ...]
    clips: tuple[Clip, ...]
    name: str
    licence: str = ""
    left_out: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(set(self.tags)) < len(self.tags):
            raise DatasetError(f"{self.name}: the vocabulary names a tag twice")
        seen: set[str] = set()
        for clip in self.clips:
            if clip.labels.shape != (len(self.tags),):
                raise DatasetError(
                    f"{self.name}, clip {clip.clip_id}: labels of shape {clip.labels.shape} for {len(self.tags)} tags"
                )
            if clip.clip_id in seen:
                raise DatasetError(f"{self.name}: two clips are called {clip.clip_id}")
            seen.add(clip.clip_id)

    def __len__(self) -> int:
        return len(self.clips)

    def labels(self) -> np.ndarray:
        """(N, K) float32, NaN where unknown."""
        return np.array([clip.labels for clip in self.clips], dtype=np.float32).reshape(len(self), len(self.tags))

    def select(self, keep: Callable[[Clip], bool]) -> "Manifest":
        """The same data set with only those clips for which `keep` is true."""
        return replace(self, clips=tuple(clip for clip in self.clips if keep(clip)))

    def split(self, name: str) -> "Manifest":
        """One of the splits, as a manifest of its own; it may be empty."""
        if name not in SPLITS:
            raise DatasetError(f"there is no split {name!r}; the splits are {', '.join(SPLITS)}")
        return self.select(lambda clip: clip.split == name)

    def filtered(self) -> "Manifest":
        """Only clips with at least one tag: the "filtered" protocol of MagnaTagATune's literature."""
        return self.select(lambda clip: bool((clip.labels > 0).any()))

    @cached_property
    def hash(self) -> str:
        """SHA-256 of tags, clips, labels and the files' content, wherever the files lie and whatever else is told."""
        digest = hashlib.sha256(json.dumps(list(self.tags)).encode())
        for clip in self.clips:
            row = _clip_row(clip, self.tags, absent=None)
            row.pop("extra", None)
            digest.update(json.dumps(row, sort_keys=True).encode())
        return digest.hexdigest()

    def write(self, path: str | Path) -> Path:
        """Writes the manifest, whole or not at all.

        Args:
            path: the file to write, or a folder, in which it is then called manifest.jsonl.

        Returns:
            The file written.
        """
        path = _manifest_file(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        absent = _commonest_missing_label(self.clips)
        root = _common_folder(clip.path for clip in self.clips)
        folder = Path(os.path.abspath(path.parent))
        header = {
            "format": FORMAT,
            "name": self.name,
            "licence": self.licence,
            "n_clips": len(self),
            "audio_root": os.path.relpath(root, folder) if root.is_relative_to(folder) else str(root),
            "absent_tags": absent,
            "tags": list(self.tags),
            "left_out": dict(self.left_out),
        }
        with replacing(path) as partial, partial.open("w", encoding="utf-8") as file:
            file.write(json.dumps(header, ensure_ascii=False) + "\n")
            for clip in self.clips:
                place = {"clip_id": clip.clip_id, "path": Path(os.path.abspath(clip.path)).relative_to(root).as_posix()}
                row = place | _clip_row(clip, self.tags, absent=absent)
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
        return path

    @classmethod
    def read(cls, path: str | Path) -> "Manifest":
        """Reads a manifest from its file, or from the folder that holds its manifest.jsonl."""
        path = _manifest_file(path)
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            others = sorted(other.name for other in path.parent.glob("*.jsonl"))
            hint = f"; there are {', '.join(others)}" if others else ""
            raise DatasetError(f"cannot read the manifest {path}: {_reason(error)}{hint}") from error
        number = 1
        try:
            header = json.loads(lines[0])
            if header["format"] != FORMAT:
                raise ValueError(f"its format is {header['format']!r}, not {FORMAT!r}")
            root = path.parent / header["audio_root"]
            clips = []
            for line in lines[1:]:
                number += 1
                clips.append(_clip_from_row(json.loads(line), header, root))
            if len(clips) != header["n_clips"]:
                raise ValueError(f"{len(clips)} clips where the first line announces {header['n_clips']}")
            return cls(tuple(header["tags"]), tuple(clips), header["name"], header["licence"], header["left_out"])
        except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
            reason = printable(_reason(error), longest=300)  # it may quote what is in the file
            raise DatasetError(f"{path}, line {number}, is not a line of a manifest: {reason}") from error


def _clip_row(clip: Clip, tags: Sequence[str], *, absent: float | None) -> dict[str, Any]:
    """A clip as its line in the file, without its path; labels equal to `absent` (None: unknown) go without saying."""
    row: dict[str, Any] = {"clip_id": clip.clip_id, "split": clip.split, "labels": _labels_to_json(clip, tags, absent)}
    row |= {"group": clip.group, "start_s": clip.start_s, "duration_s": clip.duration_s, "hash": clip.hash}
    return row | ({"extra": dict(clip.extra)} if clip.extra else {})


def _labels_to_json(clip: Clip, tags: Sequence[str], absent: float | None) -> dict[str, float | None]:
    values = (_json_label(value) for value in clip.labels.tolist())
    return {tag: value for tag, value in zip(tags, values, strict=True) if value != absent}


def _json_label(value: float) -> float | None:
    if value != value:
        return None
    # str() of a float32 is the shortest text that reads back as the same float32
    return int(value) if value in (0, 1) else float(str(np.float32(value)))


def _clip_from_row(row: Mapping[str, Any], header: Mapping[str, Any], root: Path) -> Clip:
    unknown = set(row["labels"]) - set(header["tags"])
    if unknown:
        raise ValueError(f"{', '.join(sorted(unknown))} is not in the vocabulary")
    labels = [row["labels"].get(tag, header["absent_tags"]) for tag in header["tags"]]
    return Clip(
        clip_id=row["clip_id"],
        path=root / row["path"],
        split=row["split"],
        labels=np.array([np.nan if value is None else value for value in labels], dtype=np.float32),
        group=row["group"],
        duration_s=row["duration_s"],
        start_s=row["start_s"],
        hash=row["hash"],
        extra=row.get("extra", {}),
    )


def _commonest_missing_label(clips: Iterable[Clip]) -> float | None:
    """What a tag that a line doesn't mention means: 0 or None (unknown), whichever makes the file shorter."""
    balance = sum(int(np.isnan(clip.labels).sum()) - int((clip.labels == 0).sum()) for clip in clips)
    return None if balance > 0 else 0


def _common_folder(paths: Iterable[Path]) -> Path:
    folders = {os.path.dirname(os.path.abspath(path)) for path in paths}
    return Path(os.path.commonpath(folders)) if folders else Path.cwd()


def _manifest_file(path: str | Path) -> Path:
    path = Path(path)
    return path if path.suffix == ".jsonl" else path / FILE_NAME


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return f"{error} is missing" if isinstance(error, KeyError) else str(error)


def join(manifests: Sequence[Manifest], name: str) -> Manifest:
    """Several data sets with one vocabulary as one."""
    first = manifests[0]
    for manifest in manifests:
        if manifest.tags != first.tags:
            raise DatasetError(f"{first.name} and {manifest.name} have different tags, so they can't be joined")
    clips = tuple(clip for manifest in manifests for clip in manifest.clips)
    left_out = {file: reason for manifest in manifests for file, reason in manifest.left_out.items()}
    licences = dict.fromkeys(manifest.licence for manifest in manifests if manifest.licence)
    return Manifest(first.tags, clips, name, "; ".join(licences), left_out)


def draw_splits(clips: Sequence[Clip], *, seed: int, fractions: Sequence[float] = (0.8, 0.1, 0.1)) -> list[Clip]:
    """Deals whole groups out to train, valid and test.

    A clip without a group goes with the other clips of its file, and equal files always go together.

    Args:
        clips: whose splits are to be drawn; the ones they have are ignored.
        seed: of the order in which groups are dealt out.
        fractions: of all clips for train, valid and test, or numbers in that proportion.

    Returns:
        The clips, in the order given, with their new splits.
    """
    group_of = _inseparable(clips)
    split_of = deal_groups(Counter(group_of[clip.clip_id] for clip in clips), seed=seed, fractions=fractions)
    return [replace(clip, split=split_of[group_of[clip.clip_id]]) for clip in clips]


def deal_groups(sizes: Mapping[str, int], *, seed: int, fractions: Sequence[float]) -> dict[str, str]:
    """Deals groups of clips out to the splits, in random order.

    Args:
        sizes: each group's number of clips.
        seed, fractions: as in `draw_splits`.

    Returns:
        Each group's split.
    """
    if len(fractions) != len(SPLITS) or min(fractions) < 0 or sum(fractions) <= 0:
        raise DatasetError(
            f"the splits need three proportions, none below zero and not all zero, not {list(fractions)}"
        )
    order = np.random.default_rng(seed).permutation(sorted(sizes)).tolist()
    wanted = dict(zip(SPLITS, (fraction * sum(sizes.values()) / sum(fractions) for fraction in fractions), strict=True))
    lacking = dict(wanted)
    split_of = {}
    for n_dealt, group in enumerate(order):
        # to the split that lacks the largest share of its clips, of those where the group doesn't overshoot,
        # but no split stays empty where there are groups enough
        empty = [split for split in SPLITS if wanted[split] and lacking[split] == wanted[split]]
        fitting = [split for split in SPLITS if lacking[split] >= sizes[group] / 2]
        candidates = empty if len(order) - n_dealt <= len(empty) else fitting or SPLITS
        split_of[group] = max(candidates, key=lambda split: lacking[split] / max(wanted[split], 1e-9))
        lacking[split_of[group]] -= sizes[group]
    return split_of


def torn_groups(clips: Iterable[Clip]) -> dict[str, tuple[str, ...]]:
    """Groups (or equal files) that lie in more than one split, where what was learned leaks into the evaluation."""
    clips = list(clips)
    group_of = _inseparable(clips)
    splits: dict[str, set[str]] = {}
    for clip in clips:
        splits.setdefault(group_of[clip.clip_id], set()).add(clip.split)
    return {group: tuple(sorted(where)) for group, where in sorted(splits.items()) if len(where) > 1}


def warn_of_torn_groups(clips: Iterable[Clip]) -> None:
    for group, splits in torn_groups(clips).items():
        logger.warning("%s lies in %s: what is learned there leaks into the evaluation", group, " and ".join(splits))


def _inseparable(clips: Sequence[Clip]) -> dict[str, str]:
    """Clip id to the name of the set it must stay with: clips that share a group or a file's content, transitively."""
    parent: dict[str, str] = {}

    def root(key: str) -> str:
        while parent.setdefault(key, key) != key:
            key = parent[key]
        return key

    keys = {}
    for clip in clips:
        content = f"content {clip.hash or clip.path}"
        keys[clip.clip_id] = content if clip.group is None else clip.group
        if clip.group is not None:
            first, second = sorted((root(clip.group), root(content)))
            parent[second] = first
    return {clip_id: root(key) for clip_id, key in keys.items()}
