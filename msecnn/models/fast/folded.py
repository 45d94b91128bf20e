"""The same networks, rearranged to be fast: what `MultiScaleCNN` computes in evaluation, several times sooner.

Four exact changes. Each batch normalisation is folded into its convolution. Memory is laid out channels last, where
pooling is vectorised. ELU is monotone, so it commutes with the maximum: pool first, and an eighth of the cells remain.
On a CPU level 1, whose full map of 64x96x1366 does not fit a cache, goes through in strips of frames.
"""

from collections.abc import Collection, Iterator
from itertools import islice

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from msecnn.models.conv_pool import conv_bias
from msecnn.models.layers import INPUT, ConvLevel, MultiScaleCNN, global_max, running_statistics

#: Frames of a strip of level 1, a multiple of its pooling; 256 was fastest of 32 to 512 [benchmarks/inference.py].
STRIP = 256


class FoldedNetwork(nn.Module):
    """An evaluation-only copy of a network.

    Args:
        network: with the weights to copy; it is not changed.
        dtype: of the convolutions: float32, or bfloat16 for processors and GPUs with instructions for it (probabilities
            then differ by a few thousandths). The classifier stays in float32.

    Shape:
        - input: (B, 1, F, L) log-mel in dB
        - output: (B, K) logits
    """

    input_scale: Tensor
    input_shift: Tensor
    head: Tensor
    head_bias: Tensor

    def __init__(self, network: MultiScaleCNN, dtype: torch.dtype = torch.float32) -> None:
        super().__init__()
        self.scales, self.maps, self.dtype = network.scales, network.maps, dtype
        self.pools = network.pools
        self.receptive_crop = network.receptive_crop
        scale, shift = affine(network.input_norm)
        self.register_buffer("input_scale", scale[:, None])
        self.register_buffer("input_shift", shift[:, None])
        self.weights, self.biases = nn.ParameterList(), nn.ParameterList()
        for level in network.conv_levels:
            weight, bias = _fold(level)
            weight = weight.to(dtype).contiguous(memory_format=torch.channels_last)
            self.weights.append(nn.Parameter(weight, requires_grad=False))
            self.biases.append(nn.Parameter(bias.to(dtype), requires_grad=False))
        self.register_buffer("head", network.classifier.weight.detach().clone())
        self.register_buffer("head_bias", network.classifier.bias.detach().clone())
        self.eval()

    def forward(self, mel: Tensor) -> Tensor:
        return self.classify(self.features(mel))

    def classify(self, features: dict[str, Tensor]) -> Tensor:
        """Features (B, C) of each scale to logits (B, K)."""
        return F.linear(torch.cat([features[scale] for scale in self.scales], dim=1), self.head, self.head_bias)

    def features(self, mel: Tensor, scales: Collection[str] | None = None) -> dict[str, Tensor]:
        """For each scale, or for those asked for, its (B, C) float32 global maxima; no level above them is computed."""
        scales = self.scales if scales is None else scales
        x = self.normalise(mel)
        features = {}
        if INPUT in scales:
            features[INPUT] = self.global_max(INPUT, x)
        x = channels_last(x.to(self.dtype))
        for name, weight, bias, pool in self.levels(scales):
            level = _level_in_strips if name == "level1" and x.device.type == "cpu" else _level
            x = level(x, weight, bias, pool)  # (B, C, F', L')
            if name in scales:
                features[name] = self.global_max(name, x).float()
        return features

    def normalise(self, mel: Tensor) -> Tensor:
        """The input's map (B, 1, F, L)."""
        return torch.addcmul(self.input_shift, mel, self.input_scale)

    def levels(self, scales: Collection[str]) -> Iterator[tuple[str, Tensor, Tensor, tuple[int, int]]]:
        """Name, weight, bias and pooling of each level, up to the highest of some scales."""
        n_levels = max(self.maps.index(scale) for scale in scales)
        return islice(zip(self.maps[1:], self.weights, self.biases, self.pools, strict=True), n_levels)

    def global_max(self, name: str, level_map: Tensor) -> Tensor:
        """The maximum of each channel (B, C) over the cells of a map that are not cropped on the way up."""
        return global_max(level_map, self.receptive_crop[name])


def strips(x: Tensor, pool: tuple[int, int]) -> Iterator[tuple[int, Tensor]]:
    """A one-channel map (B, 1, F, L) in strips of frames, each with its first frame and a cell of halo all around.

    Frames at the end that do not fill a pooling are left out.
    """
    n_frames = x.shape[-1] // pool[1] * pool[1]
    step = STRIP // pool[1] * pool[1]
    padded = F.pad(x, (1, 1, 1, 1))
    for start in range(0, n_frames, step):
        yield start, channels_last(padded[..., start : min(start + step, n_frames) + 2])


def conv_maps(x: Tensor, weight: Tensor, bias: Tensor, pool: tuple[int, int]) -> Iterator[tuple[int, Tensor]]:
    """A level's map before its pooling: level 1's in strips, another's as a whole, each with its first frame."""
    if x.shape[1] > 1:
        yield 0, F.conv2d(x, weight, bias, padding=1)
    else:
        yield from ((start, F.conv2d(strip, weight, bias)) for start, strip in strips(x, pool))


def _level(x: Tensor, weight: Tensor, bias: Tensor, pool: tuple[int, int]) -> Tensor:
    return F.elu_(F.max_pool2d(F.conv2d(x, weight, bias, padding=1), pool))


def _level_in_strips(x: Tensor, weight: Tensor, bias: Tensor, pool: tuple[int, int]) -> Tensor:
    """`_level` one strip of frames after another."""
    pooled = (F.elu_(F.max_pool2d(F.conv2d(strip, weight, bias), pool)) for _, strip in strips(x, pool))
    return torch.cat(list(pooled), dim=-1)


def channels_last(x: Tensor) -> Tensor:
    """Maps (B, C, F, L) in the strides of channels last.

    One channel has the same bytes in both layouts, so `contiguous(memory_format=...)` leaves strides that make the
    convolution take the slow path; they have to be set.
    """
    _, channels, rows, columns = x.shape
    if channels > 1:
        return x.contiguous(memory_format=torch.channels_last)
    return x.contiguous().as_strided(x.shape, (rows * columns, 1, columns, 1))


def affine(norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """A batch normalisation in evaluation as scale and shift, computed in float64."""
    mean, variance = running_statistics(norm)
    scale = norm.weight.double() / (variance.double() + norm.eps).sqrt()
    shift = norm.bias.double() - mean.double() * scale
    return scale.detach().float(), shift.detach().float()


def _fold(level: ConvLevel) -> tuple[Tensor, Tensor]:
    """Weight and bias of a convolution that normalises by itself."""
    scale, shift = affine(level.norm)
    return level.conv.weight.detach() * scale[:, None, None, None], conv_bias(level.conv).detach() * scale + shift
