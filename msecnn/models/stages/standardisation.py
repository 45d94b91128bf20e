"""Each dimension shifted to mean zero and scaled to variance one."""

import torch
from torch import Tensor, nn

#: A dimension that never moves is scaled as if it moved this much.
MIN_DEVIATION = 1e-5


class Standardisation(nn.Module):
    """(x - mean) / standard deviation of each of D dimensions.

    Shape:
        - input: (..., D)
        - output: (..., D)
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, n_in: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(n_in))
        self.register_buffer("scale", torch.ones(n_in))  # one over the deviation

    def forward(self, x: Tensor) -> Tensor:
        return (x - self.mean) * self.scale

    @torch.no_grad()
    def fit(self, frames: Tensor, generator: torch.Generator | None = None) -> None:
        """Takes mean and deviation of frames (N, D); nothing is drawn."""
        values = frames.double()
        self.mean.copy_(values.mean(0))
        self.scale.copy_(1 / values.std(0, correction=0).clamp(min=MIN_DEVIATION))
