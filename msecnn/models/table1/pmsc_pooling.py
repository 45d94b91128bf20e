"""Pooled features (Hamel, Lemieux, Bengio and Eck, "Temporal pooling and multiscale learning", ISMIR 2011).

`pmsc_pooling` is that paper's best: principal mel-spectrum components, pooled by six moments on several time scales.
`mfcc_pooling` is what the table's label says: pooled MFCC. Pinned by the paper's list of results: 128 bands, 120
whitened components, mean, variance, maximum, minimum, third and fourth central moment, a network with one hidden layer.
Our choices: the scales, and that moments of a scale's segments are averaged before one network sees all scales (the
paper joins networks of shared weights); 500 hidden units, so that a checkpoint is small.
"""

import math
from typing import Any

import torch
from torch import Tensor

from msecnn.frontend import MelConfig
from msecnn.models.registry import register
from msecnn.models.stages.whitening import PCAWhitening
from msecnn.models.table1.encoded_tagger import EncodedTagger, clip_frames, drawn_frames
from msecnn.models.tagging_model import Mels

SAMPLE_RATE, N_FFT, HOP_LENGTH, N_MELS = 16_000, 1024, 512, 128
N_COMPONENTS = 120
N_CEPSTRA = 20
#: Into so many segments, side by side, the window is cut at each scale: 29.1, 7.3, 1.8 and .45 s.
SEGMENTS = (1, 4, 16, 64)
N_MOMENTS = 6
DROPOUT = 0.5
#: Frames of each batch of clips that the components are taken from.
FRAMES_A_BATCH = 800


def front_end() -> MelConfig:
    """128 bands in dB, a clip long."""
    return MelConfig(
        sample_rate=SAMPLE_RATE, n_fft=N_FFT, hop_length=HOP_LENGTH, n_mels=N_MELS, f_max=8_000.0,
        n_frames=clip_frames(SAMPLE_RATE, HOP_LENGTH),
    )  # fmt: skip


def moments(x: Tensor) -> Tensor:
    """Mean, variance, maximum, minimum, third and fourth central moment over the last axis: (..., L) to (..., 6)."""
    mean = x.mean(-1)
    centred = x - mean.unsqueeze(-1)
    central = [centred.pow(order).mean(-1) for order in (2, 3, 4)]
    return torch.stack([mean, central[0], x.amax(-1), x.amin(-1), central[1], central[2]], -1)


def pooled(x: Tensor, segments: tuple[int, ...]) -> Tensor:
    """Moments of (B, D, L) at each scale, the mean over its segments; what fills no segment at the end is left out."""
    parts = []
    for count in segments:
        length = x.shape[-1] // count
        cut = x[..., : count * length].unflatten(-1, (count, length))  # (B, D, count, length)
        parts.append(moments(cut).mean(2))
    return torch.stack(parts, 1).flatten(1)  # (B, scales D 6)


class _PooledTagger(EncodedTagger):
    """One hidden layer on pooled frames; subclasses give `frames`."""

    segments: tuple[int, ...]

    def __init__(self, n_tags: int, n_hidden: int, *, n_dimensions: int) -> None:
        n_encoded = len(self.segments) * n_dimensions * N_MOMENTS
        super().__init__(n_tags, front_end(), n_encoded=n_encoded, n_hidden=[n_hidden], dropout=DROPOUT)
        self.n_hidden = n_hidden

    def raw_features(self, inputs: Tensor) -> Tensor:
        return pooled(self.frames(self.compressed(inputs)), self.segments)

    def frames(self, mel: Tensor) -> Tensor:
        """(B, D, L) of mels (B, F, L)."""
        raise NotImplementedError

    def parameters_json(self) -> dict[str, Any]:
        return {"n_tags": self.n_tags, "n_hidden": self.n_hidden}


@register("pmsc_pooling")
class PmscPooling(_PooledTagger):
    """Whitened principal components of the mel, moments on four time scales."""

    architecture = "pmsc_pooling"
    segments = SEGMENTS
    differences = (
        "time scales of 29.1, 7.3, 1.8 and .45 s, whose moments are averaged over the clip, are our choice",
        "500 hidden units and dropout .5 instead of 2,000 units",
    )

    def __init__(self, n_tags: int = 50, n_hidden: int = 500) -> None:
        super().__init__(n_tags, n_hidden, n_dimensions=N_COMPONENTS)
        self.whitening = PCAWhitening(N_MELS, N_COMPONENTS)

    def frames(self, mel: Tensor) -> Tensor:
        components: Tensor = self.whitening(mel.transpose(1, 2)).transpose(1, 2)
        return components

    def fit_stages(self, mels: Mels, generator: torch.Generator) -> None:
        frames = (self.compressed(batch).transpose(1, 2).flatten(0, 1) for batch in mels())
        self.whitening.fit(torch.cat([drawn_frames(part, FRAMES_A_BATCH, generator) for part in frames]))


@register("mfcc_pooling")
class MfccPooling(_PooledTagger):
    """Twenty cepstra, moments over the whole window."""

    architecture = "mfcc_pooling"
    segments = (1,)
    differences = ("500 hidden units and dropout .5; moments are taken over the whole clip",)
    cosines: Tensor

    def __init__(self, n_tags: int = 50, n_hidden: int = 500) -> None:
        super().__init__(n_tags, n_hidden, n_dimensions=N_CEPSTRA)
        self.register_buffer("cosines", cosine_transform(N_CEPSTRA, N_MELS), persistent=False)

    def frames(self, mel: Tensor) -> Tensor:
        return self.cosines @ mel


def cosine_transform(n_out: int, n_in: int) -> Tensor:
    """The first rows (n_out, n_in) of the orthonormal DCT of the second kind."""
    rows, columns = torch.arange(n_out).double(), torch.arange(n_in).double()
    matrix = torch.cos(math.pi / n_in * rows[:, None] * (columns + 0.5)) * math.sqrt(2 / n_in)
    matrix[0] /= math.sqrt(2)
    return matrix.float()
