"""Decoding: the first audio stream of one file, or an array, as mono blocks from any sample on."""

import ctypes
import functools
import logging
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.stream import Discard

from msecnn.audio.source import AudioError, ContentView, open_source

logger = logging.getLogger(__name__)

SAMPLE_RATES = (1_000, 768_000)  # Hz; beyond these a header is wrong rather than unusual
MAX_CHANNELS = 64
MISCOUNTED_PLANES = 8  # PyAV 18.1 reads past the end of a frame's list of planes from here on, and crashes
MAX_DECLARED_S = 1e7  # a header that declares more than 115 days is not believed
PREROLL_S = 1.0  # decoded and dropped before a window, so that codecs with memory (MP3, AAC, Opus) have settled
MAX_ALLOCATION = 2**26  # bytes in one piece; the packet index of ten hours of AAC takes 37 MB
SHORTFALL_S = 0.1  # a file that ends this much before its header says is called cut short

# Only demuxers of one self-contained file: no playlists, no images, nothing that opens a second file or an address.
DEMUXERS = "aac,aiff,asf,au,avi,caf,flac,matroska,webm,mov,mp4,m4a,mp3,ogg,w64,wav,wv"
NAMES_SPEAKERS = ("mov,mp4,m4a,3gp,3g2,mj2", "caf", "aiff")  # containers with boxes that `hides_layouts` is about
MAGIC = {
    b"RIFF": "WAV",
    b"OggS": "Ogg",
    b"fLaC": "FLAC",
    b"ID3": "MP3",
    b"\x1aE\xdf\xa3": "WebM",
    b"FORM": "AIFF",
}


@dataclass(frozen=True)
class AudioInfo:
    """What a recording's header says, before anything is decoded.

    Attributes:
        duration_s: Seconds; None where the header does not say (live recordings). An estimate for MP3 without a
            Xing header and for raw AAC.
        sample_rate: Hz.
        channels: Number of channels.
        codec: FFmpeg's name of the codec, such as "mp3", "pcm_s16le"; "array" for arrays.
        container: FFmpeg's name of the container, such as "ogg"; "array" for arrays.
    """

    duration_s: float | None
    sample_rate: int
    channels: int
    codec: str
    container: str

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


class ArrayReader:
    """The decoder's place taken by an array."""

    name = "array"
    is_estimate = False
    n_damaged = 0

    def __init__(self, array: np.ndarray, sample_rate: int | None) -> None:
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
            yield rate, _mix(self._samples[at : at + rate])

    def is_cut_short(self, decoded_s: float) -> bool:
        return False

    def scan_duration_s(self) -> float:
        return len(self._samples) / self.info.sample_rate

    def close(self) -> None:
        pass


class Decoder:
    """One file's first audio stream, decoded by FFmpeg."""

    def __init__(self, source: str | Path | bytes) -> None:
        self.name, raw = open_source(source)
        self.n_damaged = 0
        self._broken = False
        self._file = ContentView(raw)
        self._start = self._file.peek(4096)
        try:
            self._container, self._stream = self._open_container()
            self.info, self.is_estimate = self._read_info()
        except BaseException:
            raw.close()
            raise

    def _open_container(self) -> tuple[Any, Any]:
        container = self._open_view()
        if container.format.name in NAMES_SPEAKERS and not self._file.hides_layouts:
            container.close()
            self._file.hides_layouts = True
            container = self._open_view()
        if not container.streams.audio:
            container.close()
            raise AudioError(f"“{self.name}” has no sound in it.")
        stream = container.streams.audio[0]
        for other in container.streams:
            if other.index != stream.index:
                other.discard = Discard.all
        return container, stream

    def _open_view(self) -> Any:
        _limit_allocations()
        self._file.seek(0)
        options = {"format_whitelist": DEMUXERS, "protocol_whitelist": "none"}
        try:
            return av.open(self._file, container_options=options, **_tolerance(av.__version__))
        except (av.FFmpegError, ValueError, OverflowError, MemoryError) as error:
            logger.debug("cannot open %s: %s", self.name, error)
            raise AudioError(self._not_audio()) from error

    def _not_audio(self) -> str:
        kind = next((kind for magic, kind in MAGIC.items() if self._start.startswith(magic)), None)
        if self._start[4:8] == b"ftyp":
            kind = "M4A or MP4"
        if kind:
            return f"“{self.name}” begins like {kind}, but is damaged or cut too short to be read."
        return f"“{self.name}” is not a recording in a format that can be read."

    def _encrypted(self) -> str:
        return f"“{self.name}” is encrypted (DRM) or in an unknown codec, so it cannot be decoded."

    def _read_info(self) -> tuple[AudioInfo, bool]:
        codec = self._stream.codec_context
        if codec is None or codec.codec_tag in ("enca", "drms", "aavd"):
            raise AudioError(self._encrypted())
        if _has_unusual_layout(codec.name, codec.extradata or b""):
            raise AudioError(f"“{self.name}” is made for an unusual set of loudspeakers, which cannot be read.")
        if not SAMPLE_RATES[0] <= codec.sample_rate <= SAMPLE_RATES[1] or not 1 <= codec.channels <= MAX_CHANNELS:
            raise AudioError(
                f"“{self.name}” is damaged: it claims {codec.channels} channels at {codec.sample_rate:,} Hz."
            )
        container = self._container.format.name
        if self._stream.duration is not None:
            duration_s = float(self._stream.duration * self._stream.time_base)
        else:
            duration_s = (self._container.duration or 0) / av.time_base
        has_xing = any(tag in self._start for tag in (b"Xing", b"Info", b"VBRI"))
        is_estimate = container == "aac" or (container == "mp3" and not has_xing)
        info = AudioInfo(
            duration_s=duration_s if 0 < duration_s < MAX_DECLARED_S else None,
            sample_rate=codec.sample_rate,
            channels=codec.channels,
            codec=codec.name,
            container=container,
        )
        return info, is_estimate

    def _frames(self) -> Iterator[Any]:
        """Decoded frames in order; damaged packets are counted and passed over."""
        try:
            for packet in self._container.demux(self._stream):
                if packet.has_sidedata("encryption_info"):
                    raise AudioError(self._encrypted())
                try:
                    frames = packet.decode()
                except av.FFmpegError:
                    self.n_damaged += 1
                else:
                    yield from frames
        except av.FFmpegError as error:
            logger.debug("%s cannot be read further: %s", self.name, error)
            self._broken = True

    def blocks(self, start: int) -> Iterator[tuple[int, np.ndarray]]:
        """`(sample rate, mono block)` of about a second each, from sample `start` of the source on."""
        frames, skip = self._frames(), start
        if start > 2 * PREROLL_S * self.info.sample_rate:
            frames, skip = self._seek(start) or self._from_beginning(start)
        for rate, block in _mono_blocks(frames):
            cut = min(skip, len(block))
            skip -= cut
            if cut < len(block):
                yield rate, block[cut:]

    def _seek(self, start: int) -> tuple[Iterator[Any], int] | None:
        """Frames from the one that holds sample `start` on, and where in it `start` lies; None if seeking fails.

        Time zero is the first frame of a full decode (after encoder delay), so that is decoded first.
        """
        rate, time_base = self.info.sample_rate, self._stream.time_base
        first = next(self._frames(), None)
        if first is None or first.pts is None:
            return None
        try:
            self._container.seek(int(first.pts + (start / rate - PREROLL_S) / time_base), stream=self._stream)
        except av.FFmpegError:
            return None
        frames = self._frames()
        for n, frame in enumerate(frames):
            if frame.pts is None:
                return None
            position = round((frame.pts - first.pts) * time_base * rate)
            if time_base * rate > 1 and self.info.codec != "vorbis":  # Matroska's milliseconds; frames of one size
                position = first.samples + frame.samples * round((position - first.samples) / frame.samples)
            if position > start or (n == 0 and position + PREROLL_S / 2 * rate > start):
                return None
            if position + frame.samples > start:
                return chain([frame], frames), start - position
        return None

    def _from_beginning(self, start: int) -> tuple[Iterator[Any], int]:
        self._container.close()
        self._container, self._stream = self._open_container()
        self.n_damaged = 0
        return self._frames(), start

    def is_cut_short(self, decoded_s: float) -> bool:
        """Whether the file ends before it should, `decoded_s` being all that could be decoded."""
        if self._broken:
            return True
        if not self._file.is_whole():
            return True
        if self.info.duration_s is None or self.is_estimate or len(self._container.streams) > 1:
            return False
        return decoded_s < self.info.duration_s - SHORTFALL_S

    def scan_duration_s(self) -> float:
        """Seconds of the whole file by its packets, without decoding them."""
        self._from_beginning(0)
        ends = [p.pts + (p.duration or 0) for p in self._container.demux(self._stream) if p.pts is not None]
        return float(max(ends, default=0) * self._stream.time_base)

    def close(self) -> None:
        self._container.close()
        self._file.close()


def _tolerance(version: str) -> dict[str, Any]:
    """What lets `av.open` take titles that are no text: PyAV 18 must be asked; 19 always does and refuses the word."""
    return {"metadata_errors": "replace"} if int(version.partition(".")[0]) < 19 else {}


@functools.cache
def _limit_allocations() -> None:
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


def _has_unusual_layout(codec: str, extradata: bytes) -> bool:
    """Whether the codec itself may name an unusual layout of speakers, which PyAV 18.1 frees twice.

    Opus from channel mapping family 2 on (RFC 8486), and xHE-AAC (audio object type 42 of ISO 14496-3, as 31 + 11).
    """
    if codec in ("opus", "libopus"):
        return len(extradata) > 18 and extradata[18] >= 2
    return codec.startswith("aac") and len(extradata) > 1 and extradata[0] >> 3 == 31 and extradata[1] >> 5 == 2


def _mono_blocks(frames: Iterator[Any]) -> Iterator[tuple[int, np.ndarray]]:
    """Frames of a few ms gathered to blocks of about a second, each mixed to mono float32 `(T_i,)`."""
    fifo, layout, rate = av.AudioFifo(), None, 0
    for frame in frames:
        if layout != (frame.format.name, frame.layout.nb_channels, frame.sample_rate):
            if fifo.samples:
                yield rate, _mono(fifo.read())
            fifo, rate = av.AudioFifo(), frame.sample_rate
            layout = (frame.format.name, frame.layout.nb_channels, rate)
        frame.pts = None  # the fifo would insist on gapless time stamps
        fifo.write(frame)
        if fifo.samples >= rate:
            yield rate, _mono(fifo.read())
    if fifo.samples:
        yield rate, _mono(fifo.read())


def _mono(frame: Any) -> np.ndarray:
    """A frame of any sample format to mono float32 `(T,)`."""
    n_channels = frame.layout.nb_channels
    if frame.format.is_planar and n_channels >= MISCOUNTED_PLANES:
        packed = av.AudioResampler(format=frame.format.packed.name, layout=frame.layout)
        (frame,) = packed.resample(frame)
    if frame.format.name == "s64":  # which PyAV cannot turn into an array
        return _mix(np.frombuffer(frame.planes[0], np.int64, frame.samples * n_channels).reshape(-1, n_channels))
    samples = frame.to_ndarray()
    return _mix(samples.T if frame.format.is_planar else samples.reshape(-1, n_channels))


def _mix(samples: np.ndarray) -> np.ndarray:
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


def check_rate(whose: str, sample_rate: int) -> None:
    low, high = SAMPLE_RATES
    if not low <= sample_rate <= high or sample_rate != int(sample_rate):
        raise AudioError(
            f"The {whose} sample rate must be a whole number of {low:,} to {high:,} Hz, not {sample_rate}."
        )
