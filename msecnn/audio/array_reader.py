"""An array of samples in the decoder's place."""

from collections.abc import Iterator

import numpy as np

from msecnn.audio.info import MAX_CHANNELS, AudioInfo, check_rate
from msecnn.audio.mono import Mixer
from msecnn.audio.source import AudioError


class ArrayReader:
    """Samples that are there already, as `Decoder` gives them."""

    name = "array"
    is_estimate = False
    assumption: str | None = None
    n_damaged = 0

    def __init__(self, array: np.ndarray, sample_rate: int | None) -> None:
        self.mixer = Mixer()
        if sample_rate is None:
            raise AudioError("An array needs its sample rate (`source_sample_rate`, Hz).")
        check_rate("array's", sample_rate)
        if array.dtype.kind not in "fiu":
            raise AudioError(f"An array of samples must hold real numbers, not {array.dtype}.")
        if array.ndim not in (1, 2) or array.size == 0:
            raise AudioError(f"Samples come in the shape (T,), (channels, T) or (T, channels), not {array.shape}.")
        if array.ndim == 2 and array.shape[0] <= array.shape[1]:
            array = array.T
        self._samples = array[:, None] if array.ndim == 1 else array  # (T, channels)
        if self._samples.shape[1] > MAX_CHANNELS:
            raise AudioError(f"An array of shape {array.shape} is no recording: neither axis looks like channels.")
        self.info = AudioInfo(
            duration_s=len(array) / sample_rate,
            sample_rate=int(sample_rate),
            channels=self._samples.shape[1],
            codec="array",
            container="array",
        )

    def blocks(self, start: int) -> Iterator[tuple[int, np.ndarray]]:
        rate = self.info.sample_rate
        for at in range(start, len(self._samples), rate):
            yield rate, self.mixer.mix(self._samples[at : at + rate])

    def is_cut_short(self, decoded_s: float) -> bool:
        return False

    def scan_duration_s(self) -> float:
        return len(self._samples) / self.info.sample_rate

    def close(self) -> None:
        pass
