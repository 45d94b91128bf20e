"""What a run measured."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class History:
    """What a run measured, an entry an epoch: epoch, losses, learning rate, clips a second.

    Attributes:
        epochs: counted from 1 in each entry's "epoch".
        best_epoch: whose averaged weights had the lowest validation loss.
    """

    epochs: tuple[dict[str, Any], ...]
    best_epoch: int

    @property
    def best(self) -> dict[str, Any]:
        """The best epoch's entry."""
        return self.epochs[self.best_epoch - 1]

    def to_json(self) -> dict[str, Any]:
        """All fields as plain values."""
        return {"epochs": list(self.epochs), "best_epoch": self.best_epoch}
