"""How badly a map predicts what removing parts of a clip costs (Yeh et al., "On the (in)fidelity and
sensitivity of explanations", 2019).

Axis letters: N perturbations, F mel bands, L frames.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from msecnn.explain.faithfulness import Ends, terms_of
from msecnn.explain.saliency import PATCH
from msecnn.explain.scale_terms import ScaleTerms

#: Methods whose maps are in units of the logit: a cell's value is what removing it should cost.
IN_LOGITS = ("gradient_x_input", "integrated_gradients", "shapley", "occlusion", "grad_cam")
#: Random sets of patches, each patch in a set with this probability; with 20 sets another seed changes the result much.
N_PERTURBATIONS = 200
REMOVED_SHARE = 0.1


@dataclass(frozen=True)
class Removals:
    """What the logit lost when random patches were replaced by the baseline.

    Attributes:
        removed: (N, F, L) true where a cell was replaced.
        height: (F, L) of each cell above the baseline, in dB.
        lost: (N,) logit before, less that after.
    """

    removed: np.ndarray
    height: np.ndarray
    lost: np.ndarray


def random_removals(terms: ScaleTerms, ends: Ends, *, seed: int = 0) -> Removals:
    """Removes `N_PERTURBATIONS` random sets of patches, the same for every method."""
    generator = torch.Generator().manual_seed(seed)
    removed = [_random_patches(tuple(ends.clip.shape), generator) > 0 for _ in range(N_PERTURBATIONS)]
    after = [terms_of(terms, torch.where(patches, ends.nothing, ends.clip))[-1] for patches in removed]
    height = (ends.clip - ends.nothing).numpy()
    return Removals(torch.stack(removed).numpy(), height, ends.with_clip[-1] - np.array(after))


def infidelity(removals: Removals, attribution: np.ndarray, *, method: str) -> float:
    """How badly a map predicts what the logit loses when random patches are removed.

    The normalised infidelity of Captum (which scales a map to fit best, since units differ), as a share of that of a
    map of zeros: 0 is a perfect prediction, 1 none at all.

    Args:
        attribution: (F, L) of all scales together.
        method: that made it, which tells its units.
    """
    cost = attribution if method in IN_LOGITS else attribution * removals.height
    predicted = removals.removed.reshape(len(removals.lost), -1) @ cost.astype(np.float64).ravel()
    power, whole = float(predicted @ predicted), float(removals.lost @ removals.lost)
    fit = float(predicted @ removals.lost) / power if power else 0.0
    missed = removals.lost - fit * predicted
    return float(missed @ missed) / whole if whole else 0.0


def _random_patches(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """(F, L) of ones where a patch is removed: a grid of patches at a random offset, each removed by chance."""
    counts = [cells // patch + 2 for cells, patch in zip(shape, PATCH, strict=True)]
    removed = (torch.rand(counts, generator=generator) < REMOVED_SHARE).float()
    drawn = removed.repeat_interleave(PATCH[0], 0).repeat_interleave(PATCH[1], 1)
    top, left = (int(torch.randint(patch, (), generator=generator)) for patch in PATCH)
    return drawn[top : top + shape[0], left : left + shape[1]]
