"""What training sets in a network: dropout, parameters that stay as they are, and normalisations that stay positive."""

import torch
from torch import nn

from msecnn.models.layers import ConvLevel, MultiScaleCNN

#: The smallest weight a normalisation may have where pooling comes first: the order is exact only for positive ones.
SMALLEST_NORM_WEIGHT = 1e-3


def prepare(model: nn.Module, *, dropout: float, frozen: tuple[str, ...]) -> None:
    """Sets dropout, and which parameters learn: all whose names begin with none of `frozen`.

    Networks with scales have no dropout in their papers, so it is the configuration's; others keep their own.
    """
    for module in model.modules():
        if isinstance(module, MultiScaleCNN):
            module.dropout.p = dropout
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(not name.startswith(frozen) if frozen else True)


def hold_frozen_statistics(model: nn.Module, frozen: tuple[str, ...]) -> None:
    """The BatchNorms of frozen parts keep their statistics while the rest is in training mode."""
    for name, module in model.named_modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm) and frozen and f"{name}.".startswith(frozen):
            module.eval()


@torch.no_grad()
def keep_norms_positive(model: nn.Module) -> None:
    """Where a level pools first its normalisation's weights stay positive: only then is the order of no consequence."""
    for module in model.modules():
        if isinstance(module, ConvLevel) and module.pool_first:
            module.norm.weight.clamp_(min=SMALLEST_NORM_WEIGHT)
