"""Where in the spectrogram each scale looks for a tag: attribution maps by Captum, one per scale.

Gradient (Simonyan et al. 2014), gradient x input (Shrikumar et al. 2016), integrated gradients (Sundararajan et al.
2017), Grad-CAM (Selvaraju et al. 2017), occlusion (Zeiler and Fergus 2014), noise-averaged gradient (SmoothGrad,
Smilkov et al. 2017). `docs/explanations.md` tells why guided backpropagation, deconvolution, LRP and DeepLift are not
here.

Axis letters: B clips, S scales, F mel bands, L frames, C channels of a scale.
"""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from captum.attr import GradientAttribution, IntegratedGradients, LayerGradCam, Occlusion, Saliency
from torch import Tensor, nn

from msecnn.explain import BASELINES, METHODS, Cancelled, ExplanationError
from msecnn.explain.contributions import with_scales
from msecnn.frontend import MelConfig
from msecnn.models.fast.folded import FoldedNetwork
from msecnn.models.fast.gradients import scale_gradients
from msecnn.models.fast.incremental import IncrementalNetwork
from msecnn.models.fast.shapley_multipliers import shapley_multipliers
from msecnn.models.layers import ConvLevel, MultiScaleCNN
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
#: The scales' maps add up to the map of their sum, but for float32 rounding.
SUM_TOLERANCE = 1e-4

Progress = Callable[[float], None]
__all__ = ["BASELINES", "METHODS", "Progress", "SaliencyMaps", "ScaleTerms", "Steps", "baseline_mel", "saliency"]


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

    def to_json(self) -> dict[str, Any]:
        """Everything but the maps, which belong into a file of arrays."""
        names = ("method", "baseline", "tag_index", "sum_check", "delta")
        return {**{name: getattr(self, name) for name in names}, "scales": list(self.scales)}


class ScaleTerms:
    """The terms that chosen scales add to one tag's logit, and their sum, by a fast copy of the network.

    No level above the highest one asked for is computed.
    """

    def __init__(self, model: MultiScaleCNN, tag_index: int, scales: Sequence[str]) -> None:
        self.scales = tuple(scales)
        with MODEL_LOCK:
            self.network = FoldedNetwork(model)
        widths = [model.n_features[scale] for scale in model.scales]
        weights = dict(zip(model.scales, model.classifier.weight[tag_index].detach().split(widths), strict=True))
        self.weights = {scale: weights[scale] for scale in self.scales}

    @torch.no_grad()
    def __call__(self, mel: Tensor) -> Tensor:
        """(B, S + 1) of (B, 1, F, L) log-mel in dB, the last column the sum of the others."""
        with MODEL_LOCK:
            return self.of(self.network.features(mel.to(self.device), self.scales))

    def of(self, features: Mapping[str, Tensor]) -> Tensor:
        """(B, S + 1) of each scale's features (B, C)."""
        terms = torch.stack([features[scale] @ self.weights[scale] for scale in self.scales], dim=1)
        return torch.cat([terms, terms.sum(1, keepdim=True)], dim=1)

    def gradients(self, mel: Tensor) -> Tensor:
        """(S + 1, F, L) of (1, 1, F, L)."""
        with MODEL_LOCK:
            return scale_gradients(self.network, mel, self.weights)

    def shapley_multipliers(self, mel: Tensor, reference: Tensor) -> Tensor:
        """(S + 1, F, L) of (1, 1, F, L) twice."""
        with MODEL_LOCK:
            return shapley_multipliers(self.network, mel, reference, self.weights)

    @property
    def device(self) -> torch.device:
        return self.network.head.device


class LiteralTerm(nn.Module):
    """One scale's term by the network as it stands, for a method that watches the layers.

    Shape:
        - input: (B, 1, F, L) log-mel in dB
        - output: (B,)
    """

    def __init__(self, model: MultiScaleCNN, tag_index: int, scale: str) -> None:
        super().__init__()
        self.model, self.scale = model, scale
        self.normalised = nn.Identity()  # the input's map, as a layer to watch
        self.levels = cast(list[ConvLevel], list(model.levels))[: model.maps.index(scale)]
        self.weight = ScaleTerms(model, tag_index, (scale,)).weights[scale]

    def forward(self, mel: Tensor) -> Tensor:
        x = self.normalised(self.model.input_norm(mel.transpose(1, 2)).transpose(1, 2).contiguous())  # (B, 1, F, L)
        for level in self.levels:
            x = level(x)
        return self.model.global_max(self.scale, x) @ self.weight

    @property
    def layer(self) -> nn.Module:
        """The module whose output is the scale's map."""
        return self.levels[-1] if self.levels else self.normalised


class Steps:
    """Counts the network's runs: tells how far a method is, stops it when asked, and lets others at the network.

    Args:
        n_steps: how many runs the method takes.
    """

    def __init__(self, n_steps: int, progress: Progress | None, cancelled: Callable[[], bool] | None) -> None:
        self.n_steps, self.done = n_steps, 0
        self.progress, self.cancelled = progress, cancelled

    def step(self) -> None:
        """Called after each run, outside the lock."""
        self.done += 1
        if self.progress is not None:
            self.progress(min(1.0, self.done / self.n_steps))
        if self.cancelled is not None and self.cancelled():
            raise Cancelled("The explanation was stopped.")
        time.sleep(1e-4)  # a lock let go and taken again at once never reaches a thread that waits for it


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
    x = torch.from_numpy(np.array(mel, dtype=np.float32)).to(partial.device)[None, None]
    reference = torch.zeros_like(x)
    if method in BASELINE_METHODS:
        reference = baseline_mel(network, mel, baseline, mel_config).to(x.device)[None, None]
    n_runs = {"integrated_gradients": N_STEPS, "smooth_gradient": N_NOISY, "occlusion": _n_patches(mel.shape)}
    steps = Steps(n_runs.get(method, 1), progress, cancelled)
    sum_check = delta = None
    if method == "grad_cam":
        maps = _grad_cam(network, x, tag_index, scales, steps)
    else:
        *parts, total = _METHODS[method](partial, x, reference, seed, steps)  # S + 1 times (F, L)
        maps = torch.stack(parts)
        sum_check = _sum_check(maps, total)
        assert sum_check < SUM_TOLERANCE
        if method in COMPLETE_METHODS:
            delta = _delta(partial, x, reference, maps)
    return SaliencyMaps(
        method=method,
        baseline=baseline if method in BASELINE_METHODS else None,
        tag_index=tag_index,
        scales=scales,
        maps=maps.cpu().numpy(),
        sum_check=sum_check,
        delta=delta,
    )


def baseline_mel(model: nn.Module, mel: np.ndarray, baseline: str, mel_config: MelConfig | None = None) -> Tensor:
    """The spectrogram (F, L) that stands for "nothing there".

    "floor" is silence, the least that the front end knows; "clip_mean" each band's mean over this window;
    "training_mean" each band's mean over the training clips, which the network's input normalisation keeps.
    """
    if baseline == "floor":
        config = mel_config or MelConfig()
        # doubled dB square the power and then cut at the same least power, so that the floor is the same
        return torch.full(mel.shape, 10 * float(np.log10(config.amin)))
    if baseline == "clip_mean":
        return torch.from_numpy(np.array(mel, dtype=np.float32)).mean(1, keepdim=True).expand(mel.shape)
    if baseline != "training_mean":
        raise ExplanationError(f"There is no baseline {baseline!r}; there are {', '.join(BASELINES)}.")
    mean = with_scales(model).input_norm.running_mean
    if mean is None or not bool(mean.any()):
        raise ExplanationError("This model has seen no training clips, so it has no training mean to measure from.")
    return mean.detach().cpu().float()[:, None].expand(mel.shape)


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


def _n_patches(shape: tuple[int, ...]) -> int:
    return 1 + math.prod(math.ceil(cells / patch) for cells, patch in zip(shape, PATCH, strict=True))


def _grad_cam(model: MultiScaleCNN, x: Tensor, tag_index: int, scales: Sequence[str], steps: Steps) -> Tensor:
    """Each scale's own map, its channels weighted by their mean gradient: (S, F, L), each cell drawn over its block."""
    maps = []
    for scale in scales:
        term = LiteralTerm(model, tag_index, scale)
        with MODEL_LOCK:  # Captum hangs its hooks on the shared model
            cam = LayerGradCam(term, term.layer).attribute(x.requires_grad_())
        pools = model.pools[: model.maps.index(scale)]
        block = math.prod(pool[0] for pool in pools), math.prod(pool[1] for pool in pools)
        maps.append(_draw_blocks(cam.detach()[0, 0], model.receptive_crop[scale], block, x.shape[-2:]))
    steps.step()
    return torch.stack(maps)


def _draw_blocks(cam: Tensor, crop: tuple[int, int], block: tuple[int, int], shape: torch.Size) -> Tensor:
    """Every cell of a map over the mel cells that were pooled into it; nothing where the map is cropped."""
    drawn = cam[: crop[0], : crop[1]].repeat_interleave(block[0], 0).repeat_interleave(block[1], 1)
    return nn.functional.pad(drawn, (0, shape[1] - drawn.shape[1], 0, shape[0] - drawn.shape[0]))


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
