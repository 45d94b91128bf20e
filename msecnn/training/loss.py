"""The loss of labels of which some are not known."""

import torch.nn.functional as F
from torch import Tensor


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
