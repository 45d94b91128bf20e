"""A MagnaTagATune of a few made-up clips: files, names and labels as published, and a tone for each tag as the sound.

The rows are chosen from the real label files where ../shared/mtt has them, else made up in the same form. Used by the
tests of the data, of the recipes and of the whole path from `prepare` to the table.
"""

import csv
import gzip
import hashlib
import itertools
import zipfile
from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np

from msecnn.data.download import RemoteFile
from msecnn.tags import MAGNATAGATUNE_TAGS

REAL_LABELS = Path(__file__).resolve().parents[1] / ".." / "shared" / "mtt"
FOLDERS = {"train": "0123456789ab", "valid": "c", "test": "def"}
SHARES = {"train": 0.6, "valid": 0.15, "test": 0.25}
BROKEN_ID = "55753"  # one of the three that were published broken; an empty file here
INFO_COLUMNS = (
    "clip_id", "track_number", "title", "artist", "album", "url", "segmentStart", "segmentEnd", "original_url",
    "mp3_path",
)  # fmt: skip

FASTEST = {"compression_level": "9"}  # of the MP3 encoder; nobody will listen

Row = dict[str, str]


def build(root: Path, *, n_clips: int = 60, seconds: float = 3.0, seed: int = 0) -> Path:
    """Writes label files and unpacked MP3s, as they lie once MagnaTagATune is fetched and unpacked.

    Args:
        root: the folder to write to.
        n_clips: of good clips, about a tenth of them without any of the 50 tags; one broken clip comes on top.
        seconds: of each clip; real ones have 29.124.
        seed: of the choice and the noise.
    """
    annotations, info = _real_rows(n_clips, seed) if has_real_labels() else _made_up_rows(n_clips, seed)
    root.mkdir(parents=True, exist_ok=True)
    _write_csv(root / "annotations_final.csv", annotations)
    _write_csv(root / "clip_info_final.csv", info)
    for row in annotations:
        path = root / "mp3" / row["mp3_path"]
        path.parent.mkdir(parents=True, exist_ok=True)
        if row["clip_id"] == BROKEN_ID:
            path.touch()
        else:
            tags = [tag for tag in MAGNATAGATUNE_TAGS if row[tag] == "1"]
            write_mp3(path, sound_of(tags, seconds=seconds, seed=int(row["clip_id"])))
    return root


def pack(root: Path, served: Path, *, n_parts: int = 3) -> tuple[RemoteFile, ...]:
    """Packs the MP3s of a built root as they are published, cut into parts, and says what they are."""
    served.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(served / "mp3.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted((root / "mp3").rglob("*.mp3")):
            archive.write(path, path.relative_to(root / "mp3"))
    content = (served / "mp3.zip").read_bytes()
    (served / "mp3.zip").unlink()
    cuts = np.linspace(0, len(content), n_parts + 1).astype(int)
    parts = []
    for number, (begin, end) in enumerate(itertools.pairwise(cuts), start=1):
        name = f"mp3.zip.{number:03d}"
        (served / name).write_bytes(content[begin:end])
        digest = hashlib.sha256(content[begin:end]).hexdigest()
        parts.append(RemoteFile(name, digest, max_bytes=len(content)))
    return tuple(parts)


def sound_of(tags: Sequence[str], *, seconds: float, seed: int, sample_rate: int = 16_000) -> np.ndarray:
    """(T,) float32: faint noise, and for each tag a tone of its own that comes and goes."""
    rng = np.random.default_rng(seed)
    time_s = np.arange(int(seconds * sample_rate)) / sample_rate
    waveform = 0.002 * rng.normal(size=len(time_s))
    for tag in tags:
        number = MAGNATAGATUNE_TAGS.index(tag)
        frequency = 150 * (5_000 / 150) ** (number / (len(MAGNATAGATUNE_TAGS) - 1))
        pulse = 0.6 + 0.4 * np.sin(2 * np.pi * (0.5 * time_s + rng.uniform()))
        waveform += 0.1 * pulse * np.sin(2 * np.pi * (frequency * time_s + rng.uniform()))
    return waveform.astype(np.float32)


def write_mp3(path: Path, waveform: np.ndarray, *, sample_rate: int = 16_000) -> None:
    """Mono, 32 kbit/s, as published."""
    with av.open(str(path), "w", format="mp3") as container:
        stream = container.add_stream("libmp3lame", rate=sample_rate, layout="mono", bit_rate=32_000, options=FASTEST)
        frame = av.AudioFrame.from_ndarray(waveform[None], format="fltp", layout="mono")
        frame.sample_rate = sample_rate
        for packet in (*stream.encode(frame), *stream.encode(None)):
            container.mux(packet)


def has_real_labels() -> bool:
    return (REAL_LABELS / "annotations_final.csv.gz").exists()


def _real_rows(n_clips: int, seed: int) -> tuple[list[Row], list[Row]]:
    """Real clips of every split, such that as many tags as possible are there in each."""
    columns, rows = _read_gz("annotations_final.csv.gz")
    which = [columns.index(tag) for tag in MAGNATAGATUNE_TAGS]
    rng = np.random.default_rng(seed)
    chosen = [row for row in rows if row[0] == BROKEN_ID]
    for split, share in SHARES.items():
        there = [row for row in rows if row[-1][0] in FOLDERS[split] and row[0] != BROKEN_ID]
        there = [there[index] for index in rng.permutation(len(there))]
        labels = np.array([[row[index] == "1" for index in which] for row in there])  # (N, K)
        n_wanted = round(n_clips * share)
        picked = np.flatnonzero(~labels.any(1))[: n_wanted // 8].tolist()
        covered = np.zeros(labels.shape[1])
        while len(picked) < n_wanted:
            gain = labels @ (1 / (1 + covered) ** 2)  # a tag counts less with each clip that has it
            gain[picked] = -1
            picked.append(int(gain.argmax()))
            covered += labels[picked[-1]]
        chosen += [there[index] for index in picked]
    annotations = [dict(zip(columns, row, strict=True)) for row in sorted(chosen, key=lambda row: int(row[0]))]
    columns, rows = _read_gz("clip_info_final.csv.gz")
    ids = {row["clip_id"] for row in annotations}
    return annotations, [dict(zip(columns, row, strict=True)) for row in rows if row[0] in ids]


def _read_gz(name: str) -> tuple[list[str], list[list[str]]]:
    with gzip.open(REAL_LABELS / name, "rt", encoding="utf-8", newline="") as file:
        columns, *rows = csv.reader(file, delimiter="\t")
    return columns, rows


def _made_up_rows(n_clips: int, seed: int) -> tuple[list[Row], list[Row]]:
    """Rows of the same form about artists that don't exist; two clips a track, three tracks an artist."""
    rng = np.random.default_rng(seed)
    splits = [split for split, share in SHARES.items() for _ in range(round(n_clips * share))]
    annotations, info = [], []
    for number, split in enumerate([*splits, "train"]):
        clip_id = BROKEN_ID if number == len(splits) else str(2 + 3 * number)
        artist, track = f"made up {number // 6}", number // 2 % 3
        folder = FOLDERS[split][number % len(FOLDERS[split])]
        start = 30 * (number % 2)
        path = f"{folder}/{artist.replace(' ', '_')}-songs-{track:02d}-song_{track}-{start}-{start + 29}.mp3"
        n_tags = 0 if number % 8 == 7 else 6
        tags = {MAGNATAGATUNE_TAGS[(7 * number + 11 * k) % len(MAGNATAGATUNE_TAGS)] for k in range(n_tags)}
        tags -= set(rng.choice(MAGNATAGATUNE_TAGS, 5))
        labels = {tag: str(int(tag in tags)) for tag in (*MAGNATAGATUNE_TAGS, "birds")}
        annotations.append({"clip_id": clip_id} | labels | {"mp3_path": path})
        values = (clip_id, str(track), f"song {track}", artist, "songs", "", str(start), str(start + 29), "", path)
        info.append(dict(zip(INFO_COLUMNS, values, strict=True)))
    return annotations, info


def _write_csv(path: Path, rows: Sequence[Row]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0], delimiter="\t", quoting=csv.QUOTE_ALL, lineterminator="\r\n")
        writer.writeheader()
        writer.writerows(rows)
