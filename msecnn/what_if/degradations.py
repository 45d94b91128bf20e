"""What recordings suffer on their way: noise, another level, clipping, a codec with few bits."""

from dataclasses import dataclass
from math import inf
from typing import ClassVar

import numpy as np

from msecnn.what_if.edit import Edit, EditError, parameter


@dataclass(frozen=True)
class Noise(Edit):
    """Adds white noise at a ratio of signal to noise, by power over the whole sound; `inf` adds none."""

    name: ClassVar[str] = "noise"
    ratio: float = parameter("dB", -40.0, inf)
    seed: int = parameter("", 0, 2**32 - 1, default=0)

    def apply(self, waveform: np.ndarray, sample_rate: int) -> np.ndarray:
        import torch
        from torchaudio.functional import add_noise

        drawn = np.random.default_rng(self.seed).standard_normal(waveform.shape, dtype=np.float32)
        ratio = torch.full(waveform.shape[:-1], self.ratio)
        noisy: np.ndarray = add_noise(torch.from_numpy(waveform), torch.from_numpy(drawn), ratio).numpy()
        return noisy


@dataclass(frozen=True)
class Level(Edit):
    """Louder or quieter; nothing is clipped."""

    name: ClassVar[str] = "level"
    gain: float = parameter("dB", -100.0, 60.0)

    def apply(self, waveform: np.ndarray, sample_rate: int) -> np.ndarray:
        import torch
        from torchaudio.functional import gain

        changed: np.ndarray = gain(torch.from_numpy(waveform), self.gain).numpy()
        return changed


@dataclass(frozen=True)
class Clipping(Edit):
    """Cuts off peaks flat that lie so many dB below the highest, or less; the level stays."""

    name: ClassVar[str] = "clipping"
    depth: float = parameter("dB", 0.0, 60.0)

    def apply(self, waveform: np.ndarray, sample_rate: int) -> np.ndarray:
        limit = np.float32(np.abs(waveform).max(initial=0) * 10 ** (-self.depth / 20))
        return np.clip(waveform, -limit, limit)


@dataclass(frozen=True)
class Codec(Edit):
    """Through a lossy codec and back, at the sample rate that the networks take; each channel alone."""

    name: ClassVar[str] = "codec"
    bit_rate: float = parameter("kbit/s", 8.0, 160.0)
    codec: str = "mp3"

    def __post_init__(self) -> None:
        super().__post_init__()
        from msecnn.audio.codec_round_trip import CODECS

        if self.codec not in CODECS:
            raise EditError(f"The codec can be {' or '.join(CODECS)}, not {self.codec[:40]!r}.")

    def apply(self, waveform: np.ndarray, sample_rate: int) -> np.ndarray:
        from msecnn.audio import coded

        channels = np.atleast_2d(waveform)
        decoded = [coded(channel, sample_rate, codec=self.codec, kbit_s=self.bit_rate) for channel in channels]
        return np.stack(decoded).reshape(waveform.shape)
