"""Log-mel spectrograms computed once: float16, memory-mapped, one window a clip.

A row is found by what it was made from: the front end's configuration (a folder each), the content of the audio file
and the stretch of it. So nothing stale is ever read, and manifests can share a cache. Float16 costs at most 0.03 dB.

    FOLDER/mels-1a2b3c4d5e6f/config.json   the front end
                             probe.npy     what it made of a fixed noise, to notice a change of its code
                             mels.f16      (N, F, L) float16
                             rows.jsonl    what each finished row was made from
"""

import hashlib
import json
import logging
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from msecnn.audio import AudioError, read_recording
from msecnn.data.manifest import Clip, Manifest
from msecnn.data.parallel import map_in_order, one_thread_per_job
from msecnn.errors import DatasetError
from msecnn.files import check_space, locked_folder, write_json
from msecnn.frontend import LogMelSpectrogram, MelConfig, fill_window
from msecnn.json_lines import JsonLinesLog, read_json_lines

logger = logging.getLogger(__name__)

# Two runs of one front end agree far better than this, and any change that matters is larger.
PROBE_TOLERANCE_DB = 0.1


class MelCache:
    """The mels of many clips.

    Attributes:
        config: the front end.
        mels: (N, F, L) float16 in dB, memory-mapped.
        failed: clip id and reason of what the last `build` couldn't use.
    """

    def __init__(self, home: Path, config: MelConfig) -> None:
        self.config = config
        self.failed: dict[str, str] = {}
        rows = read_json_lines(home / "rows.jsonl")
        _check_length(home / "mels.f16", len(rows), config)
        self._row_of = {row["key"]: number for number, row in enumerate(rows)}
        shape = (len(rows), config.n_mels, config.n_frames)
        self.mels = (
            np.memmap(home / "mels.f16", np.float16, "r", shape=shape) if rows else np.empty(shape, dtype=np.float16)
        )

    @classmethod
    def open(cls, folder: str | Path, config: MelConfig | None = None) -> "MelCache":
        """Opens what was built for this front end; raises DatasetError if nothing was."""
        config = config or MelConfig()
        home = _home(folder, config)
        if not (home / "config.json").exists():
            raise DatasetError(f"{folder} holds no mels of this front end; build them first ({config})")
        _check_probe(home, config)
        return cls(home, config)

    @classmethod
    def build(
        cls, manifest: Manifest, config: MelConfig | None, folder: str | Path, *, jobs: int | None = None
    ) -> "MelCache":
        """Computes the mels that are missing; may be killed and started again at any time.

        Files that can't be used are named in the log and in `failed`, and passed over.

        Args:
            manifest: the clips.
            config: the front end; the default one when None.
            folder: of the cache.
            jobs: files at once; as many as there are processors when None.
        """
        config = config or MelConfig()
        home = _home(folder, config)
        home.mkdir(parents=True, exist_ok=True)
        with locked_folder(home):
            _start(home, config)
            failed = _add_rows(home, config, manifest.clips, jobs)
        cache = cls(home, config)
        cache.failed = failed
        return cache

    def __len__(self) -> int:
        return len(self.mels)

    def __contains__(self, clip: Clip) -> bool:
        return _key(clip, self.config) in self._row_of

    def available(self, manifest: Manifest) -> Manifest:
        """The clips whose mels are here; the others are counted in the log."""
        here = manifest.select(lambda clip: clip in self)
        if len(here) < len(manifest):
            logger.warning("%d of %d clips have no mel and are passed over", len(manifest) - len(here), len(manifest))
        return here

    def rows(self, clips: Iterable[Clip]) -> np.ndarray:
        """(N,) int64: where each clip's mel stands in `mels`."""
        clips = list(clips)
        missing = [clip.clip_id for clip in clips if clip not in self]
        if missing:
            raise DatasetError(f"{len(missing)} clips have no mel in the cache, the first is {missing[0]}; build again")
        return np.array([self._row_of[_key(clip, self.config)] for clip in clips], dtype=np.int64)

    def batch(self, rows: np.ndarray | Sequence[int]) -> Tensor:
        """The mels of some rows, as networks take them.

        Shape:
            - rows: (B,)
            - output: (B, 1, F, L) float32
        """
        return torch.from_numpy(self.mels[np.asarray(rows, dtype=np.int64)]).unsqueeze(1).float()


def _home(folder: str | Path, config: MelConfig) -> Path:
    parameters = json.dumps(config.to_json(), sort_keys=True)
    return Path(folder) / f"mels-{hashlib.sha256(parameters.encode()).hexdigest()[:12]}"


def _key(clip: Clip, config: MelConfig) -> str:
    """What a row was made from: the file's content and the stretch of it."""
    if not clip.hash:
        raise DatasetError(f"clip {clip.clip_id} has no content hash, so its mel can't be told from another's")
    return f"{clip.hash} {clip.start_s:.3f}+{_stretch_s(clip, config):.3f}"


def _stretch_s(clip: Clip, config: MelConfig) -> float:
    return config.window_s if clip.duration_s is None else min(clip.duration_s, config.window_s)


def _start(home: Path, config: MelConfig) -> None:
    """Writes what a new cache begins with, or checks that the one begun is of this front end."""
    if (home / "config.json").exists():
        _check_probe(home, config)
        return
    np.save(home / "probe.npy", _probe(config))
    write_json(home / "config.json", config.to_json())


def _probe(config: MelConfig) -> np.ndarray:
    noise = np.random.default_rng(0).normal(size=(1, 16 * config.n_fft)).astype(np.float32)
    return LogMelSpectrogram(config)(torch.from_numpy(noise)).numpy()


def _check_probe(home: Path, config: MelConfig) -> None:
    difference = np.abs(np.load(home / "probe.npy", allow_pickle=False) - _probe(config)).max()
    if not difference <= PROBE_TOLERANCE_DB:
        raise DatasetError(
            f"{home} was made by another version of the front end, {difference:.1f} dB apart; delete it and build again"
        )


def _add_rows(home: Path, config: MelConfig, clips: Sequence[Clip], jobs: int | None) -> dict[str, str]:
    """Computes and writes the missing rows; returns clip id and reason of those that couldn't be used."""
    frontend = LogMelSpectrogram(config)
    failed: dict[str, str] = {}
    row_bytes = _row_bytes(config)
    with JsonLinesLog(home / "rows.jsonl") as journal, (home / "mels.f16").open("ab") as file:
        _check_length(home / "mels.f16", len(journal.rows), config)
        done = {row["key"] for row in journal.rows}
        missing = list({key: clip for clip in clips if (key := _key(clip, config)) not in done}.values())
        file.truncate(len(journal.rows) * row_bytes)  # a row without its line in the journal was not finished
        check_space(home, len(missing) * row_bytes, "mels")
        results = map_in_order(lambda clip: _mel_or_reason(clip, frontend), missing, jobs=jobs)
        with one_thread_per_job():
            for clip, mel in tqdm(results, total=len(missing), desc="mels", unit="clip", disable=not missing):
                if isinstance(mel, str):
                    logger.warning("passed over %s: %s", clip.clip_id, mel)
                    failed[clip.clip_id] = mel
                else:
                    _append_row(file, mel)
                    journal.append({"key": _key(clip, config), "clip_id": clip.clip_id})
    return failed


def _row_bytes(config: MelConfig) -> int:
    return config.n_mels * config.n_frames * np.dtype(np.float16).itemsize


def _check_length(path: Path, n_rows: int, config: MelConfig) -> None:
    if n_rows and (not path.exists() or path.stat().st_size < n_rows * _row_bytes(config)):
        raise DatasetError(f"{path} holds less than its {n_rows} rows; delete {path.parent} and build it again")


def _append_row(file: BinaryIO, mel: np.ndarray) -> None:
    """Writes a row; it is on the disk when this returns."""
    try:
        file.write(mel.tobytes())
        file.flush()
        os.fsync(file.fileno())
    except OSError as error:
        reason = (
            f"cannot write {file.name}: {error.strerror}; what is finished stays, and the next run goes on from there"
        )
        raise DatasetError(reason) from error


def _mel_or_reason(clip: Clip, frontend: LogMelSpectrogram) -> np.ndarray | str:
    """(F, L) float16, or in a sentence why there is none."""
    config = frontend.config
    try:
        content = clip.path.read_bytes()
        if hashlib.sha256(content).hexdigest() != clip.hash:
            return f"{clip.path} has changed since the manifest was made"
        stretch_s = _stretch_s(clip, config)
        recording = read_recording(content, sample_rate=config.sample_rate, start_s=clip.start_s, duration_s=stretch_s)
    except OSError as error:
        return f"cannot read {clip.path}: {error.strerror}"
    except AudioError as error:
        return str(error)
    if len(recording.waveform) == 0:
        return f"{clip.path} holds no sound at {clip.start_s:.2f} s"
    waveform = fill_window(recording.waveform, config.window_samples)[: config.window_samples]
    with torch.inference_mode():
        mel = frontend(torch.from_numpy(np.ascontiguousarray(waveform)).unsqueeze(0))  # (1, 1, F, L)
    return mel[0, 0].half().numpy()
