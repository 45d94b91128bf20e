"""Batches on the device: mels and targets of clips, as they are or augmented and mixed."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from msecnn.training.augmentation import Draws, augment, mix, turned
from msecnn.training.data import TrainingData
from msecnn.training.device import on_device
from msecnn.training.run_folder import TrainingError


class Batches:
    """The clips of a run where the network is.

    Args:
        n_frames: of the network's input; longer mels are cropped.
    """

    def __init__(self, data: TrainingData, device: torch.device, *, n_frames: int) -> None:
        if data.mels.shape[2] < n_frames:
            raise TrainingError(f"the mels have {data.mels.shape[2]} frames; the network needs {n_frames}")
        self.data, self.device, self.n_frames = data, device, n_frames
        self.mels = on_device(data.mels, device)
        self.targets = torch.from_numpy(np.ascontiguousarray(data.targets)).to(device)
        self.on_cpu = device.type == "cpu"
        self._train_clips = torch.from_numpy(data.train).to(device)
        self._rows = self._rows_beside(self.mels)

    def augmented(self, positions: NDArray[np.int64], draws: Draws) -> tuple[Tensor, Tensor]:
        """The clips at these positions of the training split, augmented: (B, F, L), and their targets (B, K)."""
        drawn = draws.take(positions if self.on_cpu else self.there(positions))
        clips = self.data.train[positions]
        mels = augment(self.take(clips), drawn, n_frames=self.n_frames, mel_config=self.data.mel_config)
        targets = self.targets[self.there(clips)]
        # a CPU mixes what is to be mixed; a GPU mixes all and keeps some, or it would wait to be told how many
        chosen = drawn.partner >= 0
        rows = np.flatnonzero(chosen) if self.on_cpu else torch.arange(len(mels), device=mels.device)
        if not len(rows):
            return mels, targets
        partners = self._train_clips[torch.as_tensor(drawn.partner[rows]).clamp(min=0)]
        whole = torch.full((len(partners),), self.n_frames, device=mels.device)
        partner_mels = turned(self.take(partners), 0 * whole, whole, drawn.partner_shift[rows], n_frames=self.n_frames)
        partner_db = torch.as_tensor(drawn.partner_db[rows])
        mixture, mixed_targets = mix(
            mels[rows], targets[rows], partner_mels, self.targets[partners], partner_db, mel_config=self.data.mel_config
        )
        keep = torch.as_tensor(chosen[rows])
        mels[rows] = torch.where(keep[:, None, None], mixture, mels[rows])
        targets[rows] = torch.where(keep[:, None], mixed_targets, targets[rows])
        return mels, targets

    def take(self, clips: NDArray[np.int64] | Tensor) -> Tensor:
        """Mels (B, F, L') of clips, on the device."""
        if isinstance(self.mels, Tensor):
            rows = torch.as_tensor(clips, device=self.mels.device)
            rows = rows if self._rows is None else self._rows[rows]
            return self.mels[rows].to(self.device)
        there = self.data.row(clips.cpu().numpy() if isinstance(clips, Tensor) else clips)
        return torch.from_numpy(self.mels[there]).to(self.device)

    def there(self, clips: NDArray[np.int64]) -> Tensor:
        return torch.from_numpy(clips).to(self.device, non_blocking=True)

    def _rows_beside(self, mels: NDArray[np.float16] | Tensor) -> Tensor | None:
        """Where each clip's mel stands, on the device where the mels are, if it is not in the clips' order."""
        if self.data.rows is None or not isinstance(mels, Tensor):
            return None
        return torch.from_numpy(self.data.rows).to(mels.device)
