"""A training run as a picture: losses and learning rate over its epochs."""

from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure


def learning_curve(epochs: Sequence[dict[str, Any]], best_epoch: int, *, title: str = "") -> Figure:
    """Training and validation loss, the epoch whose weights were kept, and the learning rate below.

    Args:
        epochs: entries with "epoch", "train_loss", "valid_loss" (None where there is no validation split) and
            "learning_rate", as in a run's `history.jsonl`.
        best_epoch: counted from 1.
    """
    figure = Figure(figsize=(8, 5), layout="constrained")
    losses, rates = figure.subplots(2, 1, sharex=True, height_ratios=(4, 1))
    numbers = [epoch["epoch"] for epoch in epochs]
    losses.plot(numbers, [epoch["train_loss"] for epoch in epochs], marker=".", label="training, as it went")
    validated = [(epoch["epoch"], epoch["valid_loss"]) for epoch in epochs if epoch["valid_loss"] is not None]
    if validated:
        losses.plot(*zip(*validated, strict=True), marker=".", label="validation, averaged weights")
        losses.axvline(best_epoch, color="gray", linestyle=":", label=f"kept: epoch {best_epoch}")
    losses.set_ylabel("binary cross-entropy")
    losses.set_title(title, parse_math=False)
    losses.legend()
    rates.plot(numbers, [epoch["learning_rate"] for epoch in epochs], color="gray")
    rates.set_ylabel("learning rate")
    rates.set_xlabel("epoch")
    rates.xaxis.get_major_locator().set_params(integer=True)
    return figure
