"""Recordings at the rate the networks hear: streamed, loaded whole or in part, with notes on what was done."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import soxr

from msecnn.audio.array_reader import ArrayReader
from msecnn.audio.decoder import Decoder, open_decoder
from msecnn.audio.info import AudioInfo, check_rate
from msecnn.audio.raw_aac import CutMp4
from msecnn.audio.source import AudioError

Source = str | Path | bytes | np.ndarray

SAMPLE_RATE = 12_000  # Hz; what both networks hear (facts: Choi et al. 2016)
MAX_LOADED_S = 4 * 3600.0  # `read_recording` keeps the waveform in memory; longer recordings are for `AudioStream`
FILTER_S = 0.1  # resampled and dropped before a window; soxr HQ's filter is far shorter at every rate above
SILENCE = 1e-4  # peak, full scale 1 (-80 dB)
SILENT = "The recording is silent (peak below −80 dB), so its tags mean nothing."
LOUD = 8.0  # peak; float files that were never scaled to 1 reach thousands
MAX_STREAMED_S = (
    24 * 3600.0
)  # a longer one is a lying header, a hole, or a log of a day's radio, of which a part can be read
ABSURD = 2.0**33  # peak; more than 32-bit integers stored as floats can reach, so it is no sound


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


def read_recording(
    source: Source,
    *,
    sample_rate: int = SAMPLE_RATE,
    source_sample_rate: int | None = None,
    start_s: float = 0.0,
    duration_s: float | None = None,
) -> Recording:
    """Reads a recording, or a part of it, as a mono waveform.

    A part holds the same samples as the same stretch of the whole, to float32 rounding, as far as codec and container
    permit: AAC's decoder fills in noise (error about 1e-4), Vorbis in WebM is stamped to the millisecond only.

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
        too_long = f"“{stream.name}” is longer than {MAX_LOADED_S / 3600:g} hours: load a part of it, or stream it."
        if (duration_s or (stream.info.duration_s or 0.0) - start_s) > MAX_LOADED_S:
            raise AudioError(too_long)
        blocks, n_samples = [], 0
        for block in stream:
            blocks.append(block)
            n_samples += len(block)
            if n_samples > MAX_LOADED_S * sample_rate:  # the header may have lied
                raise AudioError(too_long)
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

    Args: see `read_recording`.

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
        check_rate("asked-for", sample_rate)
        if not (math.isfinite(start_s) and start_s >= 0):
            raise AudioError(f"The start must be a time in seconds, zero or more, not {start_s}.")
        if duration_s is not None and not (math.isfinite(duration_s) and duration_s > 0):
            raise AudioError(f"The duration must be a positive number of seconds, not {duration_s}.")
        self.sample_rate = sample_rate
        self._first = round(start_s * sample_rate)  # first sample of the result, on the result's own grid
        self._n_wanted = None if duration_s is None else max(1, round(duration_s * sample_rate))
        self.start_s = self._first / sample_rate
        self._n_read = 0  # samples of the source
        self._n_samples = 0  # samples of the result
        self._peak = 0.0
        self._at_end = self._is_cut_short = False
        self._decoder: Decoder | CutMp4 | ArrayReader
        if isinstance(source, np.ndarray):
            self._decoder = ArrayReader(source, source_sample_rate)
        else:
            if source_sample_rate is not None:
                raise AudioError("A file states its own sample rate: give `source_sample_rate` for arrays only.")
            self._decoder = open_decoder(source)
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
        too_long = f"“{self.name}” is longer than {MAX_STREAMED_S / 3600:g} hours: name a part of it."
        if self._n_wanted is None and (self.info.duration_s or 0.0) - self.start_s > MAX_STREAMED_S:
            raise AudioError(too_long)
        if self.info.duration_s is None or self._decoder.is_estimate or self.start_s < self.info.duration_s:
            for block in self._resampled():
                if self._n_wanted is not None:
                    block = block[: self._n_wanted - self._n_samples]
                if len(block):
                    self._inspect(block)
                    self._n_samples += len(block)
                    yield block
                if self._n_wanted is None and self._n_samples > MAX_STREAMED_S * self.sample_rate:
                    raise AudioError(too_long)
                if self._n_samples == self._n_wanted:
                    break
            else:
                self._at_end = True
                self._is_cut_short = self._decoder.is_cut_short(self.start_s + self._n_samples / self.sample_rate)
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
            self._n_read += len(block)
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
            raise AudioError(f"“{self.name}” has samples that are not numbers (NaN or infinite) near {_time(at_s)}.")
        if peak > ABSURD:
            raise AudioError(f"“{self.name}” has samples of {peak:.0e} (full scale is 1), so it is no sound recording.")
        self._peak = max(self._peak, peak)

    def _nothing(self) -> str:
        if self._first:
            length = f" ({_time(self.info.duration_s)})" if self.info.duration_s else ""
            return f"The start at {_time(self.start_s)} lies after the end of “{self.name}”{length}."
        if self._n_read:
            return f"“{self.name}” lasts less than one sample at {self.sample_rate:,} Hz."
        if self._decoder.n_damaged or self.info.duration_s:
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
            notes.append(f"Only the part from {_time(self.start_s)} to {_time(self.start_s + read_s)} was read.")
        if self._decoder.assumption:
            notes.append(self._decoder.assumption)
        elif self._is_cut_short:
            notes.append(f"The file is cut short or damaged: only {_time(self.start_s + read_s)} could be decoded.")
        if self._decoder.n_damaged:
            notes.append(f"Damaged places in the file were passed over (packets: {self._decoder.n_damaged:,}).")
        if self._n_samples and self._peak < SILENCE:
            notes.append(SILENT)
        if self._peak > LOUD:
            notes.append(f"The samples reach {self._peak:,.0f} times full scale, so the tags may mean little.")
        return tuple(notes)


def _time(seconds: float) -> str:
    """A time for a sentence."""
    return f"{seconds:.1f} s" if seconds >= 1 or seconds == 0 else f"{1000 * seconds:.3g} ms"
