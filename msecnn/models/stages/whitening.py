"""PCA whitening: frames turned to their principal directions and scaled to variance one there."""

import torch
from torch import Tensor, nn


class PCAWhitening(nn.Module):
    """Principal components, whitened.

    Args:
        n_in: D, of a frame.
        n_components: C, kept at most; components beyond `share` are always zero, so that sizes do not hang on the data.
        share: of the variance that is kept.
        epsilon: added to each variance before its root is divided by; keeps faint directions from being blown up.

    Shape:
        - input: (..., D)
        - output: (..., C)
    """

    mean: Tensor
    components: Tensor

    def __init__(self, n_in: int, n_components: int, *, share: float = 1.0, epsilon: float = 0.0) -> None:
        super().__init__()
        if not 1 <= n_components <= n_in:
            raise ValueError(f"{n_in} dimensions have 1 to {n_in} principal components, not {n_components}")
        self.share, self.epsilon = share, epsilon
        self.register_buffer("mean", torch.zeros(n_in))
        self.register_buffer("components", torch.eye(n_in)[:n_components].clone())  # (C, D), with its scale

    def forward(self, x: Tensor) -> Tensor:
        return (x - self.mean) @ self.components.T

    @torch.no_grad()
    def fit(self, frames: Tensor, generator: torch.Generator | None = None) -> None:
        """Takes the directions of frames (N, D), N at least 2; nothing is drawn.

        A direction's sign is free: its largest weight is made positive.
        """
        values = frames.double()
        mean = values.mean(0)
        centred = values - mean
        variances, directions = torch.linalg.eigh(centred.T @ centred / (len(values) - 1))
        variances, directions = variances.flip(0).clamp(min=0), directions.flip(1).T  # (D,), (D, D): largest first
        largest = directions.gather(1, directions.abs().argmax(1, keepdim=True))
        directions = directions * largest.sign()
        kept = variances.cumsum(0) - variances < self.share * variances.sum()  # as many as first reach the share
        scale = (kept & (variances > 0)) / (variances + self.epsilon).clamp(
            min=torch.finfo(variances.dtype).tiny
        ).sqrt()
        n_components = len(self.components)
        self.mean.copy_(mean)
        self.components.copy_((scale[:, None] * directions)[:n_components])
