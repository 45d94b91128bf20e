"""Timbre CNN (Pons, Slizovskaia, Gong, Gómez and Serra, "Timbre analysis of music audio signals with convolutional
neural networks", EUSIPCO 2017).

All of it is pinned by the authors' code; `width` 2 is its default, "proposed2", and the row of the table.
"""

from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from msecnn.models.registry import register
from msecnn.models.stages.standardisation import Standardisation
from msecnn.models.table1.patch_tagger import SystemWithoutScales, over_frequency, patch_front_end
from msecnn.models.tagging_model import Mels

N_MELS = 128
#: Bands of a filter, and for each of the lengths below how many there are, times `width`.
FILTERS = ((100, (10, 6, 3, 3)), (75, (15, 10, 5, 5)), (25, (15, 10, 5, 5)))
#: Frames of a filter.
LENGTHS = (1, 3, 5, 7)
POOL = 4
SECOND_CHANNELS, SECOND_FRAMES = 32, 8
N_HIDDEN = 100
DROPOUT = 0.5
#: Training patches from which each band's mean and deviation are taken.
N_PATCHES = 2_000


@register("timbre_cnn")
class TimbreCNN(SystemWithoutScales):
    """Filters of many heights and lengths on standardised mels, their maxima over frequency, one layer over time.

    Args:
        width: factor of all channels, "i" of the paper.
    """

    architecture = "timbre_cnn"

    def __init__(self, n_tags: int = 50, width: int = 2) -> None:
        super().__init__(n_tags, patch_front_end(N_MELS))
        self.width = width
        self.standardisation = Standardisation(N_MELS)
        self.filters = nn.ModuleList(
            nn.Conv2d(1, width * count, (bands, frames), padding=(0, frames // 2))
            for bands, counts in FILTERS
            for frames, count in zip(LENGTHS, counts, strict=True)
        )
        n_maps = width * sum(sum(counts) for _, counts in FILTERS)
        self.second = nn.Conv1d(n_maps, SECOND_CHANNELS * width, SECOND_FRAMES)
        n_frames = (self.n_frames // POOL - SECOND_FRAMES + 1) // POOL
        self.dropout = nn.Dropout(DROPOUT)
        self.hidden = nn.Linear(SECOND_CHANNELS * width * n_frames, N_HIDDEN)
        self.classifier = nn.Linear(N_HIDDEN, n_tags)
        he_uniform(self)

    def forward(self, inputs: Tensor) -> Tensor:
        mel = self.compressed(inputs).transpose(1, 2)  # (B, L, F)
        mel = self.standardisation(mel).transpose(1, 2).unsqueeze(1)
        maps = [F.elu(over_frequency(conv(mel), POOL)) for conv in self.filters]  # ELU is monotone
        x = F.max_pool1d(F.elu(self.second(torch.cat(maps, 1))), POOL)
        hidden = self.dropout(F.elu(self.hidden(self.dropout(x.flatten(1)))))
        logits: Tensor = self.classifier(hidden)
        return logits

    def fit(self, mels: Mels, generator: torch.Generator) -> None:
        fit_bands(self, self.standardisation, mels)

    def parameters_json(self) -> dict[str, Any]:
        return {"n_tags": self.n_tags, "width": self.width}


def he_uniform(model: nn.Module) -> None:
    """Weights as Keras's "he_uniform", biases zero."""
    for module in model.modules():
        if isinstance(module, nn.Conv1d | nn.Conv2d | nn.Linear):
            nn.init.kaiming_uniform_(module.weight, nonlinearity="relu")
            assert module.bias is not None
            nn.init.zeros_(module.bias)


def fit_bands(system: SystemWithoutScales, standardisation: Standardisation, mels: Mels) -> None:
    """Each band's mean and deviation over the first `N_PATCHES` training patches [EUSIPCO2017's code]."""
    parts, n_patches = [], 0
    for patches in _patches(system, mels):
        parts.append(system.compressed(patches[: N_PATCHES - n_patches]).transpose(1, 2).flatten(0, 1))  # (P L, F)
        n_patches += len(patches)
        if n_patches >= N_PATCHES:
            break
    standardisation.fit(torch.cat(parts))


def _patches(system: SystemWithoutScales, mels: Mels) -> Iterator[Tensor]:
    for batch in mels():
        n = batch.shape[-1] // system.n_frames
        cut = batch[..., : n * system.n_frames].unflatten(-1, (n, system.n_frames))  # (B, 1, F, P, L)
        yield cut.permute(0, 3, 1, 2, 4).flatten(0, 1)
