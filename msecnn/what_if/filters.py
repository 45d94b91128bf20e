"""Bands of frequencies cut away: torchaudio's second-order Butterworth filters, forwards, so 12 dB an octave."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from msecnn.what_if.edit import Edit, EditError, parameter

LOWEST_HZ, HIGHEST_HZ = 10.0, 24_000.0
#: Of a telephone line (ITU-T G.712); each side filtered twice.
TELEPHONE_HZ = (300.0, 3_400.0)


@dataclass(frozen=True)
class LowCut(Edit):
    """Takes away what is lower."""

    name: ClassVar[str] = "low_cut"
    cutoff: float = parameter("Hz", LOWEST_HZ, HIGHEST_HZ)

    def apply(self, waveform: np.ndarray, sample_rate: int) -> np.ndarray:
        return _filtered(waveform, sample_rate, self.name, low_hz=self.cutoff)


@dataclass(frozen=True)
class HighCut(Edit):
    """Takes away what is higher."""

    name: ClassVar[str] = "high_cut"
    cutoff: float = parameter("Hz", LOWEST_HZ, HIGHEST_HZ)

    def apply(self, waveform: np.ndarray, sample_rate: int) -> np.ndarray:
        return _filtered(waveform, sample_rate, self.name, high_hz=self.cutoff)


@dataclass(frozen=True)
class BandCut(Edit):
    """Takes away a band, given by its centre and its quality: the centre over the band's width."""

    name: ClassVar[str] = "band_cut"
    centre: float = parameter("Hz", LOWEST_HZ, HIGHEST_HZ)
    quality: float = parameter("(centre over width)", 0.1, 30.0, default=1.0)

    def apply(self, waveform: np.ndarray, sample_rate: int) -> np.ndarray:
        import torch
        from torchaudio.functional import bandreject_biquad

        _check(self.name, self.centre, sample_rate)
        filtered: np.ndarray = bandreject_biquad(
            torch.from_numpy(waveform), sample_rate, self.centre, self.quality
        ).numpy()
        return filtered


@dataclass(frozen=True)
class Telephone(Edit):
    """Leaves what a telephone line passes on: 300 to 3,400 Hz, 24 dB an octave beyond."""

    name: ClassVar[str] = "telephone"

    def apply(self, waveform: np.ndarray, sample_rate: int) -> np.ndarray:
        low_hz, high_hz = TELEPHONE_HZ
        for _ in range(2):
            waveform = _filtered(waveform, sample_rate, self.name, low_hz=low_hz, high_hz=high_hz)
        return waveform


def _filtered(
    waveform: np.ndarray, sample_rate: int, name: str, *, low_hz: float | None = None, high_hz: float | None = None
) -> np.ndarray:
    import torch
    from torchaudio.functional import highpass_biquad, lowpass_biquad

    sound = torch.from_numpy(waveform)
    for cutoff_hz, biquad in ((low_hz, highpass_biquad), (high_hz, lowpass_biquad)):
        if cutoff_hz is not None:
            _check(name, cutoff_hz, sample_rate)
            sound = biquad(sound, sample_rate, cutoff_hz)
    filtered: np.ndarray = sound.numpy()
    return filtered


def _check(name: str, hz: float, sample_rate: int) -> None:
    if not hz < sample_rate / 2:
        raise EditError(f"{name} at {hz:g} Hz needs sound that reaches higher than {sample_rate / 2:g} Hz.")
