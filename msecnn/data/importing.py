"""Anybody's music as a manifest: from a table of files and tags, or from a folder with one subfolder a tag."""

import csv
import logging
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from msecnn.data.inspection import SUFFIXES, Inspection, inspect_files
from msecnn.data.manifest import SPLITS, Clip, Manifest, draw_splits, warn_of_torn_groups
from msecnn.errors import DatasetError

logger = logging.getLogger(__name__)

TAG_SEPARATORS = re.compile(r"[,;|]")
SPLIT_SYNONYMS = {"training": "train", "val": "valid", "validation": "valid", "dev": "valid", "testing": "test"}


@dataclass(frozen=True)
class Columns:
    """Which column of a table means what; every other column is kept as text in `Clip.extra`.

    Columns called tags, split and group are taken as such where no others are named.

    Attributes:
        path: the audio file, relative to the audio's root.
        tags: "rock, piano" or with probabilities "rock=0.7; piano=0.2". Without it, each tag has a column of its own,
            with numbers from 0 to 1, and an empty cell means that nobody knows.
        split: train, valid or test; drawn where there is none.
        group: one or more columns that name together what a split may not tear apart.
        clip_id: the clip's name; its path where there is none.
        start_s, duration_s: which stretch of the file is the clip; the whole file where there is none.
    """

    path: str = "path"
    tags: str | None = None
    split: str | None = None
    group: tuple[str, ...] = ()
    clip_id: str | None = None
    start_s: str | None = None
    duration_s: str | None = None

    def completed(self, header: Iterable[str]) -> "Columns":
        """With the usual names, where the table has them, for what was not named."""
        usual = {name: name for name in ("tags", "split") if name in header and getattr(self, name) is None}
        return replace(self, **usual, group=self.group or tuple(name for name in ("group",) if name in header))

    def named(self) -> tuple[str, ...]:
        single = (self.path, self.tags, self.split, self.clip_id, self.start_s, self.duration_s)
        return tuple(name for name in (*single, *self.group) if name)


def from_table(
    table: Path,
    journal_path: Path,
    *,
    columns: Columns,
    audio_root: Path | None = None,
    vocabulary: Sequence[str] | None = None,
    absent_is_unknown: bool = False,
    name: str | None = None,
    licence: str = "",
    seed: int = 0,
    fractions: Sequence[float] = (0.8, 0.1, 0.1),
    jobs: int | None = None,
) -> Manifest:
    """A manifest from a table with a header line; tabs, semicolons or commas, whatever its first line has most of.

    Args:
        table: the file.
        journal_path: where the inspection of the audio files is kept between runs.
        columns: which column means what.
        audio_root: what the paths are relative to; the table's folder when None.
        vocabulary: the tags to keep, in order; all of the table's, the commonest first, when None.
        absent_is_unknown: a tag that a row doesn't name is unknown, instead of false.
        name, licence: of the data set.
        seed, fractions: of the splits, where they are drawn.
        jobs: files at once.
    """
    rows, columns = _read_table(table, columns)
    if columns.tags:
        probabilities = _tag_cells(rows, columns.tags)
        tags = tuple(vocabulary or _by_frequency(probabilities))
        _tell_unused_tags(probabilities, tags)
    else:
        names = _tag_columns(rows, columns, vocabulary)
        tags = tuple(vocabulary or names)
        probabilities = [{tag: _probability(tag, row[tag]) for tag in names if row[tag].strip()} for row in rows]
    root = audio_root or table.parent
    files = [root / row[columns.path] for row in rows]
    found = inspect_files(files, journal_path, jobs=jobs)
    absent = np.nan if absent_is_unknown or not columns.tags else 0.0
    clips, left_out = [], {}
    for row, file, known in zip(rows, files, probabilities, strict=True):
        if found[file].problem:
            left_out[row[columns.path]] = str(found[file].problem)
            continue
        labels = [known.get(tag, absent) for tag in tags]
        clips.append(_clip_from_row(row, file, columns, found[file], labels))
    draw = None if columns.split else (seed, fractions)
    return _finish(clips, tags, left_out, name or table.stem, licence, draw=draw)


def from_folder(
    folder: Path,
    journal_path: Path,
    *,
    vocabulary: Sequence[str] | None = None,
    name: str | None = None,
    licence: str = "",
    seed: int = 0,
    fractions: Sequence[float] = (0.8, 0.1, 0.1),
    jobs: int | None = None,
) -> Manifest:
    """A manifest from TAG/file, TAG/ALBUM/file, or either inside train, valid and test.

    The folders between tag and file are the group. A file that lies in several tags' folders is one clip with
    those tags; a tag that a clip doesn't have is false.
    """
    top = sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
    given = bool(top) and set(top) <= set(SPLITS)
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    places = {file: file.relative_to(folder).parts for file in files}
    files = [file for file in files if len(places[file]) > 1 + given]
    if not files:
        raise DatasetError(f"{folder} holds no audio files in subfolders; one subfolder a tag is expected")
    tags = tuple(vocabulary or sorted({places[file][given] for file in files}))
    found = inspect_files(files, journal_path, jobs=jobs)
    clips: dict[tuple[str, str], Clip] = {}
    left_out = {}
    for file in files:
        if found[file].problem:
            left_out["/".join(places[file])] = str(found[file].problem)
            continue
        clip = _clip_in_folder(file, places[file], found[file], tags, given=given)
        twin = clips.get((clip.hash, clip.split))
        clips[clip.hash, clip.split] = replace(twin, labels=np.maximum(twin.labels, clip.labels)) if twin else clip
    draw = None if given else (seed, fractions)
    return _finish(list(clips.values()), tags, left_out, name or folder.resolve().name, licence, draw=draw)


def _clip_in_folder(
    file: Path, place: tuple[str, ...], inspection: Inspection, tags: Sequence[str], *, given: bool
) -> Clip:
    """A clip from its place, (split,) tag, group…, name."""
    return Clip(
        clip_id="/".join(place),
        path=file,
        split=place[0] if given else "train",
        labels=np.array([tag == place[given] for tag in tags], dtype=np.float32),
        group="/".join(place[1 + given : -1]) or None,
        duration_s=inspection.duration_s,
        hash=inspection.hash,
    )


def _finish(
    clips: list[Clip],
    tags: tuple[str, ...],
    left_out: Mapping[str, str],
    name: str,
    licence: str,
    *,
    draw: tuple[int, Sequence[float]] | None,
) -> Manifest:
    """Draws the splits by seed and fractions, unless they were given, and tells what is wrong with the whole."""
    if not clips:
        reason = f"; the first: {next(iter(left_out.items()))}" if left_out else ""
        raise DatasetError(f"none of the files of {name} can be used{reason}")
    if draw:
        clips = draw_splits(clips, seed=draw[0], fractions=draw[1])
    warn_of_torn_groups(clips)
    return Manifest(tags, tuple(clips), name, licence, left_out)


def _read_table(table: Path, columns: Columns) -> tuple[list[dict[str, str]], Columns]:
    """The rows, and the columns as they are used."""
    try:
        with table.open(encoding="utf-8-sig", newline="") as file:
            header = file.readline()
            delimiter = max("\t;,", key=header.count)
            file.seek(0)
            rows = list(csv.DictReader(file, delimiter=delimiter))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(f"cannot read the table {table}: {error}") from error
    if not rows:
        raise DatasetError(f"the table {table} has no rows below its header")
    columns = columns.completed(rows[0])
    missing = [column for column in columns.named() if column not in rows[0]]
    if missing:
        there = ", ".join(str(column) for column in rows[0])
        raise DatasetError(f"{table} has no column {', '.join(missing)}; its columns are {there}")
    for number, row in enumerate(rows, start=2):
        if None in row or None in row.values():
            raise DatasetError(f"{table}, row {number}, has another number of cells than the header")
    return rows, columns


def _clip_from_row(
    row: Mapping[str, str], file: Path, columns: Columns, inspection: Inspection, labels: Sequence[float]
) -> Clip:
    start_s = _number(row, columns.start_s, 0.0)
    clip_id = (
        row[columns.clip_id] if columns.clip_id else row[columns.path] + (f"@{start_s}" if columns.start_s else "")
    )
    split = row[columns.split].strip().lower() if columns.split else "train"
    return Clip(
        clip_id=clip_id,
        path=file,
        split=SPLIT_SYNONYMS.get(split, split),
        labels=np.array(labels, dtype=np.float32),
        group=" / ".join(filter(None, (row[column] for column in columns.group))) or None,
        duration_s=_number(row, columns.duration_s, max(0.0, inspection.duration_s - start_s)),
        start_s=start_s,
        hash=inspection.hash,
        extra={key: value for key, value in row.items() if key not in (columns.path, columns.tags, columns.split)},
    )


def _number(row: Mapping[str, str], column: str | None, default: float) -> float:
    if column is None or not row[column].strip():
        return default
    try:
        return float(row[column])
    except ValueError:
        raise DatasetError(f"column {column} holds {row[column]!r}, which is not a number") from None


def _tag_cells(rows: Iterable[Mapping[str, str]], column: str) -> list[dict[str, float]]:
    """Each row's tags from one cell, with their probabilities."""
    result = []
    for row in rows:
        items = (item.strip() for item in TAG_SEPARATORS.split(row[column]))
        pairs = (item.partition("=") for item in items if item)
        result.append({tag.strip(): _probability(tag, value) if equals else 1.0 for tag, equals, value in pairs})
    return result


def _tag_columns(rows: Sequence[Mapping[str, str]], columns: Columns, vocabulary: Sequence[str] | None) -> list[str]:
    """The columns that are tags: those of the vocabulary, or all that hold nothing but probabilities."""
    candidates = [name for name in rows[0] if name not in columns.named()]
    if vocabulary:
        tags = [name for name in candidates if name in vocabulary]
    else:
        tags = [name for name in candidates if all(_is_probability(row[name]) for row in rows)]
    if not tags:
        raise DatasetError(f"no column of the table holds tags; its columns are {', '.join(rows[0])}")
    return tags


def _is_probability(text: str) -> bool:
    try:
        return not text.strip() or 0 <= float(text) <= 1
    except ValueError:
        return False


def _probability(tag: str, text: str) -> float:
    if not text.strip() or not _is_probability(text):
        raise DatasetError(f"the tag {tag.strip()} has the probability {text!r}, which is not a number from 0 to 1")
    return float(text)


def _by_frequency(probabilities: Iterable[Mapping[str, float]]) -> tuple[str, ...]:
    """All tags, the commonest first, then by name."""
    counts: Counter[str] = Counter()
    for known in probabilities:
        counts.update(known)
    if not counts:
        raise DatasetError("no row of the table has a tag, and no vocabulary was given")
    return tuple(sorted(counts, key=lambda tag: (-counts[tag], tag)))


def _tell_unused_tags(probabilities: Iterable[Mapping[str, float]], tags: Sequence[str]) -> None:
    unused = Counter(tag for known in probabilities for tag in known if tag not in tags)
    if unused:
        names_and_counts = ", ".join(f"{tag} ({count})" for tag, count in unused.most_common())
        logger.warning("tags that are not in the vocabulary and are left out: %s", names_and_counts)
