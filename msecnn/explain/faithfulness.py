"""How far an attribution map can be believed: measured on the network, against orders that know nothing of it.

Deletion and insertion curves (Petsiuk et al., "RISE", 2018), infidelity and maximum sensitivity (Yeh et al., "On the
(in)fidelity and sensitivity of explanations", 2019), and the randomisation test (Adebayo et al., "Sanity
checks for saliency maps", 2018).

Axis letters: F mel bands, L frames, S scales.
"""

import copy
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from captum.metrics import sensitivity_max as captum_sensitivity_max
from torch import Tensor, nn

from msecnn.explain.contributions import with_scales
from msecnn.explain.saliency import PATCH, Progress, ScaleTerms, Steps, baseline_mel, saliency
from msecnn.frontend import MelConfig
from msecnn.statistics import mean_ranks

#: Orders that know nothing of the network; a method that does not beat them tells nothing about it.
BLIND_ORDERS = RANDOM, LOUDNESS = ("random", "loudness")
#: Methods whose maps are in units of the logit: a cell's value is what removing it should cost.
IN_LOGITS = ("gradient_x_input", "integrated_gradients", "occlusion", "grad_cam")
#: Infidelity: random sets of patches, each patch in a set with this probability.
N_PERTURBATIONS = 20
REMOVED_SHARE = 0.1
#: Sensitivity: the largest change of the map among so many copies with noise of up to so many dB.
N_NEIGHBOURS = 3
NEIGHBOUR_DB = 0.5


@dataclass(frozen=True)
class Curves:
    """The logit while cells are taken out, and while they are put in, in one order.

    Attributes:
        order_name: what ordered the cells.
        fractions: (N + 1,) share of cells taken out or put in; denser at the beginning, where maps are concentrated.
        deletion: (N + 1,) logit, from the whole clip to the baseline. Falls fast for a faithful order.
        insertion: (N + 1,) logit, from the baseline to the whole clip. Rises fast for a faithful order.
        deletion_area, insertion_area: mean logit under each curve.
    """

    order_name: str
    fractions: np.ndarray
    deletion: np.ndarray
    insertion: np.ndarray
    deletion_area: float
    insertion_area: float

    def to_json(self) -> dict[str, Any]:
        arrays = ("fractions", "deletion", "insertion")
        return asdict(self) | {name: getattr(self, name).tolist() for name in arrays}


@dataclass(frozen=True)
class Randomisation:
    """What is left of a map when the network's weights are shuffled, from the top layer down.

    Attributes:
        method: of the maps.
        layers: the layer shuffled at each step; those before it stay shuffled.
        correlations: rank correlation of each step's map with the trained network's. Should fall towards zero.
    """

    method: str
    layers: tuple[str, ...]
    correlations: tuple[float, ...]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def curves(
    model: nn.Module,
    mel: np.ndarray,
    tag_index: int,
    attribution: np.ndarray,
    *,
    baseline: str = "floor",
    n_steps: int = 20,
    scales: Sequence[str] | None = None,
    order_name: str = "attribution",
    mel_config: MelConfig | None = None,
    seed: int = 0,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Curves:
    """Takes cells out, and puts them in, by falling attribution; cells of equal attribution in random order.

    Args:
        attribution: (F, L).
        baseline: what a cell is replaced by, see `saliency.BASELINES`.
        n_steps: points on each curve, besides the start.
        scales: the curve follows the sum of these scales' terms; all, and the bias, if left out.
        order_name: for the result.
    """
    network = with_scales(model)
    steps = Steps(2 * n_steps, progress, cancelled)
    terms = ScaleTerms(network, tag_index, scales or network.scales)
    bias = 0.0 if scales else network.classifier.bias[tag_index].item()
    nothing = baseline_mel(network, mel, baseline, mel_config)
    ends = Ends.of(terms, mel, nothing, steps)
    fractions, deletion, insertion = follow_order(terms, ends, attribution, n_steps, seed=seed, steps=steps)
    return curves_of(order_name, fractions, deletion[:, -1] + bias, insertion[:, -1] + bias)


@dataclass(frozen=True)
class Ends:
    """Where every curve of a clip begins and ends.

    Attributes:
        clip, nothing: (F, L) the whole clip and the baseline.
        with_clip, with_nothing: (S + 1,) the terms and their sum of each.
    """

    clip: Tensor
    nothing: Tensor
    with_clip: np.ndarray
    with_nothing: np.ndarray

    @classmethod
    def of(cls, terms: ScaleTerms, mel: np.ndarray, nothing: Tensor, steps: Steps | None = None) -> "Ends":
        clip = torch.from_numpy(np.array(mel, dtype=np.float32, order="C"))
        return cls(clip, nothing, _terms(terms, clip, steps), _terms(terms, nothing, steps))

    def of_scale(self, column: int) -> "Ends":
        """The same of one scale, whose term is then the sum, too."""
        return Ends(self.clip, self.nothing, self.with_clip[[column, column]], self.with_nothing[[column, column]])


def follow_order(
    terms: ScaleTerms,
    ends: Ends,
    attribution: np.ndarray,
    n_steps: int,
    *,
    seed: int = 0,
    steps: Steps | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What each scale's term and their sum are while cells are taken out, and while they are put in.

    Returns:
        Fractions (N + 1,), and at each the terms with that share of the cells out, and in: (N + 1, S + 1) twice.
    """
    ranks = _ranks(attribution, seed)
    fractions = np.linspace(0, 1, n_steps + 1) ** 2

    def follow(start: Tensor, end: Tensor) -> list[np.ndarray]:
        changed = (torch.where(ranks < round(fraction * ranks.numel()), end, start) for fraction in fractions[1:-1])
        return [_terms(terms, x, steps) for x in changed]

    deletion = np.stack([ends.with_clip, *follow(ends.clip, ends.nothing), ends.with_nothing])
    insertion = np.stack([ends.with_nothing, *follow(ends.nothing, ends.clip), ends.with_clip])
    return fractions, deletion, insertion


def curves_of(order_name: str, fractions: np.ndarray, deletion: np.ndarray, insertion: np.ndarray) -> Curves:
    """The two curves with their areas."""
    areas = [float(np.trapezoid(curve, fractions)) for curve in (deletion, insertion)]
    return Curves(order_name, fractions, deletion, insertion, *areas)


def blind_order(name: str, mel: np.ndarray, seed: int = 0) -> np.ndarray:
    """An attribution (F, L) by something that has not seen the network: "random", or "loudness", the loudest first."""
    return mel if name == LOUDNESS else np.random.default_rng(seed).random(mel.shape)


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
    after = [_terms(terms, torch.where(patches, ends.nothing, ends.clip))[-1] for patches in removed]
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
    correlations = []
    for done, layer in enumerate(layers.values(), start=1):
        _shuffle(layer, generator)
        if done == len(layers) or not at_once:
            correlations.append(rank_correlation(original, total()))
        if progress is not None:
            progress(done / len(layers))
    return Randomisation(method, tuple(layers)[-len(correlations) :], tuple(correlations))


def rank_correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Spearman's, equal values sharing their mean rank; 0 where one side is constant."""
    a, b = mean_ranks(a), mean_ranks(b)
    a, b = a - a.mean(), b - b.mean()
    norm = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / norm if norm else 0.0


def _ranks(attribution: np.ndarray, seed: int) -> Tensor:
    """(F, L): 0 for the highest attribution, and so on down; a stable sort leaves equal ones in their random order."""
    shuffled = np.random.default_rng(seed).permutation(attribution.size)
    order = shuffled[np.argsort(-attribution.ravel()[shuffled], kind="stable")]
    ranks = np.empty(attribution.size, dtype=np.int64)
    ranks[order] = np.arange(attribution.size)
    return torch.from_numpy(ranks.reshape(attribution.shape))


def _terms(terms: ScaleTerms, mel: Tensor, steps: Steps | None = None) -> np.ndarray:
    """The scales' terms and their sum (S + 1,) of one spectrogram (F, L)."""
    found: np.ndarray = terms(mel[None, None])[0].double().cpu().numpy()
    if steps is not None:
        steps.step()
    return found


def _random_patches(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """(F, L) of ones where a patch is removed: a grid of patches at a random offset, each removed by chance."""
    counts = [cells // patch + 2 for cells, patch in zip(shape, PATCH, strict=True)]
    removed = (torch.rand(counts, generator=generator) < REMOVED_SHARE).float()
    drawn = removed.repeat_interleave(PATCH[0], 0).repeat_interleave(PATCH[1], 1)
    top, left = (int(torch.randint(patch, (), generator=generator)) for patch in PATCH)
    return drawn[top : top + shape[0], left : left + shape[1]]


def _shuffle(layer: nn.Module, generator: torch.Generator) -> None:
    with torch.no_grad():
        for parameter in layer.parameters():
            flat = parameter.detach().cpu().ravel()
            parameter.copy_(flat[torch.randperm(len(flat), generator=generator)].reshape(parameter.shape))
