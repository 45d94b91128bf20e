"""Taggers that take a waveform at 16 kHz: what the networks trained by others on MagnaTagATune have in common.

Axis letters: B clips, W windows of one recording, T samples, F mel bands, L frames of a window, K tags.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torchaudio.functional import melscale_fbanks, spectrogram

from msecnn.frontend import InputSpec, fill_window
from msecnn.models.tagging_model import TaggingModule

SAMPLE_RATE = 16_000
N_FFT = 512
HOP_LENGTH = 256
N_MELS = 96


class PowerMel(nn.Module):
    """Power mel spectrogram at 16 kHz, 96 bands up to 8 kHz, by torchaudio.

    Args:
        mel_scale, norm: as torchaudio's `melscale_fbanks` takes them.
        pad_mode: what lies beyond the waveform's ends, "constant" (zeros) or "reflect".

    Shape:
        - waveform: (B, T)
        - output: (B, 1, F, T // 256 + 1)
    """

    window: Tensor
    filterbank: Tensor

    def __init__(self, *, mel_scale: str, norm: str | None, pad_mode: str) -> None:
        super().__init__()
        self.pad_mode = pad_mode
        bank = melscale_fbanks(
            N_FFT // 2 + 1, 0.0, SAMPLE_RATE / 2, N_MELS, SAMPLE_RATE, norm=norm, mel_scale=mel_scale
        )
        self.register_buffer("window", torch.hann_window(N_FFT), persistent=False)
        self.register_buffer("filterbank", bank, persistent=False)  # (n_fft/2+1, F)

    def forward(self, waveform: Tensor) -> Tensor:
        power = spectrogram(
            waveform, 0, self.window, N_FFT, HOP_LENGTH, N_FFT, power=2.0, normalized=False, pad_mode=self.pad_mode
        )  # (B, n_fft/2+1, L)
        return (power.transpose(1, 2) @ self.filterbank).transpose(1, 2).unsqueeze(1)


class WaveformTagger(TaggingModule):
    """A front end and a network on the windows that it cuts; subclasses give `mel`, `windows` and `tag_mel`.

    Shape:
        - input: (B, T) waveform at `sample_rate`, T at least `window_samples`; the first window is tagged
        - output: (B, K) logits
    """

    sample_rate = SAMPLE_RATE
    scales = ()
    #: Seconds of sound that one call takes.
    window_s: float
    mel: Callable[[Tensor], Tensor]

    def __init__(self, n_tags: int) -> None:
        super().__init__()
        self.n_tags = n_tags
        self.n_features: dict[str, int] = {}

    @property
    def window_samples(self) -> int:
        """Samples in one window."""
        return round(self.window_s * self.sample_rate)

    @property
    def input_spec(self) -> InputSpec:
        return InputSpec(self.sample_rate, self.window_samples)

    def forward(self, inputs: Tensor) -> Tensor:
        return self.tag_mel(self.mel(inputs[:, : self.window_samples]))

    def tag_mel(self, mel: Tensor) -> Tensor:
        """Logits (B, K) of windows' mels (B, 1, F, L), as `windows` gives them."""
        raise NotImplementedError

    def windows(self, waveform: np.ndarray) -> Tensor:
        """Cuts a recording (T,) as the network's authors do, side by side from its start; returns mels (W, 1, F, L).

        What is left over at the end is ignored. A recording shorter than a window is repeated.
        """
        waveform = fill_window(waveform, self.window_samples)
        n_windows = len(waveform) // self.window_samples
        cut = waveform[: n_windows * self.window_samples].reshape(n_windows, -1)
        mel: Tensor = self.mel(torch.from_numpy(cut).to(next(self.parameters()).device))
        return mel

    def features(self, inputs: Tensor) -> dict[str, Tensor]:
        """None: these networks have no scales to show."""
        return {}

    def parameters_json(self) -> dict[str, Any]:
        return {"n_tags": self.n_tags}
