"""What is mixed: the mean of two channels, their difference, and a stem of the user's own added or subtracted.

Axis letters: T samples.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from msecnn.audio import Source, read_recording, side
from msecnn.audio.source import AudioError
from msecnn.what_if.edit import Edit, EditError


@dataclass(frozen=True)
class Mono(Edit):
    """The mean of the channels, which the networks are given anyway: alone, it changes nothing."""

    name: ClassVar[str] = "mono"

    def apply(self, waveform: np.ndarray, sample_rate: int) -> np.ndarray:
        mean: np.ndarray = np.atleast_2d(waveform).mean(0)
        return mean


@dataclass(frozen=True)
class Side(Edit):
    """Half the difference of the channels: what is panned, without what is in the middle."""

    name: ClassVar[str] = "side"

    def apply(self, waveform: np.ndarray, sample_rate: int) -> np.ndarray:
        if waveform.ndim == 1:
            raise EditError("The side is half the difference of two channels; here is only one.")
        half: np.ndarray = (waveform[0] - waveform[1]) / 2
        return half


@dataclass(frozen=True)
class Stem(Edit):
    """A recording of the user's own that lies under the same time as this one: where it has ended, silence.

    Attributes:
        path: of the stem; no program may name one through a server.
        start_s: where in it the sound that is edited begins.
    """

    path: Path
    start_s: float = 0.0

    def starting_at(self, start_s: float) -> Edit:
        return replace(self, start_s=self.start_s + start_s)

    def arguments(self) -> str:
        return str(self.path)

    def _read(self, waveform: np.ndarray, sample_rate: int) -> np.ndarray:
        n_samples = waveform.shape[-1]
        part: dict[str, Any] = {"start_s": self.start_s, "duration_s": n_samples / sample_rate}
        try:
            stem = read_channels(self.path, sample_rate, both=waveform.ndim == 2, **part)[..., :n_samples]
        except AudioError as error:
            raise EditError(f"The stem cannot be used: {error}") from error
        return np.pad(stem, [(0, 0)] * (stem.ndim - 1) + [(0, n_samples - stem.shape[-1])])


@dataclass(frozen=True)
class Add(Stem):
    """Mixes a stem in."""

    name: ClassVar[str] = "add"

    def apply(self, waveform: np.ndarray, sample_rate: int) -> np.ndarray:
        return waveform + self._read(waveform, sample_rate)


@dataclass(frozen=True)
class Subtract(Stem):
    """Takes a stem out again, which the recording must hold sample by sample."""

    name: ClassVar[str] = "subtract"

    def apply(self, waveform: np.ndarray, sample_rate: int) -> np.ndarray:
        return waveform - self._read(waveform, sample_rate)


def read_channels(source: Source, sample_rate: int, *, both: bool, **part: Any) -> np.ndarray:
    """(T,) the mean of a recording's channels, or (2, T) both of them where they are asked for and there are two."""
    middle = read_recording(source, sample_rate=sample_rate, **part)
    if not both or middle.source_channels != 2:
        return middle.waveform
    difference = read_recording(source, sample_rate=sample_rate, mixdown=side, **part).waveform
    return np.stack([middle.waveform + difference, middle.waveform - difference])
