"""Clips longer than a network's window: the mean probability of the patches side by side, as the tagger takes it."""

from collections.abc import Callable

import torch
from torch import Tensor

#: The mean of probabilities is kept this far from 0 and 1, so that its logit is a number.
MIN_PROBABILITY = 1e-6


def clip_logits(network: Callable[[Tensor], Tensor], mels: Tensor, *, n_frames: int) -> Tensor:
    """Logits (B, K) of clips: of one patch as they are, of several the logit of their mean probability.

    Args:
        network: takes mels (B, F, `n_frames`) and gives logits (B, K).
        mels: (B, F, L'), L' at least `n_frames`; what fills no patch at the end is left out.
    """
    n_patches = mels.shape[-1] // n_frames
    if n_patches == 1:
        return network(mels[..., :n_frames].float())
    patches = mels[..., : n_patches * n_frames].unflatten(-1, (n_patches, n_frames))  # (B, F, P, L)
    logits = network(patches.transpose(1, 2).flatten(0, 1).float())  # (B P, K)
    probabilities = logits.sigmoid().unflatten(0, (len(mels), n_patches)).mean(1)
    return torch.logit(probabilities, eps=MIN_PROBABILITY)
