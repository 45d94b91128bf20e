"""Restricted Boltzmann machine, Gaussian visible and sparse binary hidden units, by one step of contrastive divergence.

Hinton, "Training products of experts by minimizing contrastive divergence", 2002; sparsity: Lee, Ekanadham and Ng,
"Sparse deep belief net model for visual area V2", 2008.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True)
class RBMTraining:
    """How a machine learns.

    Attributes:
        epochs: how often every frame is seen.
        batch_size: frames in a step.
        rate: of learning, at first; multiplied by `rate_decay` after each epoch, until it is `least_rate`.
        momentum: `early_momentum` in the first fifth of the epochs.
        weight_cost: L2 on weights.
        sparsity: the mean activation that hidden units shall have.
        sparsity_cost: how strongly their biases are drawn to it.
    """

    epochs: int = 30
    batch_size: int = 100
    rate: float = 0.007
    least_rate: float = 0.003
    rate_decay: float = 0.99
    early_momentum: float = 0.5
    momentum: float = 0.9
    weight_cost: float = 0.001
    sparsity: float = 0.02
    sparsity_cost: float = 3.0


class GaussianRBM(nn.Module):
    """Hidden units' probabilities; visible units have variance one, as whitened frames have.

    The energy of visible v (D,) and hidden h (H,) is |v - b|²/2 - c·h - h·Wv.

    Shape:
        - input: (..., D)
        - output: (..., H)
    """

    weight: Tensor
    visible_bias: Tensor
    hidden_bias: Tensor

    def __init__(self, n_visible: int, n_hidden: int, training: RBMTraining | None = None) -> None:
        super().__init__()
        self.how = training or RBMTraining()
        self.register_buffer("weight", torch.zeros(n_hidden, n_visible))
        self.register_buffer("visible_bias", torch.zeros(n_visible))
        self.register_buffer("hidden_bias", torch.zeros(n_hidden))

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight, self.hidden_bias).sigmoid()

    def free_energy(self, x: Tensor) -> Tensor:
        """(...,) minus the logarithm of the sum over all 2^H hidden states of exp(-energy)."""
        outside = (x - self.visible_bias).square().sum(-1) / 2
        return outside - F.softplus(F.linear(x, self.weight, self.hidden_bias)).sum(-1)

    @torch.no_grad()
    def fit(self, frames: Tensor, generator: torch.Generator) -> None:
        """Learns frames (N, D) from small random weights and hidden units that are as rare as `sparsity` says."""
        how = self.how
        self.weight.copy_(0.01 * torch.randn(self.weight.shape, generator=generator))
        self.visible_bias.zero_()
        self.hidden_bias.fill_(torch.logit(torch.tensor(how.sparsity)))
        speeds = [torch.zeros_like(tensor) for tensor in (self.weight, self.visible_bias, self.hidden_bias)]
        rate = how.rate
        for epoch in range(how.epochs):
            momentum = how.early_momentum if epoch < how.epochs / 5 else how.momentum
            for chosen in torch.randperm(len(frames), generator=generator).split(how.batch_size):
                for tensor, speed, step in zip(
                    (self.weight, self.visible_bias, self.hidden_bias),
                    speeds,
                    self.steps(frames[chosen].float(), generator),
                    strict=True,
                ):
                    tensor.add_(speed.mul_(momentum).add_(step, alpha=rate))
            rate = max(rate * how.rate_decay, how.least_rate)

    def steps(self, visible: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """Directions of weights, visible and hidden biases for a batch (B, D): CD-1, weight cost and sparsity."""
        hidden = self(visible)
        sampled = (torch.rand(hidden.shape, generator=generator) < hidden).float()
        again = F.linear(sampled, self.weight.T, self.visible_bias)  # the mean of what the hidden units ask for
        hidden_again = self(again)
        weight = (hidden.T @ visible - hidden_again.T @ again) / len(visible) - self.how.weight_cost * self.weight
        sparse = self.how.sparsity_cost * (self.how.sparsity - hidden.mean(0))
        return weight, (visible - again).mean(0), (hidden - hidden_again).mean(0) + sparse
