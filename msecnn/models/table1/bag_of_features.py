"""Bag of features and restricted Boltzmann machine (Nam, Herrera and Lee, "A deep bag-of-features model for music
auto-tagging", arXiv 1508.04999, 2015).

Facts from the authors' public program (GPL; no code of it is here): 22.05 kHz, frames of 1024 every 512, gain control
over time and frequency, 128 bands, log10(1 + 10 x), blocks of 8 frames, PCA whitening of 90 % of the variance, one
block taken from each 43 frames where the onset curve peaks, 1,024 sparse hidden units by CD-1, maximum over 43 frames,
mean over the clip, three hidden layers of 512, dropout, AdaDelta. Our choices are `differences`.
"""

from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from msecnn.frontend import MelConfig
from msecnn.models.registry import register
from msecnn.models.stages.gaussian_rbm import GaussianRBM
from msecnn.models.stages.whitening import PCAWhitening
from msecnn.models.table1.encoded_tagger import EncodedTagger, clip_frames
from msecnn.models.tagging_model import Mels

SAMPLE_RATE, N_FFT, HOP_LENGTH, N_MELS = 22_050, 1024, 512, 128
BLOCK = 8  # frames
SEGMENT = 43  # frames, one second
VARIANCE_SHARE, EPSILON = 0.90, 0.01
N_COMPONENTS = 256
N_HIDDEN = (512, 512, 512)
DROPOUT = 0.5
#: Of log10(1 + factor x): of what is encoded, and of the onset curve.
LOG_FACTOR, ONSET_FACTOR = 10.0, 100.0
#: Gain control: bands over which a level is smoothed, and the share of it that is left after a frame.
GAIN_BANDS, GAIN_DECAY = 9, 0.955  # half a second to fall to 1/e^2
GAIN_FLOOR = 0.01
#: Blocks that the stages are fitted to, at most.
MAX_BLOCKS = 60_000


@register("bag_of_features")
class BagOfFeatures(EncodedTagger):
    """Maxima over a second of a Boltzmann machine's hidden units, averaged over the clip; three hidden layers.

    Args:
        n_units: of the Boltzmann machine.
    """

    architecture = "bag_of_features"
    differences = (
        "gain control works on mel bands, which are roots of mel power instead of sums of magnitudes",
        "the onset curve is taken from the same 128 bands",
        "at most 256 components and 60,000 blocks; 30 passes of contrastive divergence instead of 300",
        "the hidden layers start at random instead of from stacked machines",
    )

    def __init__(self, n_tags: int = 50, n_units: int = 1024) -> None:
        config = MelConfig(
            sample_rate=SAMPLE_RATE, n_fft=N_FFT, hop_length=HOP_LENGTH, n_mels=N_MELS, f_max=SAMPLE_RATE / 2,
            n_frames=clip_frames(SAMPLE_RATE, HOP_LENGTH),
        )  # fmt: skip
        super().__init__(n_tags, config, n_encoded=n_units, n_hidden=N_HIDDEN, dropout=DROPOUT)
        self.n_units = n_units
        self.whitening = PCAWhitening(BLOCK * N_MELS, N_COMPONENTS, share=VARIANCE_SHARE, epsilon=EPSILON)
        self.machine = GaussianRBM(N_COMPONENTS, n_units)

    def raw_features(self, inputs: Tensor) -> Tensor:
        blocks = blocks_of(self.levelled(inputs))  # (B, L', D)
        hidden = self.machine(self.whitening(blocks)).transpose(1, 2)  # (B, C, L')
        return F.max_pool1d(hidden, SEGMENT).mean(2)

    def levelled(self, inputs: Tensor) -> Tensor:
        """Mels (B, F, L) after gain control, not negative, not compressed yet."""
        magnitudes = torch.exp(self.compressed(inputs) * (torch.log(torch.tensor(10.0)) / 20))
        return gain_controlled(magnitudes)

    @torch.no_grad()
    def fit_stages(self, mels: Mels, generator: torch.Generator) -> None:
        blocks = torch.cat(list(self._onset_blocks(mels)))
        blocks = blocks[torch.randperm(len(blocks), generator=generator)[:MAX_BLOCKS]]
        self.whitening.fit(blocks)
        self.machine.fit(self.whitening(blocks), generator)

    def _onset_blocks(self, mels: Mels) -> Iterator[Tensor]:
        """Of each clip one block (D,) a segment, where the onset curve peaks in it."""
        for batch in mels():
            mel = self.levelled(batch)
            blocks, onsets = blocks_of(mel), onset_curve(mel)[:, : mel.shape[-1] - BLOCK + 1]
            n_segments = onsets.shape[1] // SEGMENT
            peaks = onsets[:, : n_segments * SEGMENT].unflatten(1, (n_segments, SEGMENT)).argmax(2)
            peaks = peaks + SEGMENT * torch.arange(n_segments, device=peaks.device)  # (B, S)
            yield blocks.gather(1, peaks[..., None].expand(-1, -1, blocks.shape[2])).flatten(0, 1)

    def parameters_json(self) -> dict[str, Any]:
        return {"n_tags": self.n_tags, "n_units": self.n_units}


def gain_controlled(mel: Tensor) -> Tensor:
    """Each cell (B, F, L) divided by the level around it: smoothed over bands, rising at once and decaying slowly.

    After D. Ellis's description of time-frequency automatic gain control (tf_agc).
    """
    around = F.avg_pool1d(mel.transpose(1, 2), GAIN_BANDS, 1, GAIN_BANDS // 2, count_include_pad=False).transpose(1, 2)
    levels, level = [], torch.zeros_like(around[..., 0])
    for frame in around.unbind(-1):
        level = torch.maximum(frame, GAIN_DECAY * level + (1 - GAIN_DECAY) * frame)
        levels.append(level)
    return mel / (torch.stack(levels, -1) + GAIN_FLOOR)


def blocks_of(mel: Tensor) -> Tensor:
    """All blocks of `BLOCK` frames (B, L', F BLOCK) of log10(1 + 10 x)."""
    compressed = torch.log10(1 + LOG_FACTOR * mel)
    return compressed.unfold(2, BLOCK, 1).permute(0, 2, 1, 3).flatten(2)  # (B, F, L', 8) before


def onset_curve(mel: Tensor) -> Tensor:
    """(B, L): how much louder a frame is than the one before, the mean over bands of what rises."""
    compressed = torch.log10(1 + ONSET_FACTOR * mel)
    rise = (compressed[..., 1:] - compressed[..., :-1]).relu().mean(1)
    return F.pad(rise, (1, 0))
