"""AAC without a word on where its frames end: in WAV, and in an MP4 that was cut before its index.

FFmpeg's decoder takes several frames in one packet and stops before one that is not whole. It does not say where, but
how many frames it found; so the end of the last whole one is the shortest packet with as many, found by bisection.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator
from typing import Any

import av

from msecnn.audio.info import AudioInfo
from msecnn.audio.mono import Mixer, mono_blocks
from msecnn.audio.source import ContentView

CHUNK = 16_384  # bytes; a frame has at most 768 for each channel
#: Sample rates of the configurations that are tried, Hz; of those that fit a file equally well the first is taken.
RATES = (44_100, 48_000, 32_000, 22_050, 24_000, 16_000, 8_000)
#: So many whole frames in a row are no accident.
ENOUGH_FRAMES = 10
_RATE_INDEX = {48_000: 3, 44_100: 4, 32_000: 5, 24_000: 6, 22_050: 7, 16_000: 8, 8_000: 11}  # ISO 14496-3, 1.6.3.4
_AAC_LC = 2


def aac_frames(read: Callable[[int], bytes], configuration: bytes) -> Iterator[Any]:
    """Decodes frames that follow each other without any sign between them.

    Args:
        read: gives about so many bytes; none at the end.
        configuration: the AudioSpecificConfig (ISO 14496-3), as containers carry it.
    """
    decoder, waiting = _decoder(configuration), b""
    while True:
        chunk = waiting
        while len(chunk) < CHUNK and (more := read(CHUNK)):
            chunk += more
        n_bytes = whole_frames(chunk, configuration)[1]
        if not n_bytes:
            return
        yield from decoder.decode(av.Packet(chunk[:n_bytes]))
        waiting = chunk[n_bytes:]


def whole_frames(chunk: bytes, configuration: bytes) -> tuple[int, int]:
    """How many whole frames a chunk begins with, and how many bytes they take."""

    def count(n_bytes: int) -> int:
        try:
            return len(_decoder(configuration).decode(av.Packet(chunk[:n_bytes]))) if n_bytes else 0
        except (av.FFmpegError, ValueError):
            return 0

    n_frames = count(len(chunk))
    return n_frames, bisect_left(range(len(chunk)), n_frames, key=count)


def _decoder(configuration: bytes) -> Any:
    decoder = av.CodecContext.create("aac", "r")
    decoder.extradata = configuration
    return decoder


def likely_configuration(start: bytes) -> tuple[bytes, int, int] | None:
    """Configuration, sample rate (Hz) and channels with which a file's sound decodes best; None if with none.

    44,100 and 48,000 Hz have the same tables, and frames do not say which: such a guess must be told. Mono will do for
    any number of channels: the decoder goes up to those that it finds.
    """
    n_frames = {rate: whole_frames(start, configuration_of(rate))[0] for rate in RATES}
    rate = max(RATES, key=lambda rate: n_frames[rate])
    if n_frames[rate] < ENOUGH_FRAMES:
        return None
    frames = _decoder(configuration_of(rate)).decode(av.Packet(start))
    return configuration_of(rate), rate, frames[-1].layout.nb_channels


def configuration_of(sample_rate: int) -> bytes:
    """The AudioSpecificConfig of AAC LC in mono: 5 bits of object type, 4 of rate, 4 of channels."""
    return (_AAC_LC << 11 | _RATE_INDEX[sample_rate] << 7 | 1 << 3).to_bytes(2, "big")


class CutMp4:
    """The sound of an MP4 cut before its index, in the decoder's place: what is there, by a guess that is told."""

    is_estimate = True
    n_damaged = 0

    def __init__(self, name: str, file: ContentView, first: int, found: tuple[bytes, int, int]) -> None:
        self.name, self._file, self._first = name, file, first
        self.mixer = Mixer()
        self._configuration, rate, channels = found
        self.info = AudioInfo(None, rate, channels, "aac", "mov,mp4,m4a,3gp,3g2,mj2")
        self.assumption = (
            f"The file is cut short: its index is missing, so {rate:,} Hz was assumed; pitch and speed may be wrong."
        )

    @classmethod
    def find(cls, name: str, file: ContentView) -> "CutMp4 | None":
        """None where the file is something else, or its sound cannot be told."""
        first = _sound_without_index(file)
        if first is None:
            return None
        file.seek(first)
        configuration = likely_configuration(file.read(CHUNK))
        return cls(name, file, first, configuration) if configuration else None

    def blocks(self, start: int) -> Iterator[tuple[int, Any]]:
        """As `Decoder.blocks`; always from the beginning."""
        self._file.seek(self._first)
        skip = start
        for rate, block in mono_blocks(self._frames(), self.mixer):
            cut = min(skip, len(block))
            skip -= cut
            if cut < len(block):
                yield rate, block[cut:]

    def _frames(self) -> Iterator[Any]:
        for frame in aac_frames(self._file.read, self._configuration):
            self._file.found_sound()
            yield frame

    def is_cut_short(self, decoded_s: float) -> bool:
        return True

    def scan_duration_s(self) -> float:
        return sum(len(block) / rate for rate, block in self.blocks(0))

    def close(self) -> None:
        self._file.close()


def _sound_without_index(file: ContentView) -> int | None:
    """Where the data of an MP4 begin that has no `moov` (ISO 14496-12: a box is its size, its type and its content)."""
    at, first = 0, None
    while len(head := _at(file, at, 16)) >= 8:
        size, kind = int.from_bytes(head[:4], "big"), head[4:8]
        n_head = 16 if size == 1 else 8
        if size == 1:
            size = int.from_bytes(head[8:], "big")
        if kind == b"moov" or (at == 0 and kind != b"ftyp"):
            return None
        if kind == b"mdat":
            first = at + n_head
        if size < n_head:  # 0: up to the end of the file
            break
        at += size
    return first


def _at(file: ContentView, offset: int, n: int) -> bytes:
    file.seek(offset)
    return file.read(n) if file.tell() == offset else b""
