"""What a run has reached: weights, their average, optimizer and history; written after each epoch and taken up again.

The epoch counter is the length of the history.
"""

from typing import Any

import torch
from torch import Tensor, nn

from msecnn.training import schedule
from msecnn.training.ema import AveragedWeights
from msecnn.training.history import History
from msecnn.training.run_folder import RunFolder, TrainingError
from msecnn.training.settings import TrainConfig


class RunState:
    """All that changes while a network is trained.

    Args:
        model: on its device, prepared.
        fused: whether the optimizer runs as one kernel, which CPUs do not have.
    """

    def __init__(self, model: nn.Module, config: TrainConfig, *, fused: bool) -> None:
        self.model, self.config = model, config
        self._fused = fused
        self.averaged = AveragedWeights(model, config.ema_decay)
        self.epochs: list[dict[str, Any]] = []
        self.best_epoch = 0
        self.best_weights = _copied(self.averaged.weights)
        self.phase = self._phase_of(0)
        self.optimizer = self._make_optimizer()

    @property
    def history(self) -> History:
        """What was measured so far."""
        return History(tuple(self.epochs), self.best_epoch)

    @property
    def is_finished(self) -> bool:
        """All epochs are trained, or the validation loss fell too long ago."""
        patience = self.config.patience
        waited = patience is not None and bool(self.epochs) and len(self.epochs) - self.best_epoch >= patience
        return len(self.epochs) >= self.config.epochs or waited

    def add(self, entry: dict[str, Any]) -> None:
        """Counts an epoch; its averaged weights are kept if its validation loss is the lowest."""
        self.epochs.append(entry)
        loss = entry["valid_loss"]
        if loss is None or self.best_epoch == 0 or loss < self.history.best["valid_loss"]:
            self.best_epoch = len(self.epochs)
            self.best_weights = _copied(self.averaged.weights)

    def enter_phase(self, epoch: int) -> None:
        """At a switch of phases: from the best weights so far [Won et al. 2020].

        From Adam to SGD the optimizer is new; from SGD to SGD momentum is kept, and only the rate changes.
        """
        phase, before = self._phase_of(epoch), self.phase
        if phase.index != before.index:
            self.phase = phase
            self.model.load_state_dict(self.best_weights)
            self.averaged.restart(self.best_weights)
            if phase.optimizer != before.optimizer:
                self.optimizer = self._make_optimizer()

    @property
    def plateau_factor(self) -> float:
        """What "plateau" multiplies the learning rate by; one for the other schedules."""
        config = self.config
        if config.schedule != "plateau":
            return 1.0
        losses = [e["train_loss"] if e["valid_loss"] is None else e["valid_loss"] for e in self.epochs]
        return schedule.plateau_factor(losses, epochs=config.plateau_epochs, factor=config.plateau_factor)

    def _phase_of(self, epoch: int) -> schedule.Phase:
        config = self.config
        return schedule.phase_of(config.schedule, epoch, config.epochs, optimizer=config.optimizer)

    def _make_optimizer(self) -> torch.optim.Optimizer:
        return schedule.make_optimizer(
            self.phase.optimizer,
            self.model,
            rate=self.config.learning_rate,
            weight_decay=self.config.weight_decay,
            fused=self._fused,
        )

    def save(self, folder: RunFolder, fingerprint: str) -> None:
        """Replaces the folder's state; `fingerprint` tells the data."""
        state = {
            "config": self.config.to_json(),
            "data": fingerprint,
            "epochs": self.epochs,
            "best_epoch": self.best_epoch,
            "n_averaged": self.averaged.n_updates,
        }
        if self.best_epoch == len(self.epochs):
            folder.write_state(folder.best, self.best_weights, {"epoch": self.best_epoch})
        folder.write_state(folder.last, self._tensors(), state)  # from here on the epoch counts
        folder.write_history(self.epochs)

    def _tensors(self) -> dict[str, Tensor]:
        tensors = {f"model/{name}": value for name, value in self.model.state_dict().items()}
        tensors |= {f"averaged/{name}": value.clone() for name, value in self.averaged.weights.items()}
        tensors |= {f"best/{name}": value for name, value in self.best_weights.items()}
        for index, values in self.optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer/{index}/{name}": torch.as_tensor(v) for name, v in values.items() if v is not None}
        return tensors

    def restore(self, folder: RunFolder, fingerprint: str) -> None:
        """Takes up the folder's state.

        Raises:
            TrainingError: it is the state of another run.
        """
        tensors, state = folder.read_state(folder.last)
        self._check_same_run(state, fingerprint)
        self.epochs, self.best_epoch = state["epochs"], state["best_epoch"]
        try:
            self.model.load_state_dict(_part(tensors, "model/"))
        except RuntimeError as error:
            raise TrainingError(
                f"the run to resume has another network: {str(error).splitlines()[1].strip()}"
            ) from None
        self.averaged.restart(_part(tensors, "averaged/"))
        self.averaged.n_updates = state["n_averaged"]
        device = next(self.model.parameters()).device
        self.best_weights = {name: value.to(device) for name, value in _part(tensors, "best/").items()}
        self.phase = self._phase_of(len(self.epochs) - 1)
        self.optimizer = self._make_optimizer()
        values: dict[int, dict[str, Tensor]] = {}
        for name, value in _part(tensors, "optimizer/").items():
            index, key = name.split("/")
            values.setdefault(int(index), {})[key] = value
        self.optimizer.load_state_dict(self.optimizer.state_dict() | {"state": values})

    def _check_same_run(self, state: dict[str, Any], fingerprint: str) -> None:
        # what this program has learned to set since then was at its default
        before, now = TrainConfig.from_json(state["config"]).to_json(), self.config.to_json()
        changed = [f"{name} was {before.get(name)}, is {now[name]}" for name in now if before.get(name) != now[name]]
        if state["data"] != fingerprint:
            changed.append("the data is not the same")
        if changed:
            raise TrainingError(f"this is not the run to resume: {'; '.join(changed)}")


def _copied(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in weights.items()}


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
