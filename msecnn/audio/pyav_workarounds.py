"""Every work-around for PyAV 18.1, each with what happens without it. What a new PyAV does better can go from here."""

import ctypes
import functools
import logging
import re
from pathlib import Path
from typing import Any

import av
import numpy as np

logger = logging.getLogger(__name__)

#: Bytes that FFmpeg may take in one piece; the packet index of ten hours of AAC takes 37 MB.
MAX_ALLOCATION = 2**26
#: Containers whose boxes name loudspeakers: PyAV frees an unusual layout twice, which ends the process.
NAMES_SPEAKERS = ("mov,mp4,m4a,3gp,3g2,mj2", "caf", "aiff")
#: The names of those boxes. `ContentView` renames them; FFmpeg then takes the usual layout, and a mix needs no other.
LAYOUT_NAMES = re.compile(rb"chan|chnl|CHAN")
#: From so many channels on PyAV reads past the end of a planar frame's list of planes, and crashes.
MISCOUNTED_PLANES = 8


def codec_tag(codec: Any) -> str:
    """A codec's four-character code, or nothing where it is a number, as in AVI, WAV and ASF.

    PyAV decodes it as ASCII: AAC's 0x00FF and FLAC's 0xF1AC raise UnicodeDecodeError.
    """
    try:
        return str(codec.codec_tag)
    except UnicodeDecodeError:
        return ""


def tolerance(version: str) -> dict[str, Any]:
    """What lets `av.open` take titles that are no text: PyAV 18 must be asked; 19 always does and refuses the word."""
    return {"metadata_errors": "replace"} if int(version.partition(".")[0]) < 19 else {}


@functools.cache
def limit_allocations() -> None:
    """Cap FFmpeg's single allocations, or an MP4 of 1 KB that claims 90 million packets would take gigabytes.

    PyAV does not offer `av_max_alloc`, so it is called in the library that PyAV's wheel brings along.
    """
    packages = Path(av.__file__).parents[1]
    found = [*packages.glob("av.libs/*avutil*"), *packages.glob("av/.dylibs/*avutil*")]
    if not found:
        logger.debug("FFmpeg's memory is not capped: libavutil is not where PyAV's wheels keep it")
        return
    av_max_alloc = ctypes.CDLL(str(found[0])).av_max_alloc
    av_max_alloc.argtypes, av_max_alloc.restype = [ctypes.c_size_t], None
    av_max_alloc(MAX_ALLOCATION)


def has_unusual_layout(codec: str, extradata: bytes) -> bool:
    """Whether the codec itself may name an unusual layout of speakers, which PyAV frees twice.

    Opus from channel mapping family 2 on (RFC 8486), and xHE-AAC (audio object type 42 of ISO 14496-3, as 31 + 11).
    """
    if codec in ("opus", "libopus"):
        return len(extradata) > 18 and extradata[18] >= 2
    return codec.startswith("aac") and len(extradata) > 1 and extradata[0] >> 3 == 31 and extradata[1] >> 5 == 2


def samples_of(frame: Any) -> np.ndarray:
    """A frame's samples `(T, channels)`, in their own type.

    PyAV cannot turn 64-bit integers into an array, nor a planar frame of `MISCOUNTED_PLANES`.
    """
    n_channels = frame.layout.nb_channels
    if frame.format.is_planar and n_channels >= MISCOUNTED_PLANES:
        packed = av.AudioResampler(format=frame.format.packed.name, layout=frame.layout)
        (frame,) = packed.resample(frame)
    if frame.format.name == "s64":
        return np.frombuffer(frame.planes[0], np.int64, frame.samples * n_channels).reshape(-1, n_channels)
    samples: np.ndarray = frame.to_ndarray()
    return samples.T if frame.format.is_planar else samples.reshape(-1, n_channels)
