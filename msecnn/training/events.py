"""A run's curves for TensorBoard, if it is installed: it comes with the extra `train`."""

import logging
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)

CURVES = {"loss/train": "train_loss", "loss/valid": "valid_loss", "learning_rate": "learning_rate"}
CURVES |= {"clips_per_s": "clips_per_s"}


class Events:
    """Writes an epoch's figures as TensorBoard events.

    Args:
        folder: of the run.
        n_epochs: finished before; whatever an interrupted process wrote about later ones is taken back.
    """

    def __init__(self, folder: Path, *, n_epochs: int) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            log.warning("no TensorBoard events are written: pip install tensorboard brings it")
            self.writer = None
        else:
            self.writer = SummaryWriter(str(folder), purge_step=n_epochs + 1)

    def write(self, epoch: dict[str, Any]) -> None:
        """Adds an epoch of the history."""
        if self.writer is None:
            return
        for curve, name in CURVES.items():
            if epoch[name] is not None:
                self.writer.add_scalar(curve, epoch[name], epoch["epoch"])
        self.writer.flush()
