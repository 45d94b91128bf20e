"""A waveform encoded at a low bit rate, and decoded again: what a codec leaves of it, at the same place."""

import io
from typing import Any

import av
import numpy as np

from msecnn.audio.recording import read_recording
from msecnn.audio.source import AudioError

#: Encoder and container of each codec, and the sample rates (Hz) that it takes.
CODECS = {
    "mp3": ("libmp3lame", "mp3", (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)),
    "opus": ("libopus", "ogg", (8_000, 12_000, 16_000, 24_000, 48_000)),
}
BLOCK = 1 << 16  # samples given to the encoder at once


def coded(waveform: np.ndarray, sample_rate: int, *, codec: str, kbit_s: float) -> np.ndarray:
    """A waveform `(T,)` through an encoder and its decoder, as long as before and aligned with it.

    Raises:
        AudioError: the codec takes no such sample rate.
    """
    content = encoded(waveform, sample_rate, codec=codec, kbit_s=kbit_s)
    decoded = read_recording(content, sample_rate=sample_rate).waveform[: len(waveform)]
    return np.pad(decoded, (0, len(waveform) - len(decoded)))


def encoded(waveform: np.ndarray, sample_rate: int, *, codec: str, kbit_s: float) -> bytes:
    """A mono waveform `(T,)` as the content of a file.

    Raises:
        AudioError: the codec takes no such sample rate.
    """
    encoder, container, rates = CODECS[codec]
    if sample_rate not in rates:
        raise AudioError(f"{codec} takes sample rates of {', '.join(f'{rate:,}' for rate in rates)} Hz.")
    file = io.BytesIO()
    with av.open(file, "w", format=container) as output:
        stream: Any = output.add_stream(encoder, rate=sample_rate, layout="mono")
        stream.bit_rate = round(1000 * kbit_s)
        for start in range(0, len(waveform), BLOCK):
            samples = np.ascontiguousarray(waveform[None, start : start + BLOCK], dtype=np.float32)
            frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
            frame.sample_rate, frame.pts = sample_rate, start
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return file.getvalue()
