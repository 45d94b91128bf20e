"""Every container on our list times every codec that it may hold, and decoders that are kept from files."""

import subprocess
import sys
from contextlib import suppress
from fractions import Fraction
from functools import cache
from io import BytesIO
from pathlib import Path

import av
import numpy as np
import pytest
from audio_files import encode, music
from hypothesis import given, settings
from hypothesis import strategies as st

from msecnn.audio import AudioError, AudioStream, read_recording
from msecnn.audio.codecs import DECODERS

RATE, DURATION_S = 12_000, 2.0
#: FFmpeg's muxers for the containers that `DEMUXERS` names.
CONTAINERS = (
    *("adts", "aiff", "asf", "au", "avi", "caf", "flac", "ipod", "matroska", "mov", "mp3", "mp4", "ogg"),
    *("w64", "wav", "webm", "wv"),
)
#: Encoders of telephone codecs, with the one sample rate of theirs that FFmpeg does not tell.
MONO = {"libopencore_amrnb": 8_000, "g722": 16_000, "g726": 8_000, "g726le": 8_000, "nellymoser": None}
#: What FFmpeg writes there but cannot read: the packets of Vorbis have no lengths in these containers.
UNREADABLE = {("wav", "vorbis"), ("w64", "vorbis")}
#: The least correlation with the original, and with a telephone's codec.
ALIKE, ALIKE_BY_TELEPHONE = 0.9, 0.4


def _names(mode: str) -> list[str]:
    codecs = []
    for name in sorted(av.codecs_available):
        try:
            codecs.append(av.codec.Codec(name, mode))  # type: ignore[arg-type]
        except av.codec.codec.UnknownCodecError:
            continue
    return [codec.name for codec in codecs if codec.type == "audio"]


@cache
def encoders() -> tuple[str, ...]:
    """Encoders whose codec is on our list."""
    return tuple(name for name in _names("w") if av.codec.Codec(name, "w").canonical_name in DECODERS)


def write(container: str, encoder: str) -> tuple[bytes, int]:
    """Music in a file, with its sample rate.

    Raises:
        av.FFmpegError, ValueError: the container cannot hold that codec.
    """
    codec = av.codec.Codec(encoder, "w")
    rate = MONO.get(encoder) or min(codec.audio_rates or [44_100], key=lambda rate: abs(rate - 44_100))
    layout = "mono" if encoder in MONO else "stereo"
    sample_format = codec.audio_formats[0].name if codec.audio_formats else "s16"
    buffer = BytesIO()
    with av.open(buffer, "w", format=container) as output:
        stream = output.add_stream(encoder, rate=rate, layout=layout, format=sample_format, options={"strict": "-2"})
        whole = av.AudioFrame.from_ndarray(music(DURATION_S, rate, 1 if layout == "mono" else 2), "fltp", layout)
        whole.sample_rate, whole.pts, whole.time_base = rate, 0, Fraction(1, rate)
        stream.codec_context.open(strict=False)
        size = stream.codec_context.frame_size or 1024
        resampler = av.AudioResampler(sample_format, layout, rate, frame_size=size)
        for frame in [*resampler.resample(whole), *resampler.resample(None)]:
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return buffer.getvalue(), rate


@cache
def original(rate: int) -> np.ndarray:
    """What the music at a rate is once it was read without any codec."""
    return read_recording(music(DURATION_S, rate, 1), source_sample_rate=rate).waveform


def likeness(waveform: np.ndarray, reference: np.ndarray) -> float:
    """The correlation at the best of the delays that encoders have."""
    start, n = RATE // 4, min(len(waveform), len(reference)) - RATE // 4
    delays = np.arange(-300, 1500)
    of_delay = np.array([reference[start:n] @ np.roll(waveform, -delay)[start:n] for delay in delays])
    best = delays[of_delay.argmax()]
    return float(np.corrcoef(reference[start:n], np.roll(waveform, -best)[start:n])[0, 1])


@pytest.mark.parametrize("container", CONTAINERS)
def test_every_codec_that_a_container_may_hold_is_read(container: str) -> None:
    held = []
    for encoder in encoders():
        try:
            data, rate = write(container, encoder)
        except (av.FFmpegError, ValueError):
            continue
        if (container, encoder) in UNREADABLE:
            continue
        recording = read_recording(data)
        assert recording.duration_s == pytest.approx(DURATION_S, abs=0.3), encoder
        least = ALIKE_BY_TELEPHONE if encoder in MONO else ALIKE
        assert likeness(recording.waveform, original(rate)) > least, encoder
        assert not any("cut short" in note for note in recording.notes), encoder
        held.append(encoder)
    assert held


@given(st.integers(0, 0xFFFF))
@settings(max_examples=150, deadline=None)
def test_any_code_of_a_codec_gets_an_answer_or_a_sentence(code: int) -> None:
    data = bytearray(encode(music(0.2, 8_000, 1), 8_000, "16bit.wav"))
    at = data.index(b"fmt ") + 8
    data[at : at + 2] = code.to_bytes(2, "little")
    with suppress(AudioError):
        read_recording(bytes(data))


@pytest.mark.parametrize(("rate", "n_channels"), [(44_100, 2), (44_100, 1), (32_000, 2), (22_050, 1), (16_000, 2)])
def test_an_m4a_cut_before_its_index_gives_what_it_has(rate: int, n_channels: int) -> None:
    data = encode(music(8.0, rate, n_channels), rate, "m4a")
    recording = read_recording(data[: len(data) * 6 // 10])
    reference = read_recording(music(8.0, rate, n_channels), source_sample_rate=rate).waveform
    assert (recording.source_sample_rate, recording.source_channels) == (rate, n_channels)
    assert f"its index is missing, so {rate:,} Hz was assumed" in recording.notes[-1]
    assert 4 < recording.duration_s < 6
    assert likeness(recording.waveform, reference[: len(recording.waveform)]) > ALIKE


@pytest.mark.parametrize("name", ["alac.m4a", "mp4"])
def test_an_mp4_whose_sound_cannot_be_told_is_refused_as_cut(name: str) -> None:
    data = encode(music(4.0, 44_100), 44_100, name)
    with pytest.raises(AudioError, match="begins like M4A or MP4, but is damaged or cut"):
        read_recording(data[: len(data) // 2])


def test_a_decoder_that_is_not_on_the_list_is_refused() -> None:
    buffer = BytesIO()
    with av.open(buffer, "w", format="matroska") as output:
        stream = output.add_stream("real_144", rate=8_000, layout="mono", format="s16")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 8_000), np.int16), "s16", "mono")
        frame.sample_rate = 8_000
        resampler = av.AudioResampler("s16", "mono", 8_000, frame_size=160)
        for part in resampler.resample(frame):
            output.mux(stream.encode(part))
        output.mux(stream.encode(None))
    with pytest.raises(AudioError, match="is in the codec “real_144”, which is not read"):
        read_recording(buffer.getvalue())


def test_the_list_names_decoders_that_ffmpeg_has() -> None:
    assert set(DECODERS) <= set(_names("r"))


# ---- holes: files that claim, or have, gigabytes of nothing


HOLES = """
import re, sys, time
from pathlib import Path
from msecnn.audio import AudioError, AudioStream
for path in sys.argv[1:]:
    begun, n_samples = time.perf_counter(), 0
    try:
        with AudioStream(path) as stream:
            for block in stream:
                n_samples += len(block)
    except AudioError:
        pass
    peak_kb = re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]
    print(time.perf_counter() - begun, int(peak_kb) / 1024, n_samples, path)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads its own memory from /proc")
def test_a_hole_of_gigabytes_is_left_within_ten_seconds_and_300_megabytes(tmp_path: Path) -> None:
    paths = []
    for name in ("mp3", "vorbis.ogg", "flac", "16bit.wav", "m4a", "aac", "mkv", "au", "caf", "avi", "aiff", "wma"):
        data = encode(music(3.0, 48_000), 48_000, name)
        for cut in (len(data), len(data) // 2, 200):
            paths.append(tmp_path / f"{cut}.{name}")
            with paths[-1].open("wb") as file:
                file.write(data[:cut])
                file.truncate(20 * 10**9)
    done = subprocess.run([sys.executable, "-c", HOLES, *paths], capture_output=True, text=True, check=True)
    lines = [line.split() for line in done.stdout.splitlines()]
    assert len(lines) == len(paths)
    for seconds, megabytes, n_samples, path in lines:
        assert float(seconds) < 10, path
        assert float(megabytes) < 300, path
        assert int(n_samples) < 4 * RATE, path


def test_a_recording_of_days_is_to_be_named_in_parts(tmp_path: Path) -> None:
    data = encode(music(1.0, 48_000), 48_000, "16bit.wav")
    path = tmp_path / "days.wav"
    at = data.index(b"data") + 4
    with path.open("wb") as file:
        file.write(data[:4] + b"\xff" * 4 + data[8:at] + b"\xff" * 4 + data[at + 4 :])
        file.truncate(20 * 10**9)
    with AudioStream(path) as stream, pytest.raises(AudioError, match="longer than 24 hours: name a part of it"):
        next(iter(stream))
    assert len(read_recording(path, start_s=0.2, duration_s=0.5).waveform) == RATE // 2
