"""Trains a network on cached mels: one loop for hard labels and for teachers' probabilities, on a CPU or a GPU.

A run can be killed at any moment and goes on where its last epoch ended, bit for bit on a CPU: whatever is drawn
follows from (seed, epoch, clip), and weights, averages, optimizer and history are one file, replaced at once.
"""

import ctypes
import hashlib
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn
from tqdm import tqdm

from msecnn.frontend import MelConfig
from msecnn.models.layers import ORDERS, ConvLevel
from msecnn.training import distributed, schedule
from msecnn.training.augmentation import Augmentation, Draws, augment, draw, mix, turned
from msecnn.training.ema import AveragedWeights
from msecnn.training.events import Events
from msecnn.training.ranges import COUNT, NOT_NEGATIVE, POSITIVE, SEED, SHARE, Range, check_ranges
from msecnn.training.run_folder import RunFolder, TrainingError, origin

if TYPE_CHECKING:
    from msecnn.data.manifest import Manifest
    from msecnn.data.mel_cache import MelCache

log = logging.getLogger(__name__)

#: The smallest weight a normalisation may have where pooling comes first: the order is exact only for positive ones.
SMALLEST_NORM_WEIGHT = 1e-3
#: The loss is looked at every so many steps: looking makes the CPU wait for the GPU.
STEPS_BETWEEN_LOOKS = 20
#: Share of a GPU's free memory that the mels may take to be kept there.
DEVICE_SHARE = 0.6
#: glibc's mallopt names: above the mmap threshold each tensor's pages are faulted anew at each use.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
#: What the numbers of a configuration may be.
RANGES = {
    **dict.fromkeys(("epochs", "batch_size", "patience"), COUNT),
    **dict.fromkeys(("learning_rate", "clip_norm"), POSITIVE),
    "weight_decay": NOT_NEGATIVE,
    "warmup": SHARE,
    **dict.fromkeys(("dropout", "ema_decay"), Range(0, 1, below=True)),
    "seed": SEED,
}


@dataclass(frozen=True)
class TrainConfig:
    """Everything that a run depends on beside its data and first weights.

    Attributes:
        epochs: how often every training clip is seen.
        batch_size: clips in a step, over all processes.
        learning_rate: the largest.
        weight_decay: of filters and matrices, not of biases and normalisations.
        schedule: "one_cycle", "cosine", "constant" (all AdamW) or "won2020" (Adam, then SGD in three phases; a
            learning rate and weight decay of 1e-4, batches of 16, 140 epochs and dropout .5 are that paper's).
        warmup: share of the run in which the learning rate rises.
        clip_norm: gradients longer than this are shortened to it.
        dropout: share of the features dropped before the classifier.
        ema_decay: of the averaged weights; 0 for none.
        patience: stop after so many epochs without a better validation loss; None never stops early.
        precision: "bfloat16" (autocast) or "float32".
        order: "pool_first" (pooling before BatchNorm and ELU, the same function in evaluation, a faster step) or
            "literal" (as the papers draw it) in training.
        frozen: what the names of parameters that stay as they are begin with; their BatchNorm statistics stay too.
        seed: of everything drawn.
        augmentation: how the clips are changed.
    """

    epochs: int = 30
    batch_size: int = 16
    learning_rate: float = 1e-3
    weight_decay: float = 1e-2
    schedule: str = "one_cycle"
    warmup: float = 0.2
    clip_norm: float = 5.0
    dropout: float = 0.0
    ema_decay: float = 0.995
    patience: int | None = None
    precision: str = "bfloat16"
    order: str = "pool_first"
    frozen: tuple[str, ...] = ()
    seed: int = 0
    augmentation: Augmentation = field(default_factory=Augmentation)

    def __post_init__(self) -> None:
        choices = {"schedule": schedule.SCHEDULES, "precision": ("bfloat16", "float32"), "order": ORDERS}
        for name, allowed in choices.items():
            if getattr(self, name) not in allowed:
                raise TrainingError(f"{name} may be {', '.join(allowed)}, not {getattr(self, name)!r}")
        check_ranges(self, RANGES, TrainingError)

    def to_json(self) -> dict[str, Any]:
        """All fields as plain values."""
        return asdict(self) | {"frozen": list(self.frozen)}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "TrainConfig":
        """The reverse of `to_json`."""
        values = {name: value for name, value in values.items() if name in {f.name for f in fields(cls)}}
        return cls(
            **values | {"frozen": tuple(values["frozen"]), "augmentation": Augmentation(**values["augmentation"])}
        )


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

    def row(self, clips: NDArray[np.int64]) -> NDArray[np.int64]:
        """Where the mels of these clips stand."""
        return clips if self.rows is None else self.rows[clips]


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
        stack.enter_context(_told_as_sentences(config))
        stack.enter_context(torch.backends.cudnn.flags(benchmark=True))  # shapes never change: the fastest kernels pay
        stack.enter_context(torch.random.fork_rng([group.device] if group.device.type == "cuda" else []))
        trainer = Trainer(model, data, config, group=group, folder=folder)
        trainer.start(resume=resume, description=description or {})
        trainer.run(progress=progress, after_epoch=after_epoch)
        return trainer.history


class Trainer:
    """One run's state: weights, their average, optimizer, history. The epoch counter is the length of the history."""

    def __init__(
        self,
        model: nn.Module,
        data: TrainingData,
        config: TrainConfig,
        *,
        group: distributed.Processes,
        folder: RunFolder | None,
    ) -> None:
        self.config, self.group, self.folder = config, group, folder
        self.data = data
        self.mels = _on_device(data.mels, group.device)
        self.targets = torch.from_numpy(np.ascontiguousarray(data.targets)).to(group.device)
        self._train_clips = torch.from_numpy(data.train).to(group.device)
        self._rows = self._rows_beside(self.mels)
        self.autocast = config.precision == "bfloat16" and has_bfloat16(group.device)
        self.n_frames = getattr(model, "n_frames", data.mels.shape[2])
        if data.mels.shape[2] < self.n_frames:
            raise TrainingError(f"the mels have {data.mels.shape[2]} frames; the network needs {self.n_frames}")
        self.batch_size = min(config.batch_size, len(data.train))
        self.n_steps = len(data.train) // self.batch_size  # a rest that fills no batch waits for the next shuffle
        if self.batch_size < group.count:
            raise TrainingError(f"batches of {self.batch_size} cannot be shared by {group.count} processes")
        self.model = model.to(group.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        for module in model.modules():
            if isinstance(module, nn.Dropout):
                module.p = config.dropout
        for name, parameter in model.named_parameters():
            parameter.requires_grad_(not name.startswith(config.frozen) if config.frozen else True)
        if group.count > 1:
            distributed.share_batch_norms(model)
        if group.device.type == "cpu":
            keep_freed_memory()
        self.averaged = AveragedWeights(model, config.ema_decay)
        self.epochs: list[dict[str, Any]] = []
        self.best_epoch = 0
        self.best_weights = {name: value.clone() for name, value in self.averaged.weights.items()}
        self.phase = schedule.phase_of(config.schedule, 0, config.epochs)
        self.optimizer = self._optimizer()
        self.events: Events | None = None

    @property
    def history(self) -> History:
        """What was measured so far."""
        return History(tuple(self.epochs), self.best_epoch)

    def start(self, *, resume: bool, description: Mapping[str, Any]) -> None:
        """Takes up the folder's last state, or writes the new run's configuration."""
        if self.folder is None:
            return
        if self.folder.last.exists():
            if not resume:
                raise TrainingError(
                    f"{self.folder.path} holds a run already; add --resume to go on with it, or give another --out"
                )
            self._restore(*self.folder.read_state(self.folder.last))
        elif self.group.first:
            content = {"config": self.config.to_json(), "fingerprint": self.data.fingerprint(), **origin()}
            self.folder.write_json(self.folder.config, content | dict(description))
        if self.group.first:
            self.events = Events(self.folder.path, n_epochs=len(self.epochs))

    def run(self, *, progress: bool = True, after_epoch: Callable[[History], None] | None = None) -> None:
        """Trains the epochs that are left and loads the best weights."""
        with tqdm(
            total=self.config.epochs * self.n_steps * self.batch_size,
            initial=len(self.epochs) * self.n_steps * self.batch_size,
            unit="clip",
            disable=not (progress and self.group.first),
            smoothing=0.05,
        ) as bar:
            while len(self.epochs) < self.config.epochs and not self._waited_enough():
                self._epoch(bar)
                if self.group.first:
                    self._save()
                    if after_epoch:
                        after_epoch(self.history)
        self.model.load_state_dict(self.best_weights)
        self.model.eval()

    def _rows_beside(self, mels: NDArray[np.float16] | Tensor) -> Tensor | None:
        """Where each clip's mel stands, on the device where the mels are, if it is not in the clips' order."""
        if self.data.rows is None or not isinstance(mels, Tensor):
            return None
        return torch.from_numpy(self.data.rows).to(mels.device)

    def _waited_enough(self) -> bool:
        patience = self.config.patience
        return patience is not None and bool(self.epochs) and len(self.epochs) - self.best_epoch >= patience

    def _epoch(self, bar: tqdm) -> None:
        epoch, started = len(self.epochs), time.monotonic()
        self._enter_phase(epoch)
        train_loss = self._train_epoch(epoch, bar)
        train_s = time.monotonic() - started
        with self.averaged.swapped_in(self.model):
            valid_loss = self._finite(self._valid_loss()) if len(self.data.valid) else None
        entry = {
            "epoch": epoch + 1,
            "train_loss": train_loss,
            "valid_loss": valid_loss,
            "learning_rate": self.optimizer.param_groups[0]["lr"],
            "train_s": round(train_s, 3),
            "valid_s": round(time.monotonic() - started - train_s, 3),
            "clips_per_s": round(self.n_steps * self.batch_size / train_s, 2),
        }
        self.epochs.append(entry)
        if valid_loss is None or self.best_epoch == 0 or valid_loss < self.history.best["valid_loss"]:
            self.best_epoch = epoch + 1
            self.best_weights = {name: value.clone() for name, value in self.averaged.weights.items()}
        shown = "" if valid_loss is None else f", valid {valid_loss:.4f} (best {self.best_epoch})"
        log.info("epoch %d/%d: train %.4f%s", epoch + 1, self.config.epochs, train_loss, shown)

    def _train_epoch(self, epoch: int, bar: tqdm) -> float:
        config, n = self.config, len(self.data.train)
        self.model.train()
        self._hold_frozen_statistics()
        order = np.random.default_rng([config.seed, epoch, 0]).permutation(n)
        draws = draw(
            config.augmentation,
            n,
            n_bands=self.mels.shape[1],
            source_frames=self.mels.shape[2],
            n_frames=self.n_frames,
            seed=config.seed,
            epoch=epoch,
            mel_config=self.data.mel_config,
        )
        if self.group.device.type != "cpu":
            draws = draws.to(self.group.device)
        totals = torch.zeros(2, dtype=torch.float64, device=self.group.device)
        for step in range(self.n_steps):
            positions = order[step * self.batch_size : (step + 1) * self.batch_size]
            totals += self._step(positions, draws, epoch * self.n_steps + step)
            if step % STEPS_BETWEEN_LOOKS == STEPS_BETWEEN_LOOKS - 1 or step == self.n_steps - 1:
                loss = self._finite(float(totals[0] / totals[1].clamp(min=1)))
                bar.set_postfix(epoch=epoch + 1, loss=f"{loss:.4f}", refresh=False)
            bar.update(self.batch_size)
        return loss

    def _finite(self, loss: float) -> float:
        if not np.isfinite(loss):
            raise TrainingError(
                f"the loss became {loss} in epoch {len(self.epochs) + 1}; the state before that epoch is kept; try a "
                f"learning rate below {self.config.learning_rate:g}, or --precision float32"
            )
        return loss

    def _step(self, positions: NDArray[np.int64], draws: Draws, step: int) -> Tensor:
        """One step of the optimizer; the sum of the losses and the number of known labels, over all processes."""
        config = self.config
        rate = config.learning_rate * self.phase.rate
        rate *= schedule.rate_factor(config.schedule, step, config.epochs * self.n_steps, warmup=config.warmup)
        for parameters in self.optimizer.param_groups:
            parameters["lr"] = rate
        mels, targets = self._batch(positions[self.group.share(len(positions))], draws)
        dropout_seed = np.random.SeedSequence([config.seed, step, self.group.rank]).generate_state(1)
        torch.manual_seed(int(dropout_seed[0]))
        loss_sum, n_known = masked_bce(self._logits(mels), targets)
        totals = self.group.total(torch.stack([loss_sum.detach().double(), n_known.double()]))
        self.optimizer.zero_grad(set_to_none=True)
        (loss_sum / totals[1].clamp(min=1).float()).backward()
        self._sum_gradients()
        nn.utils.clip_grad_norm_(self.model.parameters(), config.clip_norm)
        self.optimizer.step()
        keep_norms_positive(self.model)
        self.averaged.update(self.model)
        return totals

    def _batch(self, positions: NDArray[np.int64], draws: Draws) -> tuple[Tensor, Tensor]:
        """The clips at these positions of the training split, augmented: (B, F, L), and their targets (B, K)."""
        drawn = draws.take(positions if self._on_cpu else self._there(positions))
        clips = self.data.train[positions]
        mels = augment(self._take(clips), drawn, n_frames=self.n_frames, mel_config=self.data.mel_config)
        targets = self.targets[self._there(clips)]
        # a CPU mixes what is to be mixed; a GPU mixes all and keeps some, or it would wait to be told how many
        chosen = drawn.partner >= 0
        rows = np.flatnonzero(chosen) if self._on_cpu else torch.arange(len(mels), device=mels.device)
        if not len(rows):
            return mels, targets
        partners = self._train_clips[torch.as_tensor(drawn.partner[rows]).clamp(min=0)]
        whole = torch.full((len(partners),), self.n_frames, device=mels.device)
        partner_mels = turned(self._take(partners), 0 * whole, whole, drawn.partner_shift[rows], n_frames=self.n_frames)
        partner_db = torch.as_tensor(drawn.partner_db[rows])
        mixture, mixed_targets = mix(
            mels[rows], targets[rows], partner_mels, self.targets[partners], partner_db, mel_config=self.data.mel_config
        )
        keep = torch.as_tensor(chosen[rows])
        mels[rows] = torch.where(keep[:, None, None], mixture, mels[rows])
        targets[rows] = torch.where(keep[:, None], mixed_targets, targets[rows])
        return mels, targets

    @property
    def _on_cpu(self) -> bool:
        return self.group.device.type == "cpu"

    def _there(self, clips: NDArray[np.int64]) -> Tensor:
        return torch.from_numpy(clips).to(self.group.device, non_blocking=True)

    def _take(self, clips: NDArray[np.int64] | Tensor) -> Tensor:
        """Mels (B, F, L') of clips, on the device."""
        if isinstance(self.mels, Tensor):
            rows = torch.as_tensor(clips, device=self.mels.device)
            rows = rows if self._rows is None else self._rows[rows]
            return self.mels[rows].to(self.group.device)
        there = self.data.row(clips.cpu().numpy() if isinstance(clips, Tensor) else clips)
        return torch.from_numpy(self.mels[there]).to(self.group.device)

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
            mels = self._take(clips)[..., : self.n_frames].float()
            targets = self.targets[self._there(clips)]
            totals += torch.stack(masked_bce(self._logits(mels), targets)).double()
        loss_sum, n_known = self.group.total(totals).tolist()
        return loss_sum / max(n_known, 1)

    def _hold_frozen_statistics(self) -> None:
        for name, module in self.model.named_modules():
            if isinstance(module, nn.BatchNorm2d) and self.config.frozen and f"{name}.".startswith(self.config.frozen):
                module.eval()

    def _optimizer(self) -> torch.optim.Optimizer:
        config = self.config
        return schedule.make_optimizer(
            self.phase.optimizer,
            self.model,
            rate=config.learning_rate,
            weight_decay=config.weight_decay,
            fused=not self._on_cpu,
        )

    def _enter_phase(self, epoch: int) -> None:
        """At a switch of phases: from the best weights so far [Won et al. 2020].

        From Adam to SGD the optimizer is new; from SGD to SGD momentum is kept, and only the rate changes.
        """
        phase, before = schedule.phase_of(self.config.schedule, epoch, self.config.epochs), self.phase
        if phase.index != before.index:
            self.phase = phase
            self.model.load_state_dict(self.best_weights)
            self.averaged.restart(self.best_weights)
            if phase.optimizer != before.optimizer:
                self.optimizer = self._optimizer()

    def _save(self) -> None:
        if self.folder is None:
            return
        tensors = {f"model/{name}": value for name, value in self.model.state_dict().items()}
        tensors |= {f"averaged/{name}": value.clone() for name, value in self.averaged.weights.items()}
        tensors |= {f"best/{name}": value for name, value in self.best_weights.items()}
        for index, values in self.optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer/{index}/{name}": torch.as_tensor(v) for name, v in values.items() if v is not None}
        state = {
            "config": self.config.to_json(),
            "data": self.data.fingerprint(),
            "epochs": self.epochs,
            "best_epoch": self.best_epoch,
            "n_averaged": self.averaged.n_updates,
        }
        if self.best_epoch == len(self.epochs):
            self.folder.write_state(self.folder.best, self.best_weights, {"epoch": self.best_epoch})
        self.folder.write_state(self.folder.last, tensors, state)  # from here on the epoch counts
        self.folder.write_history(self.epochs)
        if self.events:
            self.events.write(self.epochs[-1])

    def _restore(self, tensors: dict[str, Tensor], state: dict[str, Any]) -> None:
        # what this program has learned to set since then was at its default
        before, now = TrainConfig.from_json(state["config"]).to_json(), self.config.to_json()
        changed = [f"{name} was {before.get(name)}, is {now[name]}" for name in now if before.get(name) != now[name]]
        if state["data"] != self.data.fingerprint():
            changed.append("the data is not the same")
        if changed:
            raise TrainingError(f"this is not the run to resume: {'; '.join(changed)}")

        def part(prefix: str) -> dict[str, Tensor]:
            return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}

        self.epochs, self.best_epoch = state["epochs"], state["best_epoch"]
        try:
            self.model.load_state_dict(part("model/"))
        except RuntimeError as error:
            raise TrainingError(
                f"the run to resume has another network: {str(error).splitlines()[1].strip()}"
            ) from None
        self.averaged.restart(part("averaged/"))
        self.averaged.n_updates = state["n_averaged"]
        self.best_weights = {name: value.to(self.group.device) for name, value in part("best/").items()}
        self.phase = schedule.phase_of(self.config.schedule, len(self.epochs) - 1, self.config.epochs)
        self.optimizer = self._optimizer()
        values: dict[int, dict[str, Tensor]] = {}
        for name, value in part("optimizer/").items():
            index, key = name.split("/")
            values.setdefault(int(index), {})[key] = value
        self.optimizer.load_state_dict(self.optimizer.state_dict() | {"state": values})


def masked_bce(logits: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Binary cross-entropy where the target is known.

    Args:
        logits: (B, K).
        targets: (B, K) probabilities; NaN is unknown and costs nothing.

    Returns:
        The sum over known labels, and their number.
    """
    known = ~targets.isnan()
    losses = F.binary_cross_entropy_with_logits(logits, targets.nan_to_num(), reduction="none")
    return (losses * known).sum(), known.sum()


@torch.no_grad()
def keep_norms_positive(model: nn.Module) -> None:
    """Where a level pools first its normalisation's weights stay positive: only then is the order of no consequence."""
    for module in model.modules():
        if isinstance(module, ConvLevel) and module.pool_first:
            module.norm.weight.clamp_(min=SMALLEST_NORM_WEIGHT)


def keep_freed_memory() -> None:
    """Tells glibc to reuse large blocks instead of returning them: without it a step on a CPU took twice as long."""
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        libc.mallopt(M_MMAP_THRESHOLD, 1 << 30)
        libc.mallopt(M_TRIM_THRESHOLD, (1 << 31) - 1)


def _on_device(mels: NDArray[np.float16] | Tensor, device: torch.device) -> NDArray[np.float16] | Tensor:
    """All mels on the GPU if they leave enough memory there: then no batch ever travels."""
    if device.type != "cuda" or isinstance(mels, Tensor):
        return mels
    free, _ = torch.cuda.mem_get_info(device)
    return torch.from_numpy(np.asarray(mels)).to(device) if mels.nbytes < DEVICE_SHARE * free else mels


def has_bfloat16(device: torch.device) -> bool:
    """Whether a device convolves in bfloat16: cuDNN has no such convolution below compute capability 8.0."""
    if device.type == "cpu" or torch.cuda.get_device_capability(device) >= (8, 0):
        return True
    log.warning("this GPU has no bfloat16 convolutions: training in float32")
    return False


@contextmanager
def _told_as_sentences(config: TrainConfig) -> Iterator[None]:
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, (MemoryError, torch.OutOfMemoryError)) or "can't allocate memory" in str(error):
            raise TrainingError(
                f"not enough memory for batches of {config.batch_size}; the last epoch's state is kept; "
                f"try a smaller --batch-size"
            ) from error
        raise
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        raise TrainingError(f"the run stopped at {where}{error.strerror or error}; --resume goes on from it") from error
