"""What changes a map: a little noise in the clip should not, other weights in the network should.

Maximum sensitivity (Yeh et al., "On the (in)fidelity and sensitivity of explanations", 2019) and the randomisation test
(Adebayo et al., "Sanity checks for saliency maps", 2018).

Axis letters: F mel bands, L frames.
"""

import copy
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from captum.metrics import sensitivity_max as captum_sensitivity_max
from torch import Tensor, nn

from msecnn.explain.contributions import with_scales
from msecnn.explain.progress import Progress
from msecnn.explain.saliency import saliency
from msecnn.frontend import MelConfig
from msecnn.models.layers import MultiScaleCNN
from msecnn.statistics import mean_ranks

#: Sensitivity: the largest change of the map among so many copies with noise of up to so many dB.
N_NEIGHBOURS = 3
NEIGHBOUR_DB = 0.5


@dataclass(frozen=True)
class Randomisation:
    """What is left of a map when the network's weights are shuffled, from the top layer down.

    Attributes:
        method: of the maps.
        layers: the layer shuffled at each step; those before it stay shuffled.
        correlations: rank correlation of each step's map with the trained network's. Falls to zero for any two maps of
            unrelated networks, so it cannot fail alone.
        absolute: the same of the maps without their signs. Half a map's look is the music, so it need not fall to zero.
    """

    method: str
    layers: tuple[str, ...]
    correlations: tuple[float, ...]
    absolute: tuple[float, ...]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def sensitivity_max(
    model: nn.Module,
    mel: np.ndarray,
    tag_index: int,
    *,
    method: str,
    baseline: str = "floor",
    mel_config: MelConfig | None = None,
    seed: int = 0,
    original: np.ndarray | None = None,
) -> float:
    """How much a map can change when the clip hardly does: Captum's maximum over noisy copies.

    Args:
        original: (F, L) the clip's own map, where it is known.

    Returns:
        The norm of the largest change, relative to the map's norm.
    """
    generator = torch.Generator().manual_seed(seed)

    def explain(inputs: Tensor | tuple[Tensor, ...]) -> Tensor:
        if isinstance(inputs, tuple) and original is not None:  # Captum gives the clip itself as a tuple
            return torch.from_numpy(original)[None, None]
        x = inputs[0] if isinstance(inputs, tuple) else inputs  # (1, 1, F, L)
        options: dict[str, Any] = {"baseline": baseline, "mel_config": mel_config, "seed": seed}
        return torch.from_numpy(saliency(model, x[0, 0].numpy(), tag_index, method=method, **options).total)[None, None]

    def disturb(inputs: Tensor, radius: float) -> Tensor:
        return inputs + radius * (2 * torch.rand(inputs.shape, generator=generator) - 1)

    x = torch.from_numpy(np.array(mel, dtype=np.float32))[None, None]
    return float(
        captum_sensitivity_max(
            explain,
            x,
            disturb,
            perturb_radius=NEIGHBOUR_DB,
            n_perturb_samples=N_NEIGHBOURS,
            max_examples_per_batch=1,
        )
    )


def randomisation(
    model: nn.Module,
    mel: np.ndarray,
    tag_index: int,
    *,
    method: str,
    baseline: str = "floor",
    mel_config: MelConfig | None = None,
    seed: int = 0,
    original: np.ndarray | None = None,
    at_once: bool = False,
    progress: Progress | None = None,
) -> Randomisation:
    """Shuffles the network's weights from the top layer down and follows the map's rank correlation with the original.

    Weights are shuffled within each tensor, so that every layer keeps their distribution and loses what it learned.

    Args:
        original: (F, L) the trained network's map, where it is known.
        at_once: only make the map at the end, when every layer is shuffled.
    """
    shuffled = copy.deepcopy(with_scales(model))
    generator = torch.Generator().manual_seed(seed)

    def total() -> np.ndarray:
        options: dict[str, Any] = {"baseline": baseline, "mel_config": mel_config, "seed": seed}
        return saliency(shuffled, mel, tag_index, method=method, **options).total

    original = total() if original is None else original
    layers = {
        "classifier": shuffled.classifier,
        **dict(zip(shuffled.maps[:0:-1], reversed(shuffled.levels), strict=True)),
    }
    correlations, absolute = [], []
    for done, layer in enumerate(layers.values(), start=1):
        _shuffle(layer, generator)
        if done == len(layers) or not at_once:
            found = total()
            correlations.append(rank_correlation(original, found))
            absolute.append(rank_correlation(np.abs(original), np.abs(found)))
        if progress is not None:
            progress(done / len(layers))
    return Randomisation(method, tuple(layers)[-len(correlations) :], tuple(correlations), tuple(absolute))


def reference_correlations(
    model: nn.Module,
    mel: np.ndarray,
    tag_index: int,
    *,
    method: str,
    baseline: str = "floor",
    mel_config: MelConfig | None = None,
    seed: int = 0,
    original: np.ndarray | None = None,
) -> dict[str, tuple[float, float]]:
    """What to read a rank correlation after shuffling by, signed and absolute.

    Returns:
        "noise": of the map with that of the same clip under noise of `NEIGHBOUR_DB`: what a surviving map has.
        "random": of the maps of two networks with all weights shuffled: what the music alone makes alike.
    """
    options: dict[str, Any] = {"method": method, "baseline": baseline, "mel_config": mel_config, "seed": seed}
    original = saliency(model, mel, tag_index, **options).total if original is None else original
    noise = np.random.default_rng(seed).uniform(-NEIGHBOUR_DB, NEIGHBOUR_DB, mel.shape)
    near = saliency(model, mel + noise, tag_index, **options).total
    first, second = (
        saliency(_all_shuffled(with_scales(model), draw), mel, tag_index, **options).total
        for draw in (seed + 1, seed + 2)  # the check itself draws with `seed`
    )
    pairs = {"noise": (original, near), "random": (first, second)}
    return {name: (rank_correlation(a, b), rank_correlation(np.abs(a), np.abs(b))) for name, (a, b) in pairs.items()}


def rank_correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Spearman's, equal values sharing their mean rank; 0 where one side is constant."""
    a, b = mean_ranks(a), mean_ranks(b)
    a, b = a - a.mean(), b - b.mean()
    norm = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / norm if norm else 0.0


def _all_shuffled(model: MultiScaleCNN, seed: int) -> MultiScaleCNN:
    shuffled, generator = copy.deepcopy(model), torch.Generator().manual_seed(seed)
    for layer in (shuffled.classifier, *shuffled.levels):
        _shuffle(layer, generator)
    return shuffled


def _shuffle(layer: nn.Module, generator: torch.Generator) -> None:
    with torch.no_grad():
        for parameter in layer.parameters():
            flat = parameter.detach().cpu().ravel()
            parameter.copy_(flat[torch.randperm(len(flat), generator=generator)].reshape(parameter.shape))
