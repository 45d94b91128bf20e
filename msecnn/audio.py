"""Any recording (path, bytes or array) to a mono waveform at one sample rate, saying what was done on the way.

PyAV (FFmpeg) decodes, soxr resamples at its HQ quality. Everything streams: a block of about a second is in memory
at a time, and a part of a long file is reached by seeking. No bytes reach FFmpeg but those of the one file asked for.
"""

import logging
import math
import os
import stat
import struct
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from io import BytesIO
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Literal

import av
import numpy as np
import soxr
from av.stream import Discard

from msecnn.errors import MsecnnError

logger = logging.getLogger(__name__)

Source = str | Path | bytes | np.ndarray

SAMPLE_RATE = 12_000  # Hz; what both networks hear (facts: Choi et al. 2016)
SAMPLE_RATES = (1_000, 768_000)  # Hz; beyond these a header is wrong rather than unusual
MAX_CHANNELS = 64
MAX_LOADED_S = 4 * 3600.0  # `load` keeps the waveform in memory; longer recordings are for `AudioStream`
MAX_DECLARED_S = 1e7  # a header that declares more than 115 days is not believed
PREROLL_S = 1.0  # decoded and dropped before a window, so that codecs with memory (MP3, AAC, Opus) have settled
FILTER_S = 0.1  # resampled and dropped before a window; soxr HQ's filter is far shorter at every rate above
SHORTFALL_S = 0.1  # a file that ends this much before its header says is called cut short
SILENCE = 1e-4  # peak, full scale 1 (-80 dB)
LOUD = 8.0  # peak; float files that were never scaled to 1 reach thousands
ABSURD = 2.0**33  # peak; more than 32-bit integers stored as floats can reach, so it is no sound

# Only demuxers of one self-contained file: no playlists, no images, nothing that opens a second file or an address.
DEMUXERS = "aac,aiff,asf,au,avi,caf,flac,matroska,webm,mov,mp4,m4a,mp3,ogg,w64,wav,wv"
MAGIC = {
    b"RIFF": "WAV",
    b"OggS": "Ogg",
    b"fLaC": "FLAC",
    b"ID3": "MP3",
    b"\x1aE\xdf\xa3": "WebM",
    b"FORM": "AIFF",
}


class AudioError(MsecnnError):
    """A recording that cannot be used; the message is one readable sentence."""


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


@dataclass(frozen=True)
class Recording:
    """A mono waveform and where it comes from.

    Attributes:
        waveform: `(T,)` float32, full scale 1.
        sample_rate: Hz, of `waveform`.
        source_sample_rate: Hz, of the source.
        source_channels: Number of channels of the source.
        duration_s: Seconds of the whole source.
        start_s: Where `waveform` begins in the source.
        notes: Sentences on what was done (resampled, mixed) and what a listener should know (cut short, silent).
        name: File name for display; never a path.
    """

    waveform: np.ndarray
    sample_rate: int
    source_sample_rate: int
    source_channels: int
    duration_s: float
    start_s: float
    notes: tuple[str, ...]
    name: str

    def to_json(self) -> dict[str, Any]:
        """Plain values, without the waveform."""
        return {key: value for key, value in vars(self).items() if key != "waveform"} | {"notes": list(self.notes)}


def probe(source: Source, *, source_sample_rate: int | None = None) -> AudioInfo:
    """Read a recording's header only.

    Raises:
        AudioError: The source is not a readable recording.
    """
    with AudioStream(source, source_sample_rate=source_sample_rate) as stream:
        return stream.info


def load(
    source: Source,
    *,
    sample_rate: int = SAMPLE_RATE,
    source_sample_rate: int | None = None,
    start_s: float = 0.0,
    duration_s: float | None = None,
) -> Recording:
    """Load a recording, or a part of it, as a mono waveform.

    A part holds the same samples as the same stretch of the whole (to float32 rounding), as far as the container's time
    stamps permit: exactly for all but Matroska/WebM with codecs other than Opus, whose stamps are whole milliseconds.

    Args:
        source: Path, bytes of a file, or array `(T,)`, `(channels, T)` or `(T, channels)`.
        sample_rate: Of the result, Hz.
        source_sample_rate: Hz; needed for arrays, and only for them.
        start_s: Where to begin, seconds.
        duration_s: How much to read, seconds; None reads to the end.

    Raises:
        AudioError: The source is not a readable recording, or would need more than `MAX_LOADED_S` in memory.
    """
    with AudioStream(
        source,
        sample_rate=sample_rate,
        source_sample_rate=source_sample_rate,
        start_s=start_s,
        duration_s=duration_s,
    ) as stream:
        blocks, n_samples = [], 0
        for block in stream:
            blocks.append(block)
            n_samples += len(block)
            if n_samples > MAX_LOADED_S * sample_rate:
                raise AudioError(
                    f"“{stream.name}” is longer than {MAX_LOADED_S / 3600:g} hours: load a part of it, or stream it."
                )
        return Recording(
            waveform=np.concatenate(blocks),
            sample_rate=sample_rate,
            source_sample_rate=stream.info.sample_rate,
            source_channels=stream.info.channels,
            duration_s=stream.measured_duration_s(),
            start_s=stream.start_s,
            notes=stream.notes,
            name=stream.name,
        )


class AudioStream:
    """A recording as a sequence of mono float32 blocks `(T_i,)` at one sample rate, in bounded memory.

    Use it as a context manager and iterate once::

        with AudioStream("song.mp3", start_s=60, duration_s=29.12) as stream:
            for block in stream:
                ...
        print(stream.notes)

    Args: see `load`.

    Attributes:
        info: What the header says.
        name: File name for display.
        start_s: Where the first block begins, rounded to a sample of the result.

    Raises:
        AudioError: On opening or while iterating, whatever makes the source unusable.
    """

    def __init__(
        self,
        source: Source,
        *,
        sample_rate: int = SAMPLE_RATE,
        source_sample_rate: int | None = None,
        start_s: float = 0.0,
        duration_s: float | None = None,
    ) -> None:
        _check_rate("asked-for", sample_rate)
        if not (math.isfinite(start_s) and start_s >= 0):
            raise AudioError(f"The start must be a time in seconds, zero or more, not {start_s}.")
        if duration_s is not None and not (math.isfinite(duration_s) and duration_s > 0):
            raise AudioError(f"The duration must be a positive number of seconds, not {duration_s}.")
        self.sample_rate = sample_rate
        self._first = round(start_s * sample_rate)  # first sample of the result, on the result's own grid
        self._n_wanted = None if duration_s is None else max(1, round(duration_s * sample_rate))
        self.start_s = self._first / sample_rate
        self._n_samples = 0
        self._peak = 0.0
        self._at_end = False
        self._decoder: _Decoder | _ArrayReader
        if isinstance(source, np.ndarray):
            self._decoder = _ArrayReader(source, source_sample_rate)
        else:
            if source_sample_rate is not None:
                raise AudioError("A file states its own sample rate: give `source_sample_rate` for arrays only.")
            self._decoder = _Decoder(source)
        self.info = self._decoder.info
        self.name = self._decoder.name

    def __enter__(self) -> "AudioStream":
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; safe to call twice."""
        self._decoder.close()

    def __iter__(self) -> Iterator[np.ndarray]:
        if self.info.duration_s is None or self._decoder.is_estimate or self.start_s < self.info.duration_s:
            for block in self._resampled():
                if self._n_wanted is not None:
                    block = block[: self._n_wanted - self._n_samples]
                if len(block):
                    self._inspect(block)
                    self._n_samples += len(block)
                    yield block
                if self._n_samples == self._n_wanted:
                    break
            else:
                self._at_end = True
        if self._n_samples == 0:
            raise AudioError(self._nothing())

    def _resampled(self) -> Iterator[np.ndarray]:
        """Blocks from the wanted start on, at the wanted rate.

        Every `source_rate / g` samples of the source fall on a sample of the result (`g` their greatest common
        divisor). Starting the resampler at such a point makes a part equal to the same stretch of the whole.
        """
        rate = self.info.sample_rate
        g = math.gcd(rate, self.sample_rate)
        n_aligned = max(0, self._first - round(FILTER_S * self.sample_rate)) * g // self.sample_rate
        skip = self._first - n_aligned * (self.sample_rate // g)
        resampler = None
        for block_rate, block in self._decoder.blocks(n_aligned * (rate // g)):
            if resampler is None or block_rate != rate:  # a chained stream may change its rate half-way
                if resampler is not None:
                    yield resampler.resample_chunk(np.empty(0, np.float32), last=True)
                rate = block_rate
                resampler = soxr.ResampleStream(rate, self.sample_rate, 1, dtype="float32", quality="HQ")
            if rate != self.sample_rate:
                block = resampler.resample_chunk(block)
            cut = min(skip, len(block))
            skip -= cut
            yield block[cut:]
        if resampler is not None and rate != self.sample_rate:
            yield resampler.resample_chunk(np.empty(0, np.float32), last=True)[skip:]

    def _inspect(self, block: np.ndarray) -> None:
        peak = float(np.abs(block).max())
        if not math.isfinite(peak):
            at_s = self.start_s + self._n_samples / self.sample_rate
            raise AudioError(f"“{self.name}” has samples that are not numbers (NaN or infinite) near {at_s:.1f} s.")
        if peak > ABSURD:
            raise AudioError(f"“{self.name}” has samples of {peak:.0e} (full scale is 1), so it is no sound recording.")
        self._peak = max(self._peak, peak)

    def _nothing(self) -> str:
        if self._first:
            length = f" ({self.info.duration_s:.1f} s)" if self.info.duration_s else ""
            return f"The start at {self.start_s:.1f} s lies after the end of “{self.name}”{length}."
        if self._decoder.n_damaged:
            return f"“{self.name}” is damaged: none of its sound could be decoded."
        return f"“{self.name}” holds no samples."

    def measured_duration_s(self) -> float:
        """Seconds of the whole source: as decoded where the end was reached, else as its header or its packets say."""
        if self._at_end:
            return self.start_s + self._n_samples / self.sample_rate
        if self.info.duration_s is None or self._decoder.is_estimate:
            return self._decoder.scan_duration_s()
        return self.info.duration_s

    @property
    def notes(self) -> tuple[str, ...]:
        """What was done and what to know, one sentence each; complete once the stream is exhausted."""
        info, notes = self.info, []
        if info.sample_rate != self.sample_rate:
            notes.append(f"Resampled from {info.sample_rate:,} Hz to {self.sample_rate:,} Hz.")
        if info.channels > 1:
            notes.append(f"Mixed {info.channels} channels to one.")
        read_s = self._n_samples / self.sample_rate
        if self._first or (self._n_samples and not self._at_end):
            notes.append(f"Only the part from {self.start_s:.1f} s to {self.start_s + read_s:.1f} s was read.")
        if self._at_end and self._decoder.is_cut_short(self.start_s + read_s):
            notes.append(f"The file is cut short or damaged: the first {self.start_s + read_s:.1f} s could be decoded.")
        if self._decoder.n_damaged:
            notes.append(f"Damaged places in the file were passed over ({self._decoder.n_damaged:,} packets).")
        if self._n_samples and self._peak < SILENCE:
            notes.append("The recording is silent (peak below −80 dB), so its tags mean nothing.")
        if self._peak > LOUD:
            notes.append(f"The samples reach {self._peak:,.0f} times full scale, so the tags may mean little.")
        return tuple(notes)


class _ArrayReader:
    """The decoder's place taken by an array."""

    name = "array"
    is_estimate = False
    n_damaged = 0

    def __init__(self, array: np.ndarray, sample_rate: int | None) -> None:
        if sample_rate is None:
            raise AudioError("An array needs its sample rate (`source_sample_rate`, Hz).")
        _check_rate("array's", sample_rate)
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


class _Decoder:
    """One file's first audio stream, decoded by FFmpeg."""

    def __init__(self, source: str | Path | bytes) -> None:
        self.name, raw = _open(source)
        self.n_damaged = 0
        self._broken = False
        self._file = _Window(raw)
        self._start = self._file.peek(4096)
        try:
            self._container, self._stream = self._open_container()
            self.info, self.is_estimate = self._read_info()
        except BaseException:
            raw.close()
            raise

    def _open_container(self) -> tuple[Any, Any]:
        self._file.seek(0)
        options = {"format_whitelist": DEMUXERS, "protocol_whitelist": "none", "enable_drefs": "0"}
        try:
            container = av.open(self._file, container_options=options, metadata_errors="replace")
        except (av.FFmpegError, ValueError, OverflowError, MemoryError) as error:
            logger.debug("cannot open %s: %s", self.name, error)
            raise AudioError(self._not_audio()) from error
        if not container.streams.audio:
            container.close()
            raise AudioError(f"“{self.name}” has no sound in it.")
        stream = container.streams.audio[0]
        for other in container.streams:
            if other.index != stream.index:
                other.discard = Discard.all
        return container, stream

    def _not_audio(self) -> str:
        kind = next((kind for magic, kind in MAGIC.items() if self._start.startswith(magic)), None)
        if self._start[4:8] == b"ftyp":
            kind = "M4A or MP4"
        if kind:
            return f"“{self.name}” begins like {kind}, but is damaged or cut too short to be read."
        return f"“{self.name}” is not a recording in a format that can be read."

    def _read_info(self) -> tuple[AudioInfo, bool]:
        codec = self._stream.codec_context
        if codec is None or codec.codec_tag in ("enca", "drms", "aavd"):
            raise AudioError(f"“{self.name}” is encrypted or in an unknown codec, so it cannot be decoded.")
        if not SAMPLE_RATES[0] <= codec.sample_rate <= SAMPLE_RATES[1] or not 1 <= codec.channels <= MAX_CHANNELS:
            raise AudioError(
                f"“{self.name}” claims {codec.channels} channels at {codec.sample_rate:,} Hz, which cannot be read."
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
        if self.info.container == "ogg":
            return not self._file.ends_ogg()
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


def _open(source: str | Path | bytes) -> tuple[str, BinaryIO]:
    """Display name and open file; only regular files, so that a pipe or a device cannot hang or flood us."""
    if isinstance(source, bytes):
        if not source:
            raise AudioError("The recording is empty (0 bytes).")
        return "recording", BytesIO(source)
    if not isinstance(source, (str, Path)):
        raise AudioError(f"A recording is a path, bytes or a numpy array, not {type(source).__name__}.")
    name = _printable(Path(source).name or str(source))
    try:
        mode = os.stat(source).st_mode
        if stat.S_ISDIR(mode):
            raise AudioError(f"“{name}” is a folder, not a recording.")
        if not stat.S_ISREG(mode):
            raise AudioError(f"“{name}” is not a regular file.")
        file = open(source, "rb")  # noqa: SIM115 closed by the decoder
    except PermissionError as error:
        raise AudioError(f"“{name}” may not be read (permission denied).") from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise AudioError(f"There is no file “{name}”.") from error
    if os.fstat(file.fileno()).st_size == 0:
        file.close()
        raise AudioError(f"“{name}” is empty (0 bytes).")
    return name, file


def _printable(name: str) -> str:
    """A file name that is safe inside one line of text."""
    name = "".join(c if c.isprintable() else "�" for c in name)
    return name if len(name) <= 80 else f"{name[:50]}…{name[-20:]}"


class _Window:
    """A file as FFmpeg sees it: without its name (only content decides the format) and without leading ID3 tags.

    ID3v2 tags can hold megabytes of pictures, which FFmpeg would read, unpack and take for the file's format.
    """

    def __init__(self, raw: BinaryIO) -> None:
        self._raw = raw
        self._size = raw.seek(0, os.SEEK_END)
        self._offset = 0
        while (length := self._id3_length()) and self._offset + length < self._size:
            self._offset += length

    def _id3_length(self) -> int:
        self._raw.seek(self._offset)
        head = self._raw.read(10)
        if len(head) < 10 or head[:3] != b"ID3" or max(head[6:10]) > 127:
            return 0
        size = head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]
        return 10 + size + (10 if head[5] & 0x10 else 0)

    def read(self, n: int = -1) -> bytes:
        return self._raw.read(n)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        if whence == os.SEEK_SET:
            offset += self._offset
        return self._raw.seek(offset, whence) - self._offset

    def tell(self) -> int:
        return self._raw.tell() - self._offset

    def seekable(self) -> bool:
        return True

    def peek(self, n: int) -> bytes:
        self.seek(0)
        return self._raw.read(n)

    def ends_ogg(self) -> bool:
        """Whether the last Ogg page is whole and carries the end-of-stream flag (RFC 3533)."""
        self._raw.seek(max(0, self._size - 65_307))  # the largest page
        tail = self._raw.read()
        at = tail.rfind(b"OggS")
        if at < 0 or len(tail) < at + 27 or not tail[at + 5] & 4:
            return False
        lengths = tail[at + 27 : at + 27 + tail[at + 26]]
        return len(tail) >= at + 27 + tail[at + 26] + sum(lengths)

    def close(self) -> None:
        self._raw.close()


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
    samples = frame.to_ndarray()
    if frame.format.is_planar:
        return _mix(samples.T)
    return _mix(samples.reshape(-1, frame.layout.nb_channels))


def _mix(samples: np.ndarray) -> np.ndarray:
    """`(T, channels)` of any real type to their mean, `(T,)` float32 with full scale 1."""
    is_single = samples.dtype.itemsize <= 2 or samples.dtype == np.float32
    mono: Any = np.zeros(len(samples), np.float32 if is_single else np.float64)
    for channel in samples.T:
        mono += channel
    mono /= samples.shape[1]
    if samples.dtype.kind != "f":
        full_scale = 2.0 ** (8 * samples.dtype.itemsize - 1)
        mono = (mono - full_scale if samples.dtype.kind == "u" else mono) / full_scale
    return mono.astype(np.float32, copy=False)


def _check_rate(whose: str, sample_rate: int) -> None:
    low, high = SAMPLE_RATES
    if not low <= sample_rate <= high or sample_rate != int(sample_rate):
        raise AudioError(
            f"The {whose} sample rate must be a whole number of {low:,} to {high:,} Hz, not {sample_rate}."
        )


def write_wav(
    path: str | Path,
    waveform: np.ndarray,
    sample_rate: int,
    *,
    encoding: Literal["pcm16", "float32"] = "pcm16",
) -> None:
    """Write a mono waveform `(T,)` as a WAV file, whole or not at all; 16-bit samples are clipped to full scale."""
    if encoding == "pcm16":
        data = np.round(np.clip(waveform, -1, 1) * 32767).astype("<i2").tobytes()
        code, n_bytes = 1, 2
    else:
        data = np.asarray(waveform, "<f4").tobytes()
        code, n_bytes = 3, 4
    layout = struct.pack("<4sIHHIIHH", b"fmt ", 16, code, 1, sample_rate, sample_rate * n_bytes, n_bytes, 8 * n_bytes)
    body = b"WAVE" + layout + struct.pack("<4sI", b"data", len(data)) + data
    path = Path(path)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(struct.pack("<4sI", b"RIFF", len(body)) + body)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
