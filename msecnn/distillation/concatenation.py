"""Joined clips: a stretch of one, then a stretch of another, with targets that need no guess.

A teacher with windows of three seconds predicts of a clip what it predicts of its windows, on average. So a clip put
together from whole windows of two others has a target as exact as theirs: more music for the same labels.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from msecnn.data.manifest import Manifest
from msecnn.distillation.soft_labels import SoftLabels
from msecnn.errors import DatasetError
from msecnn.frontend import MelConfig
from msecnn.training.data import TrainingData

#: A stretch has at least so many windows: fewer sound like an interruption.
FEWEST_WINDOWS = 3
#: Teachers' windows may differ by this much and still lie side by side (3.0 s and 187 frames at 16 kHz).
WINDOW_TOLERANCE_S = 0.05


@dataclass(frozen=True)
class Stretches:
    """Where J joins come from: rows of two mels, their first frames, and how many frames the first one gives."""

    rows: NDArray[np.int64]  # (J, 2)
    starts: NDArray[np.int64]  # (J, 2)
    first_frames: NDArray[np.int64]  # (J,)

    def __len__(self) -> int:
        return len(self.rows)


class ConcatenatedMels:
    """An array of mels (N, F, L) followed by J joins of them, put together when they are asked for.

    Takes integer arrays as an index, as the trainer and the head do.
    """

    ndim = 3

    def __init__(self, mels: NDArray[np.float16], stretches: Stretches) -> None:
        self.mels, self.stretches = mels, stretches
        self.shape = (len(mels) + len(stretches), *mels.shape[1:])
        self.nbytes = int(np.prod(self.shape)) * mels.itemsize

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: NDArray[np.int64]) -> NDArray[np.float16]:
        out = np.empty((len(index), *self.shape[1:]), dtype=np.float16)
        for mel, row in zip(out, index, strict=True):
            if row < len(self.mels):
                mel[:] = self.mels[row]
                continue
            join = row - len(self.mels)
            (first, second), (start, then) = self.stretches.rows[join], self.stretches.starts[join]
            n_first = self.stretches.first_frames[join]
            mel[:, :n_first] = self.mels[first, :, start : start + n_first]
            mel[:, n_first:] = self.mels[second, :, then : then + self.shape[2] - n_first]
        return out

    def __array__(self, dtype: object = None, copy: object = None) -> NDArray[np.float16]:
        return self[np.arange(len(self))]


def with_concatenation(
    data: TrainingData,
    manifest: Manifest,
    labels: Sequence[SoftLabels],
    *,
    n_concatenated: int,
    mel_config: MelConfig,
    seed: int,
) -> TrainingData:
    """Adds joined clips to the training split.

    Args:
        data: of this manifest.
        manifest: in the order of `data`.
        labels: of teachers whose windows lie side by side.
        n_joins: how many.
        mel_config: the front end of `data.mels`.
        seed: of what is joined with what.

    Raises:
        DatasetError: the teachers' windows are of different lengths, or too long to be joined.
    """
    if n_concatenated == 0:
        return data
    lengths = [each.window_s for each in labels]
    window_frames = float(np.mean(lengths)) * mel_config.sample_rate / mel_config.hop_length
    n_windows = int(mel_config.n_frames // window_frames)
    if max(lengths) - min(lengths) > WINDOW_TOLERANCE_S or n_windows < 2 * FEWEST_WINDOWS:
        raise DatasetError(
            "clips are joined at teachers' windows; these have other lengths or too few: use --concatenation 0"
        )
    window_labels = {  # (W, K) of each training clip that is as long as a mel
        int(position): np.mean([each.windows(manifest.clips[position])[:n_windows] for each in labels], axis=0)
        for position in data.train
        if min(len(each.windows(manifest.clips[position])) for each in labels) >= n_windows
    }
    if len(window_labels) < 2:
        raise DatasetError("there are too few clips of full length to join; use --concatenation 0")
    rng = np.random.default_rng([seed, 3])
    positions = np.array(sorted(window_labels))
    pairs = np.stack([rng.choice(positions, 2, replace=False) for _ in range(n_concatenated)])
    n_first = rng.integers(FEWEST_WINDOWS, n_windows - FEWEST_WINDOWS, n_concatenated, endpoint=True)
    n_both = np.stack([n_first, n_windows - n_first], axis=1)
    starts = rng.integers(0, n_windows - n_both, endpoint=True)  # in windows
    targets = [
        np.concatenate([window_labels[clip][start : start + n] for clip, start, n in zip(*join, strict=True)]).mean(0)
        for join in zip(pairs, starts, n_both, strict=True)
    ]
    first_frames = np.rint(n_first * window_frames).astype(np.int64)
    space = np.stack([mel_config.n_frames - first_frames, first_frames], axis=1)  # frames before a stretch, at most
    frames = np.minimum(np.rint(starts * window_frames).astype(np.int64), space)
    rows = np.arange(len(data.targets)) if data.rows is None else data.rows
    mels = ConcatenatedMels(np.asarray(data.mels), Stretches(rows[pairs], frames, first_frames))
    return replace(
        data,
        mels=mels,  # type: ignore[arg-type]  # as much of an array as the trainer asks for
        targets=np.concatenate([data.targets, np.array(targets, dtype=np.float32)]),
        train=np.concatenate([data.train, len(data.targets) + np.arange(n_concatenated)]),
        rows=np.concatenate([rows, len(data.mels) + np.arange(n_concatenated)]),
    )
