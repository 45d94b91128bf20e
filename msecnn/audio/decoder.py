"""Decoding: the first audio stream of one file as mono blocks from any sample on."""

import logging
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.stream import Discard

from msecnn.audio.codecs import DECODERS, DEMUXERS, kind_of
from msecnn.audio.info import MAX_CHANNELS, SAMPLE_RATES, AudioInfo
from msecnn.audio.mono import Mixer, mono_blocks
from msecnn.audio.pyav_workarounds import NAMES_SPEAKERS, codec_tag, has_unusual_layout, limit_allocations, tolerance
from msecnn.audio.raw_aac import CutMp4, aac_frames
from msecnn.audio.source import AudioError, ContentView, open_source
from msecnn.files import printable

logger = logging.getLogger(__name__)

MAX_DECLARED_S = 1e7  # a header that declares more than 115 days is not believed
PREROLL_S = 1.0  # decoded and dropped before a window, so that codecs with memory (MP3, AAC, Opus) have settled
SHORTFALL_S = 0.1  # a file that ends this much before its header says is called cut short


def open_decoder(source: str | Path | bytes) -> "Decoder | CutMp4":
    """A file's decoder.

    Raises:
        AudioError: it is no recording that can be read.
    """
    name, raw = open_source(source)
    file = ContentView(raw)
    try:
        try:
            return Decoder(name, file)
        except AudioError:
            if cut := CutMp4.find(name, file):
                return cut
            raise
    except BaseException:
        raw.close()
        raise


class Decoder:
    """One file's first audio stream, decoded by FFmpeg."""

    assumption: str | None = None

    def __init__(self, name: str, file: ContentView) -> None:
        self.name, self._file = name, file
        self.mixer = Mixer()
        self.n_damaged = 0
        self._broken = False
        self._start = self._file.peek(4096)
        try:
            self._container, self._stream = self._open_container()
            self.info, self.is_estimate = self._read_info()
        except (av.FFmpegError, ValueError, OverflowError, MemoryError) as error:
            logger.debug("cannot read the header of %s: %s", self.name, error)
            raise AudioError(self._not_audio()) from error

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
        limit_allocations()
        self._file.seek(0)
        options = {
            "format_whitelist": DEMUXERS,
            "protocol_whitelist": "none",
            "codec_whitelist": ",".join(DECODERS),
        }
        container = av.open(self._file, container_options=options, **tolerance(av.__version__))
        self._file.found_sound()
        return container

    def _not_audio(self) -> str:
        if kind := kind_of(self._start):
            return f"“{self.name}” begins like {kind}, but is damaged or cut too short to be read."
        return f"“{self.name}” is not a recording in a format that can be read."

    def _encrypted(self) -> str:
        return f"“{self.name}” is encrypted (DRM) or in an unknown codec, so it cannot be decoded."

    def _read_info(self) -> tuple[AudioInfo, bool]:
        codec = self._stream.codec_context
        if codec is None or codec_tag(codec) in ("enca", "drms", "aavd"):
            raise AudioError(self._encrypted())
        if codec.name not in DECODERS:
            raise AudioError(f"“{self.name}” is in the codec “{printable(codec.name)}”, which is not read.")
        if has_unusual_layout(codec.name, codec.extradata or b""):
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
            if self.info.codec == "aac" and self.info.container in ("wav", "w64"):  # which do not tell frames apart
                yield from self._raw_aac_frames()
                return
            for packet in self._container.demux(self._stream):
                if packet.has_sidedata("encryption_info"):
                    raise AudioError(self._encrypted())
                try:
                    frames = packet.decode()
                except (av.FFmpegError, ValueError, MemoryError):
                    self.n_damaged += 1
                    continue
                if frames:
                    self._file.found_sound()
                for frame in frames:
                    if self._lies_beyond(frame):
                        return
                    yield frame
        except (av.FFmpegError, ValueError, MemoryError) as error:
            logger.debug("%s cannot be read further: %s", self.name, error)
            self._broken = True

    def _raw_aac_frames(self) -> Iterator[Any]:
        packets = (bytes(packet) for packet in self._container.demux(self._stream) if packet.size)
        for frame in aac_frames(lambda n: next(packets, b""), self._stream.codec_context.extradata or b""):
            self._file.found_sound()
            yield frame

    def _lies_beyond(self, frame: Any) -> bool:
        """Whether a frame of PCM comes after the end that the header names: what follows there is no sound."""
        if not self.info.codec.startswith("pcm_") or self.info.duration_s is None or frame.time is None:
            return False
        return float(frame.time) > self.info.duration_s + SHORTFALL_S

    def blocks(self, start: int) -> Iterator[tuple[int, np.ndarray]]:
        """`(sample rate, mono block)` of about a second each, from sample `start` of the source on."""
        frames, skip = self._frames(), start
        if start > 2 * PREROLL_S * self.info.sample_rate:
            frames, skip = self._seek(start) or self._from_beginning(start)
        for rate, block in mono_blocks(frames, self.mixer):
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
        if self._broken or self._file.gave_up or not self._file.is_whole():
            return True
        is_vague = self.is_estimate or self.info.container == "avi"  # whose header counts whole blocks
        if self.info.duration_s is None or is_vague or len(self._container.streams) > 1:
            return False
        return decoded_s < self.info.duration_s - SHORTFALL_S

    def scan_duration_s(self) -> float:
        """Seconds of the whole file by its packets, without decoding them."""
        self._from_beginning(0)
        end = 0
        for packet in self._container.demux(self._stream):
            if packet.pts is not None:
                self._file.found_sound()
                end = max(end, packet.pts + (packet.duration or 0))
        return float(end * self._stream.time_base)

    def close(self) -> None:
        self._container.close()
        self._file.close()
