"""Whether a map names the cells that matter: the logit while they are removed, against orders that know nothing.

Deletion and insertion curves (Petsiuk et al., "RISE", 2018). `infidelity` and `stability` hold the other measures.

Axis letters: F mel bands, L frames, S scales.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from msecnn.explain.baselines import baseline_mel
from msecnn.explain.contributions import with_scales
from msecnn.explain.progress import Progress, Steps
from msecnn.explain.scale_terms import ScaleTerms
from msecnn.frontend import MelConfig

if TYPE_CHECKING:
    from msecnn.explain.explanation import Explanation

#: Orders that know nothing of the network; a method that does not beat them tells nothing about it.
BLIND_ORDERS = RANDOM, LOUDNESS = ("random", "loudness")
#: (M,) figures of one spectrogram (F, L).
Measure = Callable[[Tensor], np.ndarray]


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
        baseline: what a cell is replaced by, see `baseline_mel`.
        n_steps: points on each curve, besides the start.
        scales: the curve follows the sum of these scales' terms; all, and the bias, if left out.
        order_name: for the result.
    """
    network = with_scales(model)
    steps = Steps(2 * n_steps, progress, cancelled)
    terms = ScaleTerms(network, tag_index, scales or network.scales)
    bias = 0.0 if scales else network.classifier.bias[tag_index].item()
    nothing = baseline_mel(network, mel, baseline, mel_config)

    def measure(x: Tensor) -> np.ndarray:
        return terms_of(terms, x, steps)

    ends = Ends.of(measure, mel, nothing)
    fractions = denser_first(n_steps)
    deletion, insertion = follow_order(measure, ends, attribution, fractions, seed=seed)
    return curves_of(order_name, fractions, deletion[:, -1] + bias, insertion[:, -1] + bias)


def compare_orders(
    explanation: "Explanation",
    *,
    n_steps: int,
    progress: Progress = lambda _: None,
    cancelled: Callable[[], bool] | None = None,
) -> list[Curves]:
    """Curves of one clip in the order of its map, in random order, and with the loudest cells first.

    Args:
        n_steps: points on each curve, besides the start.
    """
    mel = explanation.mel
    orders = {explanation.method: explanation.maps.total} | {name: blind_order(name, mel) for name in BLIND_ORDERS}
    return [
        curves(
            explanation.tagger.model,
            mel,
            explanation.tag_index,
            order,
            baseline=explanation.baseline,
            n_steps=n_steps,
            order_name=name,
            mel_config=explanation.mel_config,
            progress=lambda part, number=number: progress((number + part) / len(orders)),  # type: ignore[misc]
            cancelled=cancelled,
        )
        for number, (name, order) in enumerate(orders.items())
    ]


@dataclass(frozen=True)
class Ends:
    """Where every curve of a clip begins and ends.

    Attributes:
        clip, nothing: (F, L) the whole clip and the baseline.
        with_clip, with_nothing: (M,) what is measured of each, as a rule the terms and their sum (S + 1,).
    """

    clip: Tensor
    nothing: Tensor
    with_clip: np.ndarray
    with_nothing: np.ndarray

    @classmethod
    def of(cls, measure: Measure, mel: np.ndarray, nothing: Tensor) -> "Ends":
        clip = torch.from_numpy(np.array(mel, dtype=np.float32, order="C"))
        return cls(clip, nothing, measure(clip), measure(nothing))

    def of_scale(self, column: int) -> "Ends":
        """The same of one scale, whose term is then the sum, too."""
        return Ends(self.clip, self.nothing, self.with_clip[[column, column]], self.with_nothing[[column, column]])


def denser_first(n_steps: int) -> np.ndarray:
    """(N + 1,) shares of cells from 0 to 1, denser at the beginning, where maps are concentrated."""
    fractions: np.ndarray = np.linspace(0, 1, n_steps + 1) ** 2
    return fractions


def follow_order(
    measure: Measure, ends: Ends, attribution: np.ndarray, fractions: np.ndarray, *, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """What is measured while cells are taken out, and while they are put in.

    Args:
        measure: what made the ends.
        fractions: (N + 1,) rising from 0 to 1.

    Returns:
        What was measured with each share of the cells out, and in: (N + 1, M) twice.
    """
    ranks = _ranks(attribution, seed)

    def follow(start: Tensor, end: Tensor) -> list[np.ndarray]:
        changed = (torch.where(ranks < round(fraction * ranks.numel()), end, start) for fraction in fractions[1:-1])
        return [measure(x) for x in changed]

    deletion = np.stack([ends.with_clip, *follow(ends.clip, ends.nothing), ends.with_nothing])
    insertion = np.stack([ends.with_nothing, *follow(ends.nothing, ends.clip), ends.with_clip])
    return deletion, insertion


def curves_of(order_name: str, fractions: np.ndarray, deletion: np.ndarray, insertion: np.ndarray) -> Curves:
    """The two curves with their areas."""
    areas = [float(np.trapezoid(curve, fractions)) for curve in (deletion, insertion)]
    return Curves(order_name, fractions, deletion, insertion, *areas)


def blind_order(name: str, mel: np.ndarray, seed: int = 0) -> np.ndarray:
    """An attribution (F, L) by something that has not seen the network: "random", or "loudness", the loudest first."""
    return mel if name == LOUDNESS else np.random.default_rng(seed).random(mel.shape)


def _ranks(attribution: np.ndarray, seed: int) -> Tensor:
    """(F, L): 0 for the highest attribution, and so on down; a stable sort leaves equal ones in their random order."""
    shuffled = np.random.default_rng(seed).permutation(attribution.size)
    order = shuffled[np.argsort(-attribution.ravel()[shuffled], kind="stable")]
    ranks = np.empty(attribution.size, dtype=np.int64)
    ranks[order] = np.arange(attribution.size)
    return torch.from_numpy(ranks.reshape(attribution.shape))


def terms_of(terms: ScaleTerms, mel: Tensor, steps: Steps | None = None) -> np.ndarray:
    """The scales' terms and their sum (S + 1,) of one spectrogram (F, L)."""
    values: np.ndarray = terms(mel[None, None])[0].double().cpu().numpy()
    if steps is not None:
        steps.step()
    return values
