"""Averaged weights: an exponential moving average of a network's parameters and BatchNorm statistics.

Evaluate these: in a pilot the raw weights' validation loss was noisy, the average's was not.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class AveragedWeights:
    """Keeps the average of all that is in a model's state dict.

    Args:
        decay: weight of the past at each step. The first steps use less, (1 + n) / (10 + n), so that the random start
            is soon forgotten. 0 averages nothing: the weights are the model's own.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self.n_updates = 0
        weights = {name: value.detach() for name, value in model.state_dict().items()}
        self.weights = {name: value.clone() for name, value in weights.items()} if decay else weights

    @torch.no_grad()
    def update(self, model: nn.Module) -> None:
        """Moves the average towards the model's present weights; counters are copied."""
        self.n_updates += 1
        if not self.decay:
            return
        decay = min(self.decay, (1 + self.n_updates) / (10 + self.n_updates))
        pairs = [(self.weights[name], value) for name, value in model.state_dict().items()]
        averages, values = zip(*(pair for pair in pairs if pair[0].is_floating_point()), strict=True)
        torch._foreach_lerp_(averages, values, 1 - decay)  # one call for all: on a GPU a few kernels
        for average, value in pairs:
            if not average.is_floating_point():
                average.copy_(value)

    @contextmanager
    def swapped_in(self, model: nn.Module) -> Iterator[nn.Module]:
        """Within the block the model has the averaged weights; after it, its own again."""
        own = {name: value.detach().clone() for name, value in model.state_dict().items()}
        model.load_state_dict(self.weights)
        try:
            yield model
        finally:
            model.load_state_dict(own)

    def restart(self, weights: dict[str, Tensor]) -> None:
        """Forgets the past: the average is these weights."""
        self.n_updates = 0
        for name, value in weights.items():
            self.weights[name].copy_(value)
