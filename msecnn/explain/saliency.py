"""Where in the spectrogram each scale looks for a tag: seven attribution methods, a signed map for each scale.

* gradient (Simonyan et al. 2014): Captum's `Saliency` around our gradients
* gradient_x_input (Shrikumar et al. 2016): the same, times the height above the baseline, which is one line of ours
* integrated_gradients (Sundararajan et al. 2017): steps and weights by Captum's `IntegratedGradients`, our gradients
* shapley: Shapley values of every maximum by `models/fast/shapley_multipliers.py`, times the change; ours alone
* grad_cam (Selvaraju et al. 2017): all by Captum's `LayerGradCam` (see `grad_cam.py`), but for the drawing
* occlusion (Zeiler and Fergus 2014): Captum's `Occlusion` around our forward pass, which recomputes only what a patch
  changes
* smooth_gradient (Smilkov et al. 2017): our loop, since Captum's `NoiseTunnel` draws from torch's global generator

"Our gradients" are `models/fast/gradients.py`: one forward pass of the network with its normalisations folded in, and
one backward pass for all scales at once, in place of Captum's `gradient_func`, which would take a pass a scale.
`tests/test_captum_parity.py` runs Captum by itself, on the literal network, for every row but Shapley's, which
`tests/test_shapley.py` holds. `docs/explanations.md` tells why guided backpropagation, deconvolution, LRP and DeepLift
are not here.

Axis letters: B clips, S scales, F mel bands, L frames.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from captum.attr import GradientAttribution, IntegratedGradients, Occlusion, Saliency
from torch import Tensor, nn

from msecnn.explain import METHODS, ExplanationError
from msecnn.explain.baselines import baseline_mel
from msecnn.explain.contributions import with_scales
from msecnn.explain.grad_cam import grad_cam
from msecnn.explain.progress import Progress, Steps
from msecnn.explain.scale_terms import ScaleTerms
from msecnn.frontend import MelConfig
from msecnn.models.fast.incremental import IncrementalNetwork
from msecnn.models.layers import MultiScaleCNN
from msecnn.models.lock import MODEL_LOCK

#: Methods that measure from a baseline; the others ignore it.
BASELINE_METHODS = ("gradient_x_input", "integrated_gradients", "shapley", "occlusion")
#: Methods whose maps add up to the difference in logit between clip and baseline, but for `SaliencyMaps.delta`.
COMPLETE_METHODS = ("integrated_gradients", "shapley")
#: Steps from the baseline to the clip; with twice as many the sum misses the difference in logit by as much.
N_STEPS = 16
#: Patches of (bands, frames): an octave at the top of the range by a second, side by side.
PATCH = (12, 48)
#: Noisy copies, and their noise in dB: a third of music's usual spread within a band.
N_NOISY = 16
NOISE_DB = 4.0
#: Share of the difference in logit beyond which `delta` is flagged.
LARGE_DELTA = 0.02
#: The scales' maps add up to the map of their sum, but for float32 rounding.
SUM_TOLERANCE = 1e-4


@dataclass(frozen=True)
class SaliencyMaps:
    """Signed attribution maps of one tag in one window.

    Attributes:
        method: one of `METHODS`.
        baseline: one of `BASELINES`, or None for a method that needs none.
        tag_index: the tag asked about.
        scales: S names.
        maps: (S, F, L) float32: positive where more energy speaks for the tag.
        sum_check: the largest difference between the scales' sum and the same method's map of the summed logit, as a
            share of the largest attribution; None for Grad-CAM, whose scales are maps of different layers.
        delta: error of a method in `COMPLETE_METHODS`: sum of all maps minus the difference in logit that they should
            explain. Of integrated gradients' finite steps; of "shapley" no more than float32's rounding.
    """

    method: str
    baseline: str | None
    tag_index: int
    scales: tuple[str, ...]
    maps: np.ndarray
    sum_check: float | None
    delta: float | None

    @property
    def total(self) -> np.ndarray:
        """(F, L): the sum over the scales."""
        total: np.ndarray = self.maps.sum(0)
        return total

    @property
    def delta_is_large(self) -> bool:
        """Whether the maps miss more than `LARGE_DELTA` of the difference in logit that they should add up to."""
        return self.delta is not None and abs(self.delta) > LARGE_DELTA * abs(float(self.maps.sum()) - self.delta)

    def to_json(self) -> dict[str, Any]:
        """Everything but the maps, which belong into a file of arrays."""
        names = ("method", "baseline", "tag_index", "sum_check", "delta")
        return {**{name: getattr(self, name) for name in names}, "scales": list(self.scales)}


def saliency(
    model: nn.Module,
    mel: np.ndarray,
    tag_index: int,
    *,
    method: str = "gradient",
    scales: Sequence[str] | None = None,
    baseline: str = "floor",
    mel_config: MelConfig | None = None,
    seed: int = 0,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> SaliencyMaps:
    """Attributes a tag's logit to the cells of one window, each scale's term apart.

    Args:
        model: a convolutional network with scales, in evaluation mode.
        mel: (F, L) log-mel in dB.
        method: one of `METHODS`.
        scales: which of the model's; all if left out.
        baseline: what stands for "nothing there", for methods that need it; one of `BASELINES`.
        mel_config: the front end, for the floor's dB; the default one if left out.
        seed: of the noise, for "smooth_gradient".
        progress: called with the share that is done.
        cancelled: asked between the network's runs; true stops with `Cancelled`.

    Raises:
        ExplanationError: no such method, scale or baseline, or a model without scales.
        Cancelled: as asked.
    """
    network = with_scales(model)
    scales = _check(network, method, network.scales if scales is None else scales)
    partial = ScaleTerms(network, tag_index, scales)
    x = torch.from_numpy(np.array(mel, dtype=np.float32)).to(partial.device)[None, None]  # (1, 1, F, L)
    reference = torch.zeros_like(x)
    if method in BASELINE_METHODS:
        reference = baseline_mel(network, mel, baseline, mel_config).to(x.device)[None, None]
    steps = Steps(_n_runs(method, mel.shape), progress, cancelled)
    sum_check = delta = None
    if method == "grad_cam":
        maps = grad_cam(network, x, tag_index, scales, steps)  # (S, F, L)
    else:
        *parts, total = _METHODS[method](partial, x, reference, seed, steps)  # S + 1 times (F, L)
        maps = torch.stack(parts)
        sum_check = _sum_check(maps, total)
        assert sum_check < SUM_TOLERANCE
        if method in COMPLETE_METHODS:
            delta = _delta(partial, x, reference, maps)
    measured_from = baseline if method in BASELINE_METHODS else None
    return SaliencyMaps(method, measured_from, tag_index, scales, maps.cpu().numpy(), sum_check, delta)


def _check(model: MultiScaleCNN, method: str, scales: Sequence[str]) -> tuple[str, ...]:
    if method not in METHODS:
        raise ExplanationError(f"There is no method {method!r}; there are {', '.join(METHODS)}.")
    if not scales or set(scales) - set(model.scales):
        raise ExplanationError(f"The scales of {model.architecture} are {', '.join(model.scales)}; got {list(scales)}.")
    return tuple(scale for scale in model.scales if scale in scales)


def _gradient(partial: ScaleTerms, x: Tensor, _reference: Tensor, _seed: int, steps: Steps) -> Tensor:
    return _attribute_rows(Saliency(partial), steps, x, abs=False)


def _gradient_x_input(partial: ScaleTerms, x: Tensor, reference: Tensor, seed: int, steps: Steps) -> Tensor:
    """On a dB scale zero is no silence, so the input is measured from the baseline."""
    return _gradient(partial, x, reference, seed, steps) * (x - reference)[0]


def _integrated_gradients(partial: ScaleTerms, x: Tensor, reference: Tensor, _seed: int, steps: Steps) -> Tensor:
    n_rows = len(partial.scales) + 1
    options = {"baselines": reference, "n_steps": N_STEPS, "internal_batch_size": n_rows}  # all scales of one step
    return _attribute_rows(IntegratedGradients(partial), steps, x, **options)


def _shapley(partial: ScaleTerms, x: Tensor, reference: Tensor, _seed: int, steps: Steps) -> Tensor:
    rows = partial.shapley_multipliers(x, reference)
    steps.step()
    return rows * (x - reference)[0]


def _smooth_gradient(partial: ScaleTerms, x: Tensor, reference: Tensor, seed: int, steps: Steps) -> Tensor:
    """Captum's NoiseTunnel, but for its noise: that comes from torch's global generator, where threads would meet."""
    generator = torch.Generator().manual_seed(seed)
    total = torch.zeros(())
    for _ in range(N_NOISY):
        noise = NOISE_DB * torch.randn(x.shape, generator=generator)
        total = total.to(x.device) + _gradient(partial, x + noise.to(x.device), reference, seed, steps)
    return total / N_NOISY


def _occlusion(partial: ScaleTerms, x: Tensor, reference: Tensor, _seed: int, steps: Steps) -> Tensor:
    with MODEL_LOCK:
        spliced = IncrementalNetwork(partial.network, x)

    def forward(mel: Tensor) -> Tensor:
        with MODEL_LOCK:
            outputs = partial.of(spliced.features(mel))
        steps.step()
        return outputs

    shape = (1, *PATCH)
    # with S + 1 outputs for one clip Captum returns a map for each
    maps: Tensor = Occlusion(forward).attribute(x, sliding_window_shapes=shape, strides=shape, baselines=reference)
    return maps[:, 0]


def _n_runs(method: str, shape: tuple[int, ...]) -> int:
    """How often a method runs the network, for its progress."""
    n_runs = {"integrated_gradients": N_STEPS, "smooth_gradient": N_NOISY, "occlusion": count_patches(shape)}
    return n_runs.get(method, 1)


def count_patches(shape: tuple[int, ...]) -> int:
    """How often occlusion runs the network on a spectrogram of this shape."""
    return 1 + math.prod(math.ceil(cells / patch) for cells, patch in zip(shape, PATCH, strict=True))


def _attribute_rows(attribution: GradientAttribution, steps: Steps, x: Tensor, **options: Any) -> Tensor:
    """Runs a Captum method on S + 1 copies of a clip, each copy for one output: (S + 1, F, L).

    The copies are the same clip at every step, so one forward pass serves them all, and Captum's own way to a gradient
    is replaced by one that knows it.
    """

    def gradients(forward_fn: ScaleTerms, inputs: tuple[Tensor, ...], *_: Any, **__: Any) -> tuple[Tensor, ...]:
        rows = forward_fn.gradients(inputs[0][:1].detach())
        steps.step()
        return (rows[:, None],)

    attribution.gradient_func = gradients
    n_rows = len(attribution.forward_func.scales) + 1
    rows = x.repeat(n_rows, 1, 1, 1).requires_grad_()
    maps: Tensor = attribution.attribute(rows, target=list(range(n_rows)), **options)
    return maps[:, 0].detach()


def _delta(partial: ScaleTerms, x: Tensor, reference: Tensor, maps: Tensor) -> float:
    return float(maps.sum() - (partial(x) - partial(reference))[0, -1])


def _sum_check(maps: Tensor, total: Tensor) -> float:
    largest = maps.abs().sum(0).max()
    return float((maps.sum(0) - total).abs().max() / largest) if largest > 0 else 0.0


_METHODS = {
    "gradient": _gradient,
    "gradient_x_input": _gradient_x_input,
    "integrated_gradients": _integrated_gradients,
    "shapley": _shapley,
    "smooth_gradient": _smooth_gradient,
    "occlusion": _occlusion,
}
