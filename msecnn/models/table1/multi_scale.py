"""Multi-scale approach (Dieleman and Schrauwen, "Multiscale approaches to music audio feature learning", ISMIR 2013).

Pinned: a Laplacian pyramid of one-frame windows, spherical k-means at each level, was the best (.898). From memory of
the paper, so a choice until somebody checks it: 200 bands, eight levels, 500 means, 99 % of the variance, a network of
1,000 hidden units. Our choices: the encoding (`SphericalKMeans`), its mean over time, at most 100 components.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from msecnn.frontend import MelConfig
from msecnn.models.registry import register
from msecnn.models.stages.spherical_kmeans import SphericalKMeans
from msecnn.models.stages.whitening import PCAWhitening
from msecnn.models.table1.encoded_tagger import EncodedTagger, clip_frames, drawn_frames
from msecnn.models.tagging_model import Mels

SAMPLE_RATE, N_FFT, HOP_LENGTH, N_MELS = 16_000, 1024, 512, 200
VARIANCE_SHARE = 0.99
N_COMPONENTS = 100
#: Keeps directions whose variance is next to none from being whitened into noise.
EPSILON = 1e-5
#: Binomial smoothing before every second frame is taken [Burt and Adelson, "The Laplacian pyramid", 1983].
SMOOTHING = (1 / 16, 4 / 16, 6 / 16, 4 / 16, 1 / 16)
DROPOUT = 0.5
#: Frames of each batch of clips and each level that the stages are fitted to.
FRAMES_A_BATCH = 400


class KMeansLevel(nn.Module):
    """Whitening and spherical k-means of one level: frames (..., F) to codes (..., K)."""

    def __init__(self, n_mels: int, n_components: int, n_means: int) -> None:
        super().__init__()
        self.whitening = PCAWhitening(n_mels, n_components, share=VARIANCE_SHARE, epsilon=EPSILON)
        self.kmeans = SphericalKMeans(n_components, n_means)

    def forward(self, frames: Tensor) -> Tensor:
        codes: Tensor = self.kmeans(self.whitening(frames))
        return codes

    def fit(self, frames: Tensor, generator: torch.Generator) -> None:
        """Fits both to frames (N, F)."""
        self.whitening.fit(frames)
        self.kmeans.fit(self.whitening(frames), generator)


def laplacian_pyramid(mel: Tensor, n_levels: int) -> list[Tensor]:
    """(B, F, L) to levels (B, F, L / 2^i), each what the next one, smoothed and half as long, leaves out; and a last.

    Added up from the last, each made twice as long by linear interpolation, they are the mel again.
    """
    levels = []
    for _ in range(n_levels - 1):
        coarser = smoothed(mel)[..., ::2]
        levels.append(mel - stretched(coarser, mel.shape[-1]))
        mel = coarser
    return [*levels, mel]


def smoothed(mel: Tensor) -> Tensor:
    """Binomial smoothing over time; the ends are repeated."""
    kernel = torch.tensor(SMOOTHING, device=mel.device, dtype=mel.dtype)
    padded = F.pad(mel, (len(SMOOTHING) // 2,) * 2, mode="replicate")
    return F.conv1d(padded.flatten(0, 1).unsqueeze(1), kernel[None, None]).view_as(mel)


def stretched(mel: Tensor, n_frames: int) -> Tensor:
    """Interpolated to `n_frames`, of which the even ones are the given frames."""
    doubled = F.interpolate(mel, size=2 * mel.shape[-1] - 1, mode="linear", align_corners=True)
    return F.pad(doubled, (0, n_frames - doubled.shape[-1]), mode="replicate")


class KMeansTagger(EncodedTagger):
    """Means over time of k-means codes, of one or several levels of a pyramid; then a hidden layer.

    Args:
        n_mels: bands.
        n_levels: of the pyramid; 1 is the mel itself.
        n_means: of each level.
        n_hidden: units.
    """

    def __init__(
        self, n_tags: int, *, n_mels: int, n_levels: int, n_means: int, n_hidden: int, dropout: float = DROPOUT
    ) -> None:
        config = MelConfig(
            sample_rate=SAMPLE_RATE, n_fft=N_FFT, hop_length=HOP_LENGTH, n_mels=n_mels, f_max=8_000.0,
            n_frames=clip_frames(SAMPLE_RATE, HOP_LENGTH), compression="log10",
        )  # fmt: skip
        if config.n_frames >> (n_levels - 1) < 2:
            raise ValueError(f"{n_levels} levels leave less than two frames of {config.n_frames}")
        super().__init__(n_tags, config, n_encoded=n_levels * n_means, n_hidden=[n_hidden], dropout=dropout)
        self.sizes = {"n_levels": n_levels, "n_means": n_means, "n_hidden": n_hidden}
        n_components = min(N_COMPONENTS, n_mels)
        self.levels = nn.ModuleList(KMeansLevel(n_mels, n_components, n_means) for _ in range(n_levels))

    def raw_features(self, inputs: Tensor) -> Tensor:
        pyramid = laplacian_pyramid(self.compressed(inputs), len(self.levels))
        codes = [level(x.transpose(1, 2)).mean(1) for level, x in zip(self.levels, pyramid, strict=True)]
        return torch.cat(codes, 1)

    def fit_stages(self, mels: Mels, generator: torch.Generator) -> None:
        frames: list[list[Tensor]] = [[] for _ in self.levels]
        for batch in mels():
            for drawn, level_map in zip(
                frames, laplacian_pyramid(self.compressed(batch), len(self.levels)), strict=True
            ):
                drawn.append(drawn_frames(level_map.transpose(1, 2).flatten(0, 1), FRAMES_A_BATCH, generator))
        for level, drawn in zip(self.levels, frames, strict=True):
            assert isinstance(level, KMeansLevel)
            level.fit(torch.cat(drawn), generator)

    def parameters_json(self) -> dict[str, Any]:
        return {"n_tags": self.n_tags, **self.sizes}


@register("multi_scale")
class MultiScaleKMeans(KMeansTagger):
    """The Laplacian pyramid."""

    architecture = "multi_scale"
    differences = (
        "levels, bands, number of means and variance share are from memory of the paper",
        "codes are similarities above their mean, averaged over time",
    )

    def __init__(self, n_tags: int = 50, n_levels: int = 8, n_means: int = 500, n_hidden: int = 1000) -> None:
        super().__init__(n_tags, n_mels=N_MELS, n_levels=n_levels, n_means=n_means, n_hidden=n_hidden)
