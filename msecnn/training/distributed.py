"""One process, or several that train one network together under `torchrun`, each on its share of every batch.

The result is that of one process on the whole batch: BatchNorm takes its statistics over all processes, and the loss
is divided by the number of known labels in the whole batch.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import torch
import torch.distributed as dist
import torch.distributed.nn.functional as differentiable
from torch import Tensor, nn

from msecnn.models.layers import running_statistics
from msecnn.runtimes.torch_runtime import pick_device

#: How long a process may wait for another: the first one decodes a whole data set while the others wait for its mels.
PATIENCE = timedelta(days=2)


@dataclass(frozen=True)
class Processes:
    """Which process this is, of how many, and the device it computes on."""

    rank: int
    count: int
    device: torch.device

    @property
    def first(self) -> bool:
        """Whether this is the process that writes files and shows progress."""
        return self.rank == 0

    def total(self, values: Tensor) -> Tensor:
        """The sum over all processes, everywhere."""
        if self.count > 1:
            dist.all_reduce(values)
        return values

    def wait(self) -> None:
        """Until all processes are here."""
        if self.count > 1:
            dist.barrier()

    def share(self, n: int) -> slice:
        """This process's part of a batch of n."""
        return slice(self.rank * n // self.count, (self.rank + 1) * n // self.count)


@contextmanager
def joined(device: str | torch.device | None = None) -> Iterator[Processes]:
    """Joins the other processes if `torchrun` started this one.

    Args:
        device: None takes a CUDA device if there is one, and a different one for each process.

    Raises:
        MsecnnError: this machine has no device of that name.
    """
    count, rank = int(os.environ.get("WORLD_SIZE", 1)), int(os.environ.get("RANK", 0))
    if device is None:
        device = f"cuda:{os.environ.get('LOCAL_RANK', 0)}" if torch.cuda.is_available() else "cpu"
    device = device if isinstance(device, torch.device) else pick_device(device)
    if count == 1 or dist.is_initialized():
        yield Processes(rank, count, device)
        return
    if device.type == "cuda":
        torch.cuda.set_device(device)
    backend = "nccl" if device.type == "cuda" else "gloo"
    dist.init_process_group(backend, rank=rank, world_size=count, timeout=PATIENCE)
    try:
        yield Processes(rank, count, device)
    finally:
        dist.destroy_process_group()


class SharedBatchNorm2d(nn.BatchNorm2d):
    """BatchNorm whose statistics in training are those of all processes' clips (torch's own needs a GPU)."""

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return super().forward(x)
        x = x.float()
        axes = (0, 2, 3)
        n = x.new_tensor([x.numel() / x.shape[1]])
        sums = differentiable.all_reduce(torch.cat([x.sum(axes), n]))
        mean = sums[:-1] / sums[-1]
        centred = x - mean[:, None, None]
        # a second round for the squares of what is centred: the difference of two large sums would lose digits
        variance = differentiable.all_reduce(centred.square().sum(axes)) / sums[-1]
        self._remember(mean.detach(), variance.detach(), float(sums[-1]))
        scale = self.weight * torch.rsqrt(variance + self.eps)
        return centred * scale[:, None, None] + self.bias[:, None, None]

    @torch.no_grad()
    def _remember(self, mean: Tensor, variance: Tensor, n: float) -> None:
        running_mean, running_var = running_statistics(self)
        assert self.momentum is not None
        assert self.num_batches_tracked is not None
        running_mean.lerp_(mean, self.momentum)
        running_var.lerp_(variance * n / (n - 1), self.momentum)
        self.num_batches_tracked.add_(1)


def share_batch_norms(model: nn.Module) -> None:
    """Makes every BatchNorm take its statistics over all processes; names in the state dict stay."""
    for module in model.modules():
        if type(module) is nn.BatchNorm2d:
            module.__class__ = SharedBatchNorm2d
