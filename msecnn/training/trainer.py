"""Trains a network on cached mels: one loop for hard labels and for teachers' probabilities, on a CPU or a GPU.

A run can be killed at any moment and goes on where its last epoch ended, bit for bit on a CPU: whatever is drawn
follows from (seed, epoch, clip), and weights, averages, optimizer and history are one file, replaced at once.
"""

import logging
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from tqdm import tqdm

from msecnn.memory import keep_freed_memory
from msecnn.training import distributed, schedule
from msecnn.training.augmentation import Draws, draw
from msecnn.training.batches import Batches
from msecnn.training.data import TrainingData
from msecnn.training.device import has_bfloat16
from msecnn.training.events import Events
from msecnn.training.failures import told_as_sentences
from msecnn.training.history import History
from msecnn.training.loss import masked_bce
from msecnn.training.patches import clip_logits
from msecnn.training.preparation import hold_frozen_statistics, keep_norms_positive, prepare
from msecnn.training.run_folder import RunFolder, TrainingError, origin
from msecnn.training.settings import TrainConfig
from msecnn.training.state import RunState

log = logging.getLogger(__name__)

#: The loss is looked at every so many steps: looking makes the CPU wait for the GPU.
STEPS_BETWEEN_LOOKS = 20


def train(
    model: nn.Module,
    data: TrainingData,
    config: TrainConfig,
    *,
    out: Path | None = None,
    resume: bool = False,
    description: Mapping[str, Any] | None = None,
    device: str | torch.device | None = None,
    progress: bool = True,
    after_epoch: Callable[[History], None] | None = None,
) -> History:
    """Trains a network from the weights it has; afterwards it has the best averaged ones and is in evaluation mode.

    Args:
        model: any network on mels; those of ours train fastest with `order="pool_first"`.
        out: the run's folder; None leaves nothing on disk.
        resume: go on where the folder's last epoch ended; start anew if no epoch was finished.
        description: what `config.json` shall tell beside the configuration: model, data...
        device: None takes a GPU if there is one.
        progress: show a bar.
        after_epoch: called, in the first process, when an epoch's state is on disk.

    Raises:
        TrainingError: a sentence on what went wrong; the last good state is kept.
    """
    with ExitStack() as stack:
        group = stack.enter_context(distributed.joined(device))
        folder = RunFolder(out) if out is not None else None
        if folder and group.first:
            stack.enter_context(folder.locked())
        stack.enter_context(told_as_sentences(config))
        stack.enter_context(torch.backends.cudnn.flags(benchmark=True))  # shapes never change: the fastest kernels pay
        stack.enter_context(torch.random.fork_rng([group.device] if group.device.type == "cuda" else []))
        trainer = Trainer(model, data, config, group=group, folder=folder)
        trainer.start(resume=resume, description=description or {})
        trainer.run(progress=progress, after_epoch=after_epoch)
        return trainer.state.history


class Trainer:
    """One run: its data, its state and the loop."""

    def __init__(
        self,
        model: nn.Module,
        data: TrainingData,
        config: TrainConfig,
        *,
        group: distributed.Processes,
        folder: RunFolder | None,
    ) -> None:
        self.config, self.group, self.folder, self.data = config, group, folder, data
        self.batches = Batches(data, group.device, n_frames=getattr(model, "n_frames", data.mels.shape[2]))
        self.autocast = config.precision == "bfloat16" and has_bfloat16(group.device)
        self.batch_size = min(config.batch_size, len(data.train))
        self.n_steps = len(data.train) // self.batch_size  # a rest that fills no batch waits for the next shuffle
        if self.batch_size < group.count:
            raise TrainingError(f"batches of {self.batch_size} cannot be shared by {group.count} processes")
        self.model = model.to(group.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        prepare(model, dropout=config.dropout, frozen=config.frozen)
        if group.count > 1:
            distributed.share_batch_norms(model)
        if group.device.type == "cpu":
            keep_freed_memory()
        self.state = RunState(model, config, fused=group.device.type != "cpu")
        self.events: Events | None = None

    def start(self, *, resume: bool, description: Mapping[str, Any]) -> None:
        """Takes up the folder's last state, or writes the new run's configuration."""
        if self.folder is None:
            return
        if self.folder.last.exists():
            if not resume:
                raise TrainingError(
                    f"{self.folder.path} holds a run already; add --resume to go on with it, or give another --out"
                )
            self.state.restore(self.folder, self.data.fingerprint())
        elif self.group.first:
            content = {"config": self.config.to_json(), "fingerprint": self.data.fingerprint(), **origin()}
            self.folder.write_json(self.folder.config, content | dict(description))
        if self.group.first:
            self.events = Events(self.folder.path, n_epochs=len(self.state.epochs))

    def run(self, *, progress: bool = True, after_epoch: Callable[[History], None] | None = None) -> None:
        """Trains the epochs that are left and loads the best weights."""
        with tqdm(
            total=self.config.epochs * self.n_steps * self.batch_size,
            initial=len(self.state.epochs) * self.n_steps * self.batch_size,
            unit="clip",
            disable=not (progress and self.group.first),
            smoothing=0.05,
        ) as bar:
            while not self.state.is_finished:
                self._epoch(bar)
                if self.group.first:
                    self._save()
                    if after_epoch:
                        after_epoch(self.state.history)
        self.model.load_state_dict(self.state.best_weights)
        self.model.eval()

    def _save(self) -> None:
        if self.folder is None:
            return
        self.state.save(self.folder, self.data.fingerprint())
        if self.events:
            self.events.write(self.state.epochs[-1])

    def _epoch(self, bar: tqdm) -> None:
        epoch, started = len(self.state.epochs), time.monotonic()
        self.state.enter_phase(epoch)
        train_loss = self._train_epoch(epoch, bar)
        train_s = time.monotonic() - started
        with self.state.averaged.swapped_in(self.model):
            valid_loss = self._finite(self._valid_loss()) if len(self.data.valid) else None
        entry = {
            "epoch": epoch + 1,
            "train_loss": train_loss,
            "valid_loss": valid_loss,
            "learning_rate": self.state.optimizer.param_groups[0]["lr"],
            "train_s": round(train_s, 3),
            "valid_s": round(time.monotonic() - started - train_s, 3),
            "clips_per_s": round(self.n_steps * self.batch_size / train_s, 2),
        }
        self.state.add(entry)
        shown = "" if valid_loss is None else f", valid {valid_loss:.4f} (best {self.state.best_epoch})"
        log.info("epoch %d/%d: train %.4f%s", epoch + 1, self.config.epochs, train_loss, shown)

    def _train_epoch(self, epoch: int, bar: tqdm) -> float:
        self.model.train()
        hold_frozen_statistics(self.model, self.config.frozen)
        order = np.random.default_rng([self.config.seed, epoch, 0]).permutation(len(self.data.train))
        draws = self._draws(epoch)
        totals = torch.zeros(2, dtype=torch.float64, device=self.group.device)
        for step in range(self.n_steps):
            positions = order[step * self.batch_size : (step + 1) * self.batch_size]
            totals += self._step(positions, draws, epoch * self.n_steps + step)
            if step % STEPS_BETWEEN_LOOKS == STEPS_BETWEEN_LOOKS - 1 or step == self.n_steps - 1:
                loss = self._finite(float(totals[0] / totals[1].clamp(min=1)))
                bar.set_postfix(epoch=epoch + 1, loss=f"{loss:.4f}", refresh=False)
            bar.update(self.batch_size)
        return loss

    def _draws(self, epoch: int) -> Draws:
        """What augmentation does to each clip in this epoch."""
        draws = draw(
            self.config.augmentation,
            len(self.data.train),
            n_bands=self.data.mels.shape[1],
            source_frames=self.data.mels.shape[2],
            n_frames=self.batches.n_frames,
            seed=self.config.seed,
            epoch=epoch,
            mel_config=self.data.mel_config,
        )
        return draws if self.batches.on_cpu else draws.to(self.group.device)

    def _finite(self, loss: float) -> float:
        if not np.isfinite(loss):
            raise TrainingError(
                f"the loss became {loss} in epoch {len(self.state.epochs) + 1}; the state before that epoch is kept; "
                f"try a learning rate below {self.config.learning_rate:g}, or --precision float32"
            )
        return loss

    def _step(self, positions: NDArray[np.int64], draws: Draws, step: int) -> Tensor:
        """One step of the optimizer; the sum of the losses and the number of known labels, over all processes."""
        config, optimizer = self.config, self.state.optimizer
        rate = config.learning_rate * self.state.phase.rate * self.state.plateau_factor
        rate *= schedule.rate_factor(config.schedule, step, config.epochs * self.n_steps, warmup=config.warmup)
        for parameters in optimizer.param_groups:
            parameters["lr"] = rate
        mels, targets = self.batches.augmented(positions[self.group.share(len(positions))], draws)
        dropout_seed = np.random.SeedSequence([config.seed, step, self.group.rank]).generate_state(1)
        torch.manual_seed(int(dropout_seed[0]))
        loss_sum, n_known = masked_bce(self._logits(mels), targets)
        totals = self.group.total(torch.stack([loss_sum.detach().double(), n_known.double()]))
        optimizer.zero_grad(set_to_none=True)
        (loss_sum / totals[1].clamp(min=1).float()).backward()
        self._sum_gradients()
        nn.utils.clip_grad_norm_(self.model.parameters(), config.clip_norm)
        optimizer.step()
        keep_norms_positive(self.model)
        self.state.averaged.update(self.model)
        return totals

    def _logits(self, mels: Tensor) -> Tensor:
        with torch.autocast(self.group.device.type, torch.bfloat16, enabled=self.autocast):
            return self.model(mels.unsqueeze(1)).float()

    def _sum_gradients(self) -> None:
        """Each process has the gradient of its share of the loss's sum; the whole gradient is their sum."""
        if self.group.count == 1:
            return
        gradients = [p.grad for p in self.model.parameters() if p.grad is not None]
        flat = self.group.total(torch.cat([gradient.flatten() for gradient in gradients]))
        for gradient, part in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
            gradient.copy_(part.view_as(gradient))

    @torch.no_grad()
    def _valid_loss(self) -> float:
        self.model.eval()
        totals = torch.zeros(2, dtype=torch.float64, device=self.group.device)
        mine = self.data.valid[self.group.rank :: self.group.count]
        for first in range(0, len(mine), self.batch_size):
            clips = mine[first : first + self.batch_size]
            logits = clip_logits(self._logits, self.batches.take(clips), n_frames=self.batches.n_frames)
            totals += torch.stack(masked_bce(logits, self.batches.targets[self.batches.there(clips)])).double()
        loss_sum, n_known = self.group.total(totals).tolist()
        return loss_sum / max(n_known, 1)
