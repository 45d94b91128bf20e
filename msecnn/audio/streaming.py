"""A sound that arrives in pieces, at another sample rate."""

import numpy as np
import soxr

from msecnn.audio.info import check_rate


class StreamResampler:
    """soxr at its HQ quality, as recordings are resampled; some 50 ms of the sound stay in its filter.

    Args:
        source_rate, sample_rate: Hz before and after.

    Raises:
        AudioError: the former is none.
    """

    def __init__(self, source_rate: int, sample_rate: int) -> None:
        check_rate("stream's", source_rate)
        self._stream = None
        if source_rate != sample_rate:
            self._stream = soxr.ResampleStream(source_rate, sample_rate, 1, dtype="float32", quality="HQ")

    def add(self, samples: np.ndarray) -> np.ndarray:
        """More of the sound (T,), float32; what of it is there by now, (T',)."""
        resampled: np.ndarray = samples if self._stream is None else self._stream.resample_chunk(samples)
        return resampled
