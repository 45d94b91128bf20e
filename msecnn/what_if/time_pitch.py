"""Time and pitch, each without the other, and the two kinds of sound, by librosa; and the sound from its end."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from msecnn.what_if.edit import Edit, parameter

#: Samples below which librosa's separation, with its frame of 2,048, gives what is no number.
LEAST_SEPARATED = 2 * 2_048


@dataclass(frozen=True)
class Speed(Edit):
    """Another tempo at the same pitch; 1 leaves the sound as it is."""

    name: ClassVar[str] = "speed"
    rate: float = parameter("times", 0.25, 4.0)

    def apply(self, waveform: np.ndarray, sample_rate: int) -> np.ndarray:
        from librosa.effects import time_stretch

        if self.rate == 1:  # its vocoder would change the phases
            return waveform
        stretched: np.ndarray = time_stretch(waveform, rate=self.rate)
        return stretched

    def moved_s(self, second: float, duration_s: float) -> float:
        return second / self.rate


@dataclass(frozen=True)
class Pitch(Edit):
    """Another pitch at the same tempo; 0 leaves the sound as it is."""

    name: ClassVar[str] = "pitch"
    semitones: float = parameter("semitones", -24.0, 24.0)

    def apply(self, waveform: np.ndarray, sample_rate: int) -> np.ndarray:
        from librosa.effects import pitch_shift

        if self.semitones == 0:
            return waveform
        shifted: np.ndarray = pitch_shift(waveform, sr=sample_rate, n_steps=self.semitones)
        return shifted

    def moved_hz(self, hz: float) -> float:
        return hz * 2 ** (self.semitones / 12)


@dataclass(frozen=True)
class Harmonic(Edit):
    """Only what lasts at one frequency; a margin above 1 keeps only what does so clearly."""

    name: ClassVar[str] = "harmonic"
    margin: float = parameter("times", 1.0, 10.0, default=1.0)

    def apply(self, waveform: np.ndarray, sample_rate: int) -> np.ndarray:
        from librosa.effects import harmonic

        return _separated(harmonic, waveform, self.margin)


@dataclass(frozen=True)
class Percussive(Edit):
    """Only what is short at many frequencies; a margin above 1 keeps only what is so clearly."""

    name: ClassVar[str] = "percussive"
    margin: float = parameter("times", 1.0, 10.0, default=1.0)

    def apply(self, waveform: np.ndarray, sample_rate: int) -> np.ndarray:
        from librosa.effects import percussive

        return _separated(percussive, waveform, self.margin)


@dataclass(frozen=True)
class Reverse(Edit):
    """From its end to its beginning."""

    name: ClassVar[str] = "reverse"

    def apply(self, waveform: np.ndarray, sample_rate: int) -> np.ndarray:
        return waveform[..., ::-1]

    def moved_s(self, second: float, duration_s: float) -> float:
        return duration_s - second


def _separated(separate: Callable[..., np.ndarray], waveform: np.ndarray, margin: float) -> np.ndarray:
    """A short sound is separated with silence after it."""
    n_samples = waveform.shape[-1]
    missing = max(0, LEAST_SEPARATED - n_samples)
    padded = np.pad(waveform, [(0, 0)] * (waveform.ndim - 1) + [(0, missing)])
    return separate(padded, margin=margin)[..., :n_samples]
