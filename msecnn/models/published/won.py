"""FCN, CRNN and Musicnn in Won et al.'s version ("Evaluation of CNN-based automatic music tagging models", SMC 2020).

Shapes: B windows, C channels, F = 96 mel bands, L frames (1,813 of 29 s, 188 of 3 s), K tags.
"""

import torch
from torch import Tensor, nn

from msecnn.models.published.waveform import PowerMel, WaveformTagger
from msecnn.models.registry import register

#: Channels in and out and max-pooling (frequency, time) of each level; FCN is FCN-5's shape with ReLU at 16 kHz.
FCN_LEVELS = ((1, 64, (2, 4)), (64, 128, (2, 4)), (128, 128, (2, 4)), (128, 128, (3, 5)), (128, 64, (4, 4)))
CRNN_LEVELS = ((1, 64, (2, 2)), (64, 128, (3, 3)), (128, 128, (4, 4)), (128, 128, (4, 4)))
N_RECURRENT = 32
N_RECURRENT_LAYERS = 2

TIMBRAL_KERNELS = ((67, 7), (38, 7))
TIMBRAL_CHANNELS = 204
TEMPORAL_KERNELS = (129, 65, 33)
TEMPORAL_CHANNELS = 51
DENSE_CHANNELS = 64
DENSE_KERNEL = 7
N_HIDDEN = 200

MIN_POWER = 1e-10


class DecibelMel(nn.Module):
    """Power mel (HTK scale, peaks of one) in dB.

    Shape:
        - waveform: (B, T)
        - output: (B, 1, F, T // 256 + 1)
    """

    def __init__(self) -> None:
        super().__init__()
        self.power = PowerMel(mel_scale="htk", norm=None, pad_mode="reflect")

    def forward(self, waveform: Tensor) -> Tensor:
        return 10 * torch.log10(self.power(waveform).clamp(min=MIN_POWER))


class WonTagger(WaveformTagger):
    """A tagger of that study: the waveform is cut into windows and each gets its own mel."""

    def __init__(self, n_tags: int) -> None:
        super().__init__(n_tags)
        self.mel = DecibelMel()
        self.input_norm = nn.BatchNorm2d(1)


class ConvNormRelu(nn.Module):
    """Convolution, batch normalisation, ReLU."""

    def __init__(self, conv: nn.Module, norm: nn.Module) -> None:
        super().__init__()
        self.conv = conv
        self.norm = norm

    def forward(self, x: Tensor) -> Tensor:
        activated: Tensor = self.norm(self.conv(x)).relu()
        return activated


class Level(nn.Module):
    """3x3 convolution, batch normalisation, ReLU, max-pooling (frequency, time)."""

    def __init__(self, n_in: int, n_out: int, pool: tuple[int, int]) -> None:
        super().__init__()
        self.conv = nn.Conv2d(n_in, n_out, 3, padding=1)
        self.norm = nn.BatchNorm2d(n_out)
        self.pool = nn.MaxPool2d(pool)

    def forward(self, x: Tensor) -> Tensor:
        pooled: Tensor = self.pool(self.norm(self.conv(x)).relu())
        return pooled


@register("won_fcn")
class WonFcn(WonTagger):
    """Five levels down to one cell (29 s)."""

    architecture = "won_fcn"
    window_s = 29.0

    def __init__(self, n_tags: int = 50) -> None:
        super().__init__(n_tags)
        self.levels = nn.Sequential(*(Level(*plan) for plan in FCN_LEVELS))
        self.classifier = nn.Linear(FCN_LEVELS[-1][1], n_tags)

    def tag_mel(self, mel: Tensor) -> Tensor:
        logits: Tensor = self.classifier(self.levels(self.input_norm(mel)).flatten(1))
        return logits


@register("won_crnn")
class WonCrnn(WonTagger):
    """Four levels, then a gated recurrent network over what is left of time (29 s)."""

    architecture = "won_crnn"
    window_s = 29.0

    def __init__(self, n_tags: int = 50) -> None:
        super().__init__(n_tags)
        self.levels = nn.Sequential(*(Level(*plan) for plan in CRNN_LEVELS))
        self.recurrent = nn.GRU(CRNN_LEVELS[-1][1], N_RECURRENT, N_RECURRENT_LAYERS, batch_first=True)
        self.classifier = nn.Linear(N_RECURRENT, n_tags)

    def tag_mel(self, mel: Tensor) -> Tensor:
        x = self.levels(self.input_norm(mel)).squeeze(2).transpose(1, 2)  # (B, L, C): one band is left
        states, _ = self.recurrent(x)
        logits: Tensor = self.classifier(states[:, -1])
        return logits


@register("won_musicnn")
class WonMusicnn(WonTagger):
    """musicnn's layers (3 s); rhythm filters take the mean over the bands."""

    architecture = "won_musicnn"
    window_s = 3.0

    def __init__(self, n_tags: int = 50) -> None:
        super().__init__(n_tags)
        self.timbral = nn.ModuleList(
            ConvNormRelu(
                nn.Conv2d(1, TIMBRAL_CHANNELS, kernel, padding=(0, kernel[1] // 2)),
                nn.BatchNorm2d(TIMBRAL_CHANNELS),
            )
            for kernel in TIMBRAL_KERNELS
        )
        self.temporal = nn.ModuleList(_conv1d(1, TEMPORAL_CHANNELS, frames) for frames in TEMPORAL_KERNELS)
        n_front = len(TIMBRAL_KERNELS) * TIMBRAL_CHANNELS + len(TEMPORAL_KERNELS) * TEMPORAL_CHANNELS
        widths = (n_front, DENSE_CHANNELS, DENSE_CHANNELS)
        self.dense = nn.ModuleList(_conv1d(n_in, DENSE_CHANNELS, DENSE_KERNEL) for n_in in widths)
        self.hidden = nn.Linear(2 * (n_front + len(widths) * DENSE_CHANNELS), N_HIDDEN)
        self.hidden_norm = nn.BatchNorm1d(N_HIDDEN)
        self.classifier = nn.Linear(N_HIDDEN, n_tags)

    def tag_mel(self, mel: Tensor) -> Tensor:
        mel = self.input_norm(mel)  # (B, 1, F, L)
        timbres = [branch(mel).amax(2) for branch in self.timbral]
        rhythms = [branch(mel.mean(2)) for branch in self.temporal]
        x = torch.cat([*timbres, *rhythms], 1)  # (B, C, L)
        y = self.dense[0](x)
        layers = [x, y]
        for layer in self.dense[1:]:
            y = layer(y) + y
            layers.append(y)
        x = torch.cat(layers, 1)
        hidden = self.hidden(torch.cat([x.amax(2), x.mean(2)], 1))
        logits: Tensor = self.classifier(self.hidden_norm(hidden).relu())
        return logits


def _conv1d(n_in: int, n_out: int, frames: int) -> ConvNormRelu:
    return ConvNormRelu(nn.Conv1d(n_in, n_out, frames, padding=frames // 2), nn.BatchNorm1d(n_out))
