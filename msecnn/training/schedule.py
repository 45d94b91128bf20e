"""Learning rates and optimizers over a run: one cycle, warm-up and cosine, constant, plateau, and Won et al.'s recipe.

Sources: Smith, "Super-convergence", 2018 (one cycle); Won et al., "Evaluation of CNN-based automatic music tagging
models", 2020 (Adam, then Nesterov momentum, kept, at three rates; each switch from the best weights so far).
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import nn

SCHEDULES = ("one_cycle", "cosine", "constant", "plateau", "won2020")
#: "sgd" is plain; "nesterov" has that momentum of .9.
OPTIMIZERS = ("adamw", "adam", "nesterov", "sgd", "adadelta")
#: The first and last rate of one cycle, and the last of a cosine, as shares of the largest.
START, END = 1 / 25, 1e-4
#: Won et al.: 80 epochs of Adam, then three times 20 of SGD, as shares of the run; the rates relative to Adam's 1e-4.
WON_PHASES = ((4 / 7, "adam", 1.0), (5 / 7, "nesterov", 10.0), (6 / 7, "nesterov", 1.0), (1.0, "nesterov", 0.1))


@dataclass(frozen=True)
class Phase:
    """A stretch of a run that has one optimizer."""

    index: int
    optimizer: str
    rate: float  # of the run's learning rate


def phase_of(schedule: str, epoch: int, n_epochs: int, *, optimizer: str = "adamw") -> Phase:
    """The phase to which an epoch, counted from 0, belongs; "won2020" has optimizers of its own."""
    if schedule != "won2020":
        return Phase(0, optimizer, 1.0)
    for index, (end, optimizer, rate) in enumerate(WON_PHASES[:-1]):
        if epoch < round(end * n_epochs):
            return Phase(index, optimizer, rate)
    return Phase(len(WON_PHASES) - 1, *WON_PHASES[-1][1:])


def rate_factor(schedule: str, step: int, n_steps: int, *, warmup: float) -> float:
    """What the learning rate is multiplied by at a step, counted from 0.

    Args:
        warmup: share of the steps in which the rate rises, for "one_cycle" and "cosine".
    """
    if schedule not in ("one_cycle", "cosine"):
        return 1.0
    rising = warmup * n_steps
    if step < rising:
        share = (step + 1) / (rising + 1)
        return START + (1 - START) * (0.5 - 0.5 * math.cos(math.pi * share)) if schedule == "one_cycle" else share
    share = (step - rising) / max(n_steps - rising, 1)
    return END + (1 - END) * (0.5 + 0.5 * math.cos(math.pi * share))


def plateau_factor(losses: Iterable[float], *, epochs: int, factor: float) -> float:
    """What the learning rate is multiplied by after these losses, an epoch each: of nothing but the history.

    The rate falls by `factor` whenever so many epochs have gone by without a lowest loss, or since it fell last.
    """
    lowest, idle, n_falls = math.inf, 0, 0
    for loss in losses:
        lowest, idle = (loss, 0) if loss < lowest else (lowest, idle + 1)
        if idle >= epochs:
            n_falls, idle = n_falls + 1, 0
    return float(factor**n_falls)


def make_optimizer(
    name: str, model: nn.Module, *, rate: float, weight_decay: float, fused: bool = False
) -> torch.optim.Optimizer:
    """An optimizer of the parameters that are not frozen; only weight matrices and filters decay.

    `fused` takes one kernel for all parameters, for a GPU. All but AdamW decay by the loss's gradient: L2 on kernels,
    w²/2 times the decay; AdamW decays apart from it.
    """
    trained = [p for p in model.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in trained if p.ndim > 1], "weight_decay": weight_decay},
        {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
    ]
    groups = [group for group in groups if group["params"]]
    if name in ("sgd", "nesterov"):
        momentum = 0.9 if name == "nesterov" else 0.0
        return torch.optim.SGD(groups, lr=rate, momentum=momentum, nesterov=name == "nesterov", fused=fused)
    if name == "adadelta":
        return torch.optim.Adadelta(groups, lr=rate)
    return {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[name](groups, lr=rate, fused=fused)
