"""Decoded frames, or arrays, of any sample format and number of channels to one channel of float32."""

from collections.abc import Callable, Iterator
from typing import Any

import av
import numpy as np

from msecnn.audio.pyav_workarounds import samples_of
from msecnn.audio.source import AudioError

#: `(T, channels)` of any real type to one channel, `(T,)` float32 with full scale 1.
Mixdown = Callable[[np.ndarray], np.ndarray]


def mono_blocks(frames: Iterator[Any], mixdown: Mixdown) -> Iterator[tuple[int, np.ndarray]]:
    """Frames of a few ms gathered to blocks of about a second, each mixed to mono float32 `(T_i,)`."""
    fifo, layout, rate = av.AudioFifo(), None, 0
    for frame in frames:
        if layout != (frame.format.name, frame.layout.nb_channels, frame.sample_rate):
            if fifo.samples:
                yield rate, mixdown(samples_of(fifo.read()))
            fifo, rate = av.AudioFifo(), frame.sample_rate
            layout = (frame.format.name, frame.layout.nb_channels, rate)
        frame.pts = None  # the fifo would insist on gapless time stamps
        fifo.write(frame)
        if fifo.samples >= rate:
            yield rate, mixdown(samples_of(fifo.read()))
    if fifo.samples:
        yield rate, mixdown(samples_of(fifo.read()))


def mix(samples: np.ndarray) -> np.ndarray:
    """`(T, channels)` of any real type to their mean, `(T,)` float32 with full scale 1."""
    is_single = samples.dtype.itemsize <= 2 or samples.dtype == np.float32
    mono: Any = np.zeros(len(samples), np.float32 if is_single else np.float64)
    with np.errstate(over="ignore", invalid="ignore"):  # `AudioStream` refuses what is not finite
        for channel in samples.T:
            mono += channel
        mono /= samples.shape[1]
        if samples.dtype.kind != "f":
            full_scale = 2.0 ** (8 * samples.dtype.itemsize - 1)
            mono = (mono - full_scale if samples.dtype.kind == "u" else mono) / full_scale
        return mono.astype(np.float32, copy=False)


def side(samples: np.ndarray) -> np.ndarray:
    """`(T, 2)` to half the difference of left and right: with the mean it gives both back.

    Raises:
        AudioError: there are not two channels.
    """
    if samples.shape[1] != 2:
        raise AudioError(f"The side is half the difference of two channels; this recording has {samples.shape[1]}.")
    return mix(np.stack([mix(samples[:, :1]), -mix(samples[:, 1:])], axis=1))


class MeasuredMix:
    """`mix`, and what it leaves of the channels' power.

    Attributes:
        kept: power of the mix over the mean power of the channels, from 0 (they cancel) to 1 (they are the same); two
            unrelated channels have 1/2. 1 where there is one channel, or no sound yet.
    """

    def __init__(self) -> None:
        self._mixed = self._separate = 0.0

    @property
    def kept(self) -> float:
        return self._mixed / self._separate if self._separate else 1.0

    def __call__(self, samples: np.ndarray) -> np.ndarray:
        mixed, n_channels = mix(samples), samples.shape[1]
        if n_channels > 1:
            with np.errstate(over="ignore", invalid="ignore"):
                self._mixed += float(mixed @ mixed)
                alone = (mix(samples[:, [channel]]) for channel in range(n_channels))
                self._separate += sum(float(one @ one) for one in alone) / n_channels
        return mixed
