"""What the networks with levels and scales are made of, in numbers, without torch: sizes, scales, weights' shapes.

Hamidi et al. 2019, Figure 1, and Choi et al. 2016; `layers.MultiScaleCNN` is the network of such a structure, and the
ONNX runtime builds its graph from one.

Axis letters: F mel bands, L frames, C channels of a level, K tags.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

#: Max-pooling of each level, (frequency, time) [Choi et al. 2016, Table 1, FCN-5; Hamidi et al. 2019, Figure 1].
POOLS = ((2, 4), (2, 4), (2, 4), (3, 5), (4, 4))
#: Channels of the five levels [Hamidi et al. 2019, Figure 1; fewer than Choi's own].
CHANNELS = (64, 128, 128, 128, 64)
#: As many features in the last level as MsE-CNN has in all: what a wide classifier does without skips.
CHANNELS_513 = (*CHANNELS[:-1], 513)
#: Channels in the authors' public code, which differ from the paper's Figure 1.
WIDE_CHANNELS = (64, 128, 256, 512, 1024)
INPUT = "input"
#: Of each registered network with levels: their channels, and whether all of them reach the classifier or the last.
ARCHITECTURES = {
    "fcn5": (CHANNELS, False),
    "fcn5_513": (CHANNELS_513, False),
    "msecnn": (CHANNELS, True),
    "msecnn_wide": (WIDE_CHANNELS, True),
}
#: Added to a variance before its root is taken; torch's default, which all of ours have.
NORM_EPS = 1e-5


@dataclass(frozen=True)
class MultiScaleStructure:
    """Levels of convolution and pooling over a mel spectrogram, some of whose maps reach a linear classifier.

    Attributes:
        n_tags: K, outputs of the classifier.
        channels: channels of each level.
        scales: which maps reach the classifier, in the order in which their features are concatenated.
        pools: (frequency, time) max-pooling of each level.
        n_mels, n_frames: size of the input.
    """

    n_tags: int
    channels: tuple[int, ...]
    scales: tuple[str, ...]
    pools: tuple[tuple[int, int], ...] = POOLS
    n_mels: int = 96
    n_frames: int = 1366

    def __post_init__(self) -> None:
        if 0 in self.map_sizes[self.maps[-1]]:
            raise ValueError(
                f"{self.n_mels} mel bands and {self.n_frames} frames are fewer than the poolings make one of"
            )

    @cached_property
    def maps(self) -> tuple[str, ...]:
        """Names of the input's map and of each level's."""
        return (INPUT, *(f"level{i}" for i in range(1, len(self.channels) + 1)))

    @cached_property
    def n_channels(self) -> dict[str, int]:
        """C of each map."""
        return dict(zip(self.maps, (1, *self.channels), strict=True))

    @cached_property
    def n_features(self) -> dict[str, int]:
        """C of each scale."""
        return {scale: self.n_channels[scale] for scale in self.scales}

    @cached_property
    def map_sizes(self) -> dict[str, tuple[int, int]]:
        """Rows and columns of each map; a pooling drops what does not fill it."""
        size = self.n_mels, self.n_frames
        sizes = {INPUT: size}
        for name, (pool_f, pool_t) in zip(self.maps[1:], self.pools, strict=True):
            size = size[0] // pool_f, size[1] // pool_t
            sizes[name] = size
        return sizes

    @cached_property
    def receptive_crop(self) -> dict[str, tuple[int, int]]:
        """Rows and columns of each map that survive to one cell: the product of the poolings still to come."""
        crops = {}
        rows = columns = 1
        for name, (pool_f, pool_t) in zip(reversed(self.maps), ((1, 1), *reversed(self.pools)), strict=True):
            rows, columns = rows * pool_f, columns * pool_t
            crops[name] = rows, columns
        return dict(reversed(crops.items()))

    def receptive_field(self, name: str, row: int, column: int) -> tuple[int, int, int, int]:
        """Mel cells that a cell of a map depends on.

        Returns:
            First and last band, first and last frame, inclusive, clipped to the input.
        """
        bands, frames = (row, row), (column, column)
        for i in range(self.maps.index(name), 0, -1):  # undo the pooling, then add one cell of the convolution's halo
            (pool_f, pool_t), (n_rows, n_columns) = self.pools[i - 1], self.map_sizes[self.maps[i - 1]]
            bands = max(bands[0] * pool_f - 1, 0), min(bands[1] * pool_f + pool_f, n_rows - 1)
            frames = max(frames[0] * pool_t - 1, 0), min(frames[1] * pool_t + pool_t, n_columns - 1)
        return (*bands, *frames)

    @cached_property
    def tensors(self) -> dict[str, tuple[tuple[int, ...], bool]]:
        """Every tensor of a checkpoint's weights: its shape, and whether it holds fractions or whole numbers."""
        tensors = _norm("input_norm", self.n_mels)
        before = 1
        for i, channels in enumerate(self.channels):
            tensors[f"levels.{i}.conv.weight"] = (channels, before, 3, 3), True
            tensors[f"levels.{i}.conv.bias"] = (channels,), True
            tensors |= _norm(f"levels.{i}.norm", channels)
            before = channels
        tensors["classifier.weight"] = (self.n_tags, sum(self.n_features.values())), True
        tensors["classifier.bias"] = (self.n_tags,), True
        return tensors

    @property
    def n_parameters(self) -> int:
        """How many numbers are learned: all but the normalisations' running statistics."""
        learned = ("weight", "bias")
        return sum(math.prod(shape) for name, (shape, _) in self.tensors.items() if name.rpartition(".")[2] in learned)


@dataclass(frozen=True)
class ScaleClassifier:
    """The linear classifier on the features of all scales, as arrays.

    Attributes:
        scales: S names, in the order in which their features are concatenated.
        n_features: C of each.
        weight: (K, sum of C) float32.
        bias: (K,) float32.
    """

    scales: tuple[str, ...]
    n_features: dict[str, int]
    weight: np.ndarray
    bias: np.ndarray

    @classmethod
    def of(cls, model: Any) -> "ScaleClassifier":
        """That of a network by torch."""
        weight, bias = (tensor.detach().cpu().numpy() for tensor in (model.classifier.weight, model.classifier.bias))
        return cls(model.scales, dict(model.n_features), weight, bias)

    @property
    def scale_weights(self) -> dict[str, np.ndarray]:
        """For each scale (K, C) float64."""
        ends = np.cumsum([self.n_features[scale] for scale in self.scales])
        return dict(zip(self.scales, np.split(self.weight.astype(np.float64), ends[:-1], axis=1), strict=True))

    def logits(self, features: np.ndarray) -> np.ndarray:
        """(W, K) of concatenated features (W, sum of C), in the network's own precision."""
        logits: np.ndarray = features.astype(self.weight.dtype) @ self.weight.T + self.bias
        return logits


def structure_of(architecture: str, parameters: Mapping[str, int]) -> MultiScaleStructure | None:
    """The structure that a card describes; None for networks without levels, or with parameters that are none.

    Raises:
        ValueError: no network can be of that size.
    """
    if architecture not in ARCHITECTURES or not parameters.keys() <= {"n_tags", "n_mels", "n_frames"}:
        return None
    channels, skips = ARCHITECTURES[architecture]
    levels = tuple(f"level{i}" for i in range(1, len(channels) + 1))
    scales = (INPUT, *levels) if skips else levels[-1:]
    return MultiScaleStructure(channels=channels, scales=scales, **parameters)  # type: ignore[arg-type]


def _norm(name: str, n_channels: int) -> dict[str, tuple[tuple[int, ...], bool]]:
    values = ("weight", "bias", "running_mean", "running_var")
    tensors: dict[str, tuple[tuple[int, ...], bool]] = {f"{name}.{value}": ((n_channels,), True) for value in values}
    return tensors | {f"{name}.num_batches_tracked": ((), False)}
