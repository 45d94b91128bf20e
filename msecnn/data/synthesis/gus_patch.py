"""Gravis Ultrasound patches (`.pat`), of which freepats is made: read, and played at a pitch.

A patch is a header of 239 bytes (file 129, instrument 63, layer 47) and then samples, each with a header of 96 bytes:
sizes and loop in bytes, rate in Hz, frequencies in thousandths of a Hz, all little-endian.
"""

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from msecnn.data.synthesis.piece import SAMPLE_RATE
from msecnn.errors import DatasetError

_HEADER_BYTES = 239
_N_SAMPLES_AT = 198  # in the layer's header
_SAMPLE = struct.Struct("<7sBIIIHIIIhB18sBhH36s")
_IS_16_BIT, _IS_UNSIGNED, _IS_LOOPED = 1, 2, 4
RELEASE_S = 0.12
ATTACK_S = 0.004


@dataclass(frozen=True)
class PatchSample:
    """Attributes:
    waveform: (T,) from -1 to 1.
    sample_rate: Hz.
    root_hz: pitch of the recording.
    range_hz: lowest and highest pitch that it serves.
    loop: first and last position of what is repeated while a note is held; None where it dies away.
    """

    waveform: np.ndarray
    sample_rate: int
    root_hz: float
    range_hz: tuple[float, float]
    loop: tuple[float, float] | None


def read_patch(path: Path) -> list[PatchSample]:
    """The samples of a patch.

    Raises:
        DatasetError: it is no patch, or is cut short.
    """
    content = path.read_bytes()
    if not content.startswith(b"GF1PATCH") or len(content) < _HEADER_BYTES:
        raise DatasetError(f"{path} is not a Gravis Ultrasound patch")
    samples, at = [], _HEADER_BYTES
    for _ in range(content[_N_SAMPLES_AT]):
        try:
            fields = _SAMPLE.unpack_from(content, at)
        except struct.error:
            raise DatasetError(f"{path} is cut short") from None
        at += _SAMPLE.size
        samples.append(_sample(fields, content[at : at + fields[2]]))
        at += fields[2]
    return samples


def _sample(fields: tuple, data: bytes) -> PatchSample:
    _, _, _, loop_start, loop_end, rate, low, high, root, _, _, _, modes, *_ = fields
    kind, full_scale = ("<u2", 32_768) if modes & _IS_16_BIT else ("u1", 128)
    numbers = np.frombuffer(data[: len(data) // np.dtype(kind).itemsize * np.dtype(kind).itemsize], kind)
    signed = numbers.astype(np.int64) - full_scale if modes & _IS_UNSIGNED else numbers.view(kind.replace("u", "i"))
    width = np.dtype(kind).itemsize
    loops = bool(modes & _IS_LOOPED) and loop_end > loop_start
    return PatchSample(
        waveform=signed / full_scale,
        sample_rate=rate,
        root_hz=root / 1000,
        range_hz=(low / 1000, high / 1000),
        loop=(loop_start / width, loop_end / width) if loops else None,
    )


def play(samples: list[PatchSample], hz: float | None, duration_s: float) -> np.ndarray:
    """(T,) a note; at its own pitch and length, as drums are, where `hz` is None."""
    if hz is None:
        sample = samples[0]
        n, step = round(len(sample.waveform) / sample.sample_rate * SAMPLE_RATE), sample.sample_rate / SAMPLE_RATE
    else:
        sample = min(samples, key=lambda one: _distance(one, hz))
        n = round((duration_s + RELEASE_S) * SAMPLE_RATE)
        step = hz / max(sample.root_hz, 1e-3) * sample.sample_rate / SAMPLE_RATE
    position = np.arange(n) * step
    if sample.loop and hz is not None:
        start, end = sample.loop
        position = np.where(position < end, position, start + (position - start) % (end - start))
    note = np.interp(position, np.arange(len(sample.waveform)), sample.waveform, right=0.0)
    return note * _envelope(n) if hz is not None else note


def _distance(sample: PatchSample, hz: float) -> float:
    """Octaves from what a sample serves, and a little for the distance from its own pitch."""
    low, high = sample.range_hz
    outside = max(0.0, np.log2(max(low, 1) / hz), np.log2(hz / max(high, 1)))
    return outside + 0.01 * abs(np.log2(max(sample.root_hz, 1) / hz))


def _envelope(n: int) -> np.ndarray:
    attack, release = round(ATTACK_S * SAMPLE_RATE), round(RELEASE_S * SAMPLE_RATE)
    rise = np.minimum(1.0, np.arange(n) / max(attack, 1))
    return rise * np.minimum(1.0, np.arange(n, 0, -1) / release)
