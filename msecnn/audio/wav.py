"""Waveforms as WAV files."""

import struct
from pathlib import Path
from typing import Literal

import numpy as np

from msecnn.files import write_atomically


def write_wav(
    path: str | Path,
    waveform: np.ndarray,
    sample_rate: int,
    *,
    encoding: Literal["pcm16", "float32"] = "pcm16",
) -> None:
    """Write a mono waveform `(T,)` as a WAV file, whole or not at all; 16-bit samples are clipped to full scale."""
    write_atomically(path, wav_bytes(waveform, sample_rate, encoding=encoding))


def wav_bytes(waveform: np.ndarray, sample_rate: int, *, encoding: Literal["pcm16", "float32"] = "pcm16") -> bytes:
    """A mono waveform `(T,)` as the content of a WAV file."""
    if encoding == "pcm16":
        data = np.clip(np.round(np.asarray(waveform, np.float64) * 32_768), -32_768, 32_767).astype("<i2").tobytes()
        code, n_bytes = 1, 2
    else:
        data = np.asarray(waveform, "<f4").tobytes()
        code, n_bytes = 3, 4
    layout = struct.pack("<4sIHHIIHH", b"fmt ", 16, code, 1, sample_rate, sample_rate * n_bytes, n_bytes, 8 * n_bytes)
    body = b"WAVE" + layout + struct.pack("<4sI", b"data", len(data)) + data
    return struct.pack("<4sI", b"RIFF", len(body)) + body
