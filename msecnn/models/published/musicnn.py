"""musicnn: filters shaped like timbres and rhythms, then dense temporal layers (Pons and Serra, "musicnn: pre-trained
convolutional neural networks for music audio tagging", 2019; Pons et al., "End-to-end learning for music audio tagging
at scale", ISMIR 2018, the family of Hamidi et al.'s "end-to-end" row).

Shapes as there, with frequency before time: B windows, C channels, F = 96 mel bands, L = 187 frames, K tags.
"""

import numpy as np
import torch
from torch import Tensor, nn

from msecnn.frontend import fill_window
from msecnn.models.published.waveform import HOP_LENGTH, SAMPLE_RATE, PowerMel, WaveformTagger
from msecnn.models.registry import register

#: Frames that one window shows to the network.
N_FRAMES = 187
#: Timbral filters, (bands, frames) of a kernel [Pons et al. 2018: 0.4 and 0.7 of the bands].
TIMBRAL_KERNELS = ((38, 7), (67, 7))
TIMBRAL_CHANNELS = 204
#: Temporal filters, frames of a kernel.
TEMPORAL_KERNELS = (128, 64, 32)
TEMPORAL_CHANNELS = 51
DENSE_CHANNELS = 64
DENSE_KERNEL = 7
N_HIDDEN = 200
#: TensorFlow's default, with which the weights were trained; PyTorch's is 1e-5.
NORM_EPS = 1e-3


class ScaledLogMel(nn.Module):
    """log10(1 + 10000 mel), of a mel that is first rounded to float16 as the package does.

    Shape:
        - waveform: (B, T)
        - output: (B, 1, F, T // 256 + 1)
    """

    def __init__(self) -> None:
        super().__init__()
        self.power = PowerMel(mel_scale="slaney", norm="slaney", pad_mode="constant")

    def forward(self, waveform: Tensor) -> Tensor:
        return torch.log10(1 + 10_000 * self.power(waveform).half().float())


class PonsTagger(WaveformTagger):
    """A tagger of the musicnn package: the mel of the whole recording is cut into windows of 187 frames."""

    window_s = N_FRAMES * HOP_LENGTH / SAMPLE_RATE

    def __init__(self, n_tags: int) -> None:
        super().__init__(n_tags)
        self.mel = ScaledLogMel()

    def forward(self, inputs: Tensor) -> Tensor:
        return self.tag_mel(self.mel(inputs)[..., :N_FRAMES])

    def embed(self, mel: Tensor) -> Tensor:
        """What the classifier sees (B, C) of windows' mels (B, 1, F, L)."""
        raise NotImplementedError

    def windows(self, waveform: np.ndarray) -> Tensor:
        waveform = fill_window(waveform, self.window_samples)
        mel = self.mel(torch.from_numpy(waveform)[None].to(next(self.parameters()).device))[
            0
        ]  # (1, F, frames of the recording)
        return mel.unfold(-1, N_FRAMES, N_FRAMES).permute(2, 0, 1, 3)  # (W, 1, F, L)


class ConvReluNorm(nn.Module):
    """Convolution, ReLU, batch normalisation, in the order of the package's code."""

    def __init__(self, conv: nn.Module, norm: nn.Module) -> None:
        super().__init__()
        self.conv = conv
        self.norm = norm

    def forward(self, x: Tensor) -> Tensor:
        normalised: Tensor = self.norm(self.conv(x).relu())
        return normalised


@register("musicnn")
class Musicnn(PonsTagger):
    """Musically motivated convolutions, three dense layers over time, maxima and means over the window."""

    architecture = "musicnn"

    def __init__(self, n_tags: int = 50) -> None:
        super().__init__(n_tags)
        self.input_norm = nn.BatchNorm2d(1, eps=NORM_EPS)
        self.timbral = nn.ModuleList(_branch(TIMBRAL_CHANNELS, kernel) for kernel in TIMBRAL_KERNELS)
        self.temporal = nn.ModuleList(_branch(TEMPORAL_CHANNELS, (1, frames)) for frames in TEMPORAL_KERNELS)
        n_front = len(TIMBRAL_KERNELS) * TIMBRAL_CHANNELS + len(TEMPORAL_KERNELS) * TEMPORAL_CHANNELS
        self.dense = nn.ModuleList(_dense(n_in) for n_in in (n_front, DENSE_CHANNELS, DENSE_CHANNELS))
        n_pooled = 2 * (n_front + len(self.dense) * DENSE_CHANNELS)
        self.pooled_norm = nn.BatchNorm1d(n_pooled, eps=NORM_EPS)
        self.hidden = nn.Linear(n_pooled, N_HIDDEN)
        self.hidden_norm = nn.BatchNorm1d(N_HIDDEN, eps=NORM_EPS)
        self.classifier = nn.Linear(N_HIDDEN, n_tags)

    def tag_mel(self, mel: Tensor) -> Tensor:
        logits: Tensor = self.classifier(self.embed(mel))
        return logits

    def embed(self, mel: Tensor) -> Tensor:
        x = self.input_norm(mel)  # (B, 1, F, L)
        front = [branch(_pad_time(x, branch.conv.kernel_size[1])) for branch in (*self.timbral, *self.temporal)]
        x = torch.cat([level_map.amax(2) for level_map in front], 1)  # (B, C, L)
        y = self.dense[0](x)
        layers = [x, y]
        for layer in self.dense[1:]:
            y = layer(y) + y
            layers.append(y)
        x = torch.cat(layers, 1)
        pooled = torch.stack([x.amax(2), x.mean(2)], 2).flatten(1)  # maximum and mean side by side, channel by channel
        hidden: Tensor = self.hidden_norm(self.hidden(self.pooled_norm(pooled)).relu())
        return hidden


def _branch(channels: int, kernel: tuple[int, int]) -> ConvReluNorm:
    """One family of front-end filters."""
    return ConvReluNorm(nn.Conv2d(1, channels, kernel), nn.BatchNorm2d(channels, eps=NORM_EPS))


def _pad_time(x: Tensor, frames: int) -> Tensor:
    """Zeros around time for a kernel of that many frames; an even one's odd zero comes after, as in TensorFlow."""
    before = (frames - 1) // 2
    return nn.functional.pad(x, (before, frames - 1 - before))


def _dense(n_in: int) -> ConvReluNorm:
    conv = nn.Conv1d(n_in, DENSE_CHANNELS, DENSE_KERNEL, padding="same")
    return ConvReluNorm(conv, nn.BatchNorm1d(DENSE_CHANNELS, eps=NORM_EPS))
