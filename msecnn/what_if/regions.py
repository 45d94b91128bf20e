"""Cuts in time and frequency: boxes of seconds by Hz that are taken out, or that alone stay.

By the mask over the short-time spectrum that sonification has, with the front end's frame of 43 ms: so edges are that
soft in time and a few bins of 23 Hz in frequency. What is removed becomes silence, so a region and all but it add up.

Axis letters: T samples, L frames.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from msecnn.explain.sonification import weighted
from msecnn.what_if.edit import Edit, EditError, number

#: Seconds of a frame; the front end's 512 samples at 12 kHz, and the nearest power of two at other rates.
FRAME_S = 512 / 12_000
MAX_REGIONS = 64
#: A time of a day, and what no recording's spectrum reaches.
MAX_S, MAX_HZ = 86_400.0, 1e6


@dataclass(frozen=True)
class Region:
    """A box: seconds by Hz. One without an extent is empty."""

    start_s: float = 0.0
    end_s: float = MAX_S
    low_hz: float = 0.0
    high_hz: float = MAX_HZ

    def __post_init__(self) -> None:
        if not 0 <= self.start_s <= self.end_s <= MAX_S:
            raise EditError(f"A region's seconds are 0 or more and in order, not {self._seconds()}.")
        if not 0 <= self.low_hz <= self.high_hz <= MAX_HZ:
            raise EditError(f"A region's frequencies are 0 Hz or more and in order, not {self._hz()}.")

    def __str__(self) -> str:
        return self._seconds() + (f",{self._hz()}" if (self.low_hz, self.high_hz) != (0.0, MAX_HZ) else "")

    def _seconds(self) -> str:
        return f"{number(self.start_s)}:{number(self.end_s) if self.end_s != MAX_S else ''}"

    def _hz(self) -> str:
        return f"{number(self.low_hz)}:{number(self.high_hz) if self.high_hz != MAX_HZ else ''}"


@dataclass(frozen=True)
class Cut(Edit):
    """Regions of seconds of the recording, or, in a chain, of the sound as the edits before left it."""

    regions: tuple[Region, ...] = ()

    def __post_init__(self) -> None:
        if len(self.regions) > MAX_REGIONS:
            raise EditError(f"{self.name} takes at most {MAX_REGIONS} regions, not {len(self.regions)}.")

    def starting_at(self, start_s: float) -> Edit:
        return replace(self, regions=tuple(_shifted(region, start_s) for region in self.regions))

    def arguments(self) -> str:
        return "+".join(str(region) for region in self.regions)


@dataclass(frozen=True)
class Remove(Cut):
    """Takes regions out."""

    name: ClassVar[str] = "remove"

    def apply(self, waveform: np.ndarray, sample_rate: int) -> np.ndarray:
        return waveform - inside(self.regions, waveform, sample_rate)


@dataclass(frozen=True)
class Keep(Cut):
    """Takes everything out but regions."""

    name: ClassVar[str] = "keep"

    def apply(self, waveform: np.ndarray, sample_rate: int) -> np.ndarray:
        return inside(self.regions, waveform, sample_rate)


def inside(regions: Sequence[Region], waveform: np.ndarray, sample_rate: int) -> np.ndarray:
    """What of a sound (T,) or (2, T) lies in regions."""
    n_fft = 2 ** round(np.log2(FRAME_S * sample_rate))
    duration_s = waveform.shape[-1] / sample_rate
    # what reaches to the end reaches over the last frame, whose middle may lie beyond
    whole = [replace(region, end_s=MAX_S) if region.end_s >= duration_s else region for region in regions]

    def weigh(spectrum: np.ndarray) -> np.ndarray:
        return _mask(whole, spectrum.shape, n_fft, sample_rate)

    channels = [weighted(channel, weigh, n_fft=n_fft, hop_length=n_fft // 2) for channel in np.atleast_2d(waveform)]
    return np.stack(channels).reshape(waveform.shape)


def _shifted(region: Region, start_s: float) -> Region:
    """A region in seconds of a part; what lies before the part is empty."""
    end_s = MAX_S if region.end_s == MAX_S else max(0.0, region.end_s - start_s)
    return replace(region, start_s=max(0.0, region.start_s - start_s), end_s=end_s)


def _mask(regions: Sequence[Region], shape: tuple[int, ...], n_fft: int, sample_rate: int) -> np.ndarray:
    """(n_fft / 2 + 1, L): of each cell, the share that lies in a region."""
    inside = np.zeros(shape, dtype=np.float32)
    for region in regions:
        bins = _shares(shape[0], sample_rate / n_fft, region.low_hz, region.high_hz)
        frames = _shares(shape[1], n_fft / 2 / sample_rate, region.start_s, region.end_s)
        inside = np.maximum(inside, np.outer(bins, frames))
    return inside


def _shares(n: int, step: float, low: float, high: float) -> np.ndarray:
    """(n,) of each cell, one step wide around a multiple of it, the share between two limits.

    A limit on the first or last multiple takes that cell whole.
    """
    edges = (np.arange(n + 1) - 0.5) * step
    if low < high:
        low = edges[0] if low == 0 else low
        high = edges[-1] if high >= (n - 1) * step else high
    shares: np.ndarray = np.clip((np.minimum(edges[1:], high) - np.maximum(edges[:-1], low)) / step, 0, 1)
    return shares
