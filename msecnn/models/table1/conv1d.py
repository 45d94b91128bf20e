"""1-D convolutions over time (Dieleman and Schrauwen, "End-to-end learning for music audio", ICASSP 2014).

Pinned by the author's list of results and by musicnn-training's model of it: the row of the table is the network on
mels; layers and their sizes. Our choices: mels, patches and standardisation of the timbre CNN, He's start, plain SGD.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from msecnn.models.registry import register
from msecnn.models.stages.standardisation import Standardisation
from msecnn.models.table1.patch_tagger import SystemWithoutScales, patch_front_end
from msecnn.models.table1.timbre_cnn import fit_bands, he_uniform
from msecnn.models.tagging_model import InputSpec, Mels, TaggingModule

N_MELS = 128
#: Samples of a frame of the network on waveforms, side by side.
STRIDE = 256
N_CHANNELS = 32
KERNEL = 8
POOL = 4
N_HIDDEN = 100


class _Convolutions(nn.Module):
    """Two convolutions over time with pooling, and a dense layer: (B, C, L) to (B, 100)."""

    def __init__(self, n_in: int, n_frames: int) -> None:
        super().__init__()
        self.first = nn.Conv1d(n_in, N_CHANNELS, KERNEL)
        self.second = nn.Conv1d(N_CHANNELS, N_CHANNELS, KERNEL)
        left = ((n_frames - KERNEL + 1) // POOL - KERNEL + 1) // POOL
        self.hidden = nn.Linear(N_CHANNELS * left, N_HIDDEN)

    def forward(self, x: Tensor) -> Tensor:
        for conv in (self.first, self.second):
            x = F.max_pool1d(conv(x).relu(), POOL)
        return torch.relu(self.hidden(x.flatten(1)))


@register("conv1d")
class Conv1d(SystemWithoutScales):
    """On mels.

    Args:
        n_mels: bands.
    """

    architecture = "conv1d"
    differences = ("mels, patches and standardisation are those of the timbre CNN",)

    def __init__(self, n_tags: int = 50, n_mels: int = N_MELS) -> None:
        super().__init__(n_tags, patch_front_end(n_mels))
        self.standardisation = Standardisation(n_mels)
        self.convolutions = _Convolutions(n_mels, self.n_frames)
        self.classifier = nn.Linear(N_HIDDEN, n_tags)
        he_uniform(self)

    def forward(self, inputs: Tensor) -> Tensor:
        mel = self.standardisation(self.compressed(inputs).transpose(1, 2)).transpose(1, 2)  # (B, F, L)
        logits: Tensor = self.classifier(self.convolutions(mel))
        return logits

    def fit(self, mels: Mels, generator: torch.Generator) -> None:
        fit_bands(self, self.standardisation, mels)

    def parameters_json(self) -> dict[str, Any]:
        return {"n_tags": self.n_tags, "n_mels": self.front_end.n_mels}


@register("conv1d_raw")
class Conv1dRaw(TaggingModule):
    """On the waveform: a convolution with a stride takes the mel's place.

    Shape:
        - input: (B, T) waveform at 16 kHz, T at least 187 x 256
        - output: (B, K) logits
    """

    architecture = "conv1d_raw"
    scales = ()

    def __init__(self, n_tags: int = 50) -> None:
        super().__init__()
        self.n_tags = n_tags
        self.n_features: dict[str, int] = {}
        spec = patch_front_end(N_MELS)
        self.sample_rate, self.window_samples = spec.sample_rate, spec.n_frames * STRIDE
        self.strided = nn.Conv1d(1, N_MELS, STRIDE, stride=STRIDE)
        self.convolutions = _Convolutions(N_MELS, spec.n_frames)
        self.classifier = nn.Linear(N_HIDDEN, n_tags)
        he_uniform(self)

    @property
    def input_spec(self) -> InputSpec:
        return InputSpec(self.sample_rate, self.window_samples)

    def forward(self, inputs: Tensor) -> Tensor:
        frames = self.strided(inputs[:, None, : self.window_samples]).relu()  # (B, 128, 187)
        logits: Tensor = self.classifier(self.convolutions(frames))
        return logits

    def features(self, inputs: Tensor) -> dict[str, Tensor]:
        """None: there are no scales to show."""
        return {}

    def parameters_json(self) -> dict[str, Any]:
        return {"n_tags": self.n_tags}
