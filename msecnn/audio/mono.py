"""Decoded frames, or arrays, of any sample format and number of channels to one channel of float32."""

from collections.abc import Iterator
from typing import Any

import av
import numpy as np

from msecnn.audio.pyav_workarounds import samples_of


class Mixer:
    """Takes the mean of all channels, and measures what is left of their power.

    Attributes:
        kept: power of the mix over the mean power of the channels, from 0 (they cancel) to 1 (they are the same); two
            unrelated channels have 1/2. 1 where there is one channel, or no sound yet.
    """

    def __init__(self) -> None:
        self._mixed = self._separate = 0.0

    @property
    def kept(self) -> float:
        return self._mixed / self._separate if self._separate else 1.0

    def mix(self, samples: np.ndarray) -> np.ndarray:
        """`(T, channels)` of any real type to their mean, `(T,)` float32 with full scale 1."""
        n_channels, is_float = samples.shape[1], samples.dtype.kind == "f"
        is_single = samples.dtype.itemsize <= 2 or samples.dtype == np.float32
        mono: Any = np.zeros(len(samples), np.float32 if is_single else np.float64)
        full_scale = 1.0 if is_float else 2.0 ** (8 * samples.dtype.itemsize - 1)
        middle = full_scale if samples.dtype.kind == "u" else 0.0
        separate = 0.0
        with np.errstate(over="ignore", invalid="ignore"):  # `AudioStream` refuses what is not finite
            for channel in samples.T:
                mono += channel
                if n_channels > 1:
                    alone = (channel.astype(np.float32) - np.float32(middle)) / np.float32(full_scale)
                    separate += float(alone @ alone)
            mono /= n_channels
            if not is_float:
                mono = (mono - middle) / full_scale
            mixed: np.ndarray = mono.astype(np.float32, copy=False)
            if n_channels > 1:
                self._separate += separate / n_channels
                self._mixed += float(mixed @ mixed)
        return mixed


def mono_blocks(frames: Iterator[Any], mixer: Mixer) -> Iterator[tuple[int, np.ndarray]]:
    """Frames of a few ms gathered to blocks of about a second, each mixed to mono float32 `(T_i,)`."""
    fifo, layout, rate = av.AudioFifo(), None, 0
    for frame in frames:
        if layout != (frame.format.name, frame.layout.nb_channels, frame.sample_rate):
            if fifo.samples:
                yield rate, mixer.mix(samples_of(fifo.read()))
            fifo, rate = av.AudioFifo(), frame.sample_rate
            layout = (frame.format.name, frame.layout.nb_channels, rate)
        frame.pts = None  # the fifo would insist on gapless time stamps
        fifo.write(frame)
        if fifo.samples >= rate:
            yield rate, mixer.mix(samples_of(fifo.read()))
    if fifo.samples:
        yield rate, mixer.mix(samples_of(fifo.read()))
