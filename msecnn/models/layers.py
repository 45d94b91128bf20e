"""What FCN-5 and MsE-CNN share: convolution and pooling levels over a mel spectrogram, a linear head on their maxima.

Axis letters: B clips, F mel bands, L frames, C channels of a level, K tags.
"""

from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from msecnn.frontend import InputSpec, MelConfig
from msecnn.models.conv_pool import conv_max_pool
from msecnn.models.structure import INPUT, POOLS, MultiScaleStructure
from msecnn.models.tagging_model import TaggingModule

#: Of a level's steps in training: as in the paper, or pooling right after the convolution.
ORDERS = ("literal", "pool_first")


class ConvLevel(nn.Module):
    """One level: 3x3 convolution, batch normalisation, ELU, max-pooling.

    Args:
        pool_first: pool right after the convolution and normalise one eighth of the cells. With positive normalisation
            weights, and ELU monotone, this is the same function in evaluation and a faster step in training.

    Shape:
        - input: (B, C_in, F, L)
        - output: (B, C_out, F // pool[0], L // pool[1])
    """

    def __init__(self, in_channels: int, out_channels: int, pool: tuple[int, int], *, pool_first: bool = False) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, 3, padding=1)
        self.norm = nn.BatchNorm2d(out_channels)
        self.activation = nn.ELU()
        self.pool = nn.MaxPool2d(pool)
        self.pool_first = pool_first

    def forward(self, x: Tensor) -> Tensor:
        if not self.pool_first:
            return self.pool(self.activation(self.norm(self.conv(x))))
        if self.training and x.shape[1] == 1 and x.device.type == "cpu":
            pooled = conv_max_pool(x, self.conv, self.pool)
        else:
            pooled = self.pool(self.conv(x))
        return self.activation(self.norm(pooled))


class MultiScaleCNN(TaggingModule):
    """Five levels on a normalised mel spectrogram; the scales named by `scales` reach a linear classifier.

    A skip path that only max-pools what it carries ends in one number per channel, the maximum over the part of that
    level's map that the later poolings do not crop away. So each scale's features are global maxima, and the path
    itself need not be computed. `tests/test_models.py` holds this against a literal drawing of Figure 1, bit for bit.

    Args:
        n_tags: K, outputs of the classifier.
        channels: channels of each level.
        pools: (frequency, time) max-pooling of each level.
        n_mels, n_frames: size of the input.
        scales: which maps reach the classifier, in the order in which their features are concatenated.
        dropout: share of features dropped in training, before the classifier.
        order: "literal" (conv, norm, ELU, pool, as in the paper) or "pool_first" (see `ConvLevel`).

    Shape:
        - input: (B, 1, F, L) log-mel in dB
        - output: (B, K) logits
    """

    front_end: MelConfig

    def __init__(
        self,
        *,
        n_tags: int,
        channels: tuple[int, ...],
        scales: tuple[str, ...],
        pools: tuple[tuple[int, int], ...] = POOLS,
        n_mels: int = 96,
        n_frames: int = 1366,
        dropout: float = 0.0,
        order: str = "literal",
    ) -> None:
        super().__init__()
        if order not in ORDERS:
            raise ValueError(f"order must be 'literal' or 'pool_first', not {order!r}")
        self.structure = structure = MultiScaleStructure(n_tags, channels, scales, pools, n_mels, n_frames)
        self.n_tags, self.n_mels, self.n_frames = n_tags, n_mels, n_frames
        self.front_end = MelConfig(n_mels=n_mels, n_frames=n_frames)
        self.scales, self.pools, self.maps = scales, pools, structure.maps
        self.n_channels, self.n_features = structure.n_channels, structure.n_features
        self.receptive_crop, self.map_sizes = structure.receptive_crop, structure.map_sizes
        self.input_norm = nn.BatchNorm2d(n_mels)  # one scale and shift for each mel band [authors' code]
        self.levels = nn.ModuleList(
            ConvLevel(c_in, c_out, pool, pool_first=order == "pool_first")
            for (c_in, c_out), pool in zip(pairwise((1, *channels)), pools, strict=True)
        )
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(sum(self.n_features.values()), n_tags)

    def forward(self, inputs: Tensor) -> Tensor:
        features = self.features(inputs)
        return head(self.classifier, self.dropout(torch.cat([features[scale] for scale in self.scales], dim=1)))

    def features(self, inputs: Tensor) -> dict[str, Tensor]:
        """What the classifier sees: for each scale its (B, C) global maxima."""
        maps = self.level_maps(inputs)
        return {scale: self.global_max(scale, maps[scale]) for scale in self.scales}

    def level_maps(self, mel: Tensor) -> dict[str, Tensor]:
        """The normalised input (B, 1, F, L) and each level's pooled output (B, C, F', L'), by name."""
        if mel.shape[1:] != (1, self.n_mels, self.n_frames):
            raise ValueError(f"expected mels (B, 1, {self.n_mels}, {self.n_frames}), got {tuple(mel.shape)}")
        x = self.input_norm(mel.transpose(1, 2)).transpose(1, 2)  # bands as channels and back: (B, 1, F, L)
        maps = {INPUT: x}
        for name, level in zip(self.maps[1:], self.levels, strict=True):
            maps[name] = x = level(x)
        return maps

    def global_max(self, name: str, level_map: Tensor) -> Tensor:
        """The maximum of each channel (B, C) over the cells of a map that are not cropped on the way up."""
        return global_max(level_map, self.receptive_crop[name])

    def receptive_field(self, name: str, row: int, column: int) -> tuple[int, int, int, int]:
        """Mel cells that a cell of a map depends on, see `MultiScaleStructure.receptive_field`."""
        return self.structure.receptive_field(name, row, column)

    @property
    def input_spec(self) -> InputSpec:
        return InputSpec.of_mel(self.front_end)

    @property
    def conv_levels(self) -> tuple[ConvLevel, ...]:
        """The levels, with their type."""
        return tuple(level for level in self.levels if isinstance(level, ConvLevel))

    def parameters_json(self) -> dict[str, Any]:
        return {"n_tags": self.n_tags, "n_mels": self.n_mels, "n_frames": self.n_frames}


def running_statistics(norm: nn.modules.batchnorm._BatchNorm) -> tuple[Tensor, Tensor]:
    """Mean and variance (C,) that a normalisation keeps, as all of ours do."""
    assert norm.running_mean is not None
    assert norm.running_var is not None
    return norm.running_mean, norm.running_var


def global_max(level_map: Tensor, crop: tuple[int, int]) -> Tensor:
    """The maximum (B, C) over the first rows and columns of a map (B, C, F', L'); its gradient goes to one cell."""
    rows, columns = crop
    if level_map.device.type == "cpu":
        # one pooling window of that size drops what is cropped; there a maximum of a slice is many times slower
        return F.max_pool2d(level_map, crop).flatten(1)
    # a GPU would give that window to a single thread; and `amax` would share the gradient among equal cells
    return level_map[..., :rows, :columns].flatten(2).max(dim=2).values


def head(classifier: nn.Linear, features: Tensor) -> Tensor:
    """Logits (B, K) of features (B, C), in float32 whatever autocast says: bfloat16 would round them to .016."""
    with torch.autocast(features.device.type, enabled=False):
        logits: Tensor = classifier(features.float())
    return logits
