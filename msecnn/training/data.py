"""The clips of a run as arrays: mels, targets and splits."""

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from msecnn.frontend import MelConfig
from msecnn.training.run_folder import TrainingError

if TYPE_CHECKING:
    from msecnn.data.manifest import Manifest
    from msecnn.data.mel_cache import MelCache

#: Mels by which clips are told from others.
N_LOOKED_AT = 32


@dataclass(frozen=True, eq=False)
class TrainingData:
    """Clips as arrays.

    Attributes:
        mels: (N, F, L') log-mels in dB, float16; an array, a memory map, or a tensor on any device. Longer ones than
            the network's input are cropped, at random in training and from the start in validation.
        targets: (N, K) float32 probabilities, 0 and 1 for hard labels, NaN for unknown.
        train, valid: which of the N clips; `valid` may be empty, then the last epoch's weights count as the best.
        rows: (N,) where each clip's mel stands in `mels`; None if they stand in the same order.
        mel_config: the front end that made them.
    """

    mels: NDArray[np.float16] | Tensor
    targets: NDArray[np.float32]
    train: NDArray[np.int64]
    valid: NDArray[np.int64]
    rows: NDArray[np.int64] | None = None
    mel_config: MelConfig = field(default_factory=MelConfig)

    def __post_init__(self) -> None:
        n_mels = len(self.mels if self.rows is None else self.rows)
        if self.mels.ndim != 3 or self.targets.ndim != 2 or n_mels != len(self.targets):
            raise TrainingError(
                f"{n_mels} mels and targets of shape {self.targets.shape} do not fit: they must be (N, F, L) and (N, K)"
            )
        if not len(self.train):
            raise TrainingError("there are no training clips")
        if np.isnan(self.targets[self.train]).all():
            raise TrainingError("no training clip has a known label")

    @classmethod
    def of(
        cls, manifest: "Manifest", cache: "MelCache", *, targets: NDArray[np.float32] | None = None
    ) -> "TrainingData":
        """The training and validation clips of a manifest whose mels are cached.

        Args:
            targets: (N, K) for all clips of the manifest, in its order; None takes its labels.
        """
        splits = np.array([clip.split for clip in manifest.clips])
        used = np.flatnonzero(splits != "test")
        rows = cache.rows([manifest.clips[index] for index in used])
        labels = manifest.labels() if targets is None else targets
        train, valid = (np.flatnonzero(splits[used] == name) for name in ("train", "valid"))
        return cls(cache.mels, labels[used], train, valid, rows=rows, mel_config=cache.config)

    def fingerprint(self) -> str:
        """Tells this data from other data: targets, splits, the mels' shape and the first of them."""
        first = self.mels[self.row(self.train[:4])]
        digest = hashlib.sha256(f"{tuple(self.mels.shape[1:])}".encode())
        for array in (self.targets, self.train, self.valid, np.asarray(torch.as_tensor(first).cpu())):
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()

    def sound_fingerprint(self) -> str:
        """Tells these clips' mels from others by splits and some of them, whatever the targets are."""
        some = np.unique(np.linspace(0, len(self.targets) - 1, N_LOOKED_AT).astype(np.int64))
        digest = hashlib.sha256(f"{len(self.targets)} {tuple(self.mels.shape[1:])}".encode())
        for array in (self.train, self.valid, np.asarray(torch.as_tensor(self.mels[self.row(some)]).cpu())):
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()

    def row(self, clips: NDArray[np.int64]) -> NDArray[np.int64]:
        """Where the mels of these clips stand."""
        return clips if self.rows is None else self.rows[clips]
