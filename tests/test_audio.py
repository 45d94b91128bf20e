"""Audio: every format gives the same music, parts equal the whole, and bad input gets one readable sentence."""

import json
import os
import struct
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soxr
from audio_files import FORMATS, encode, encrypted, music
from corrupt_audio import damaged_files
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from msecnn.audio import AudioError, AudioStream, coded, probe, read_recording, side, write_wav
from msecnn.audio.mono import mix
from msecnn.files import WriteError

RATE = 12_000
SECONDS = 8.0
PEAK_BLOCK_S = 3.0  # a block is about a second; FFmpeg's largest frames (FLAC, 65,535 samples) add to it


def rate_of(name: str) -> int:
    return 48_000 if FORMATS[name].sample_rates else 44_100


@pytest.fixture(scope="session")
def files() -> dict[str, bytes]:
    """The same music in every format."""
    return {name: encode(music(SECONDS, rate_of(name)), rate_of(name), name) for name in FORMATS}


@pytest.fixture(scope="session")
def whole(files: dict[str, bytes]) -> dict[str, np.ndarray]:
    return {name: read_recording(data).waveform for name, data in files.items()}


def tone(frequency_hz: float, sample_rate: int, seconds: float = 2.0) -> np.ndarray:
    return np.sin(2 * np.pi * frequency_hz * np.arange(round(seconds * sample_rate)) / sample_rate)


# ---- every format


@pytest.mark.parametrize("name", FORMATS)
def test_format_is_the_same_music_within_its_codecs_loss(name: str, whole: dict[str, np.ndarray]) -> None:
    sample_rate, form = rate_of(name), FORMATS[name]
    source = music(SECONDS, sample_rate).mean(0)
    source = np.concatenate([np.zeros(max(0, form.delay), np.float32), source[max(0, -form.delay) :]])
    expected = soxr.resample(source, sample_rate, RATE)
    n = min(len(expected), len(whole[name]))
    assert abs(len(whole[name]) - len(expected)) <= 0.06 * RATE  # AAC pads its last frame, WMA two
    error = np.sqrt(np.mean((whole[name][:n] - expected[:n]) ** 2) / np.mean(expected**2))
    assert error < form.loss


@pytest.mark.parametrize("name", FORMATS)
def test_part_reached_by_seeking_equals_the_whole(
    name: str, files: dict[str, bytes], whole: dict[str, np.ndarray]
) -> None:
    # AAC's decoder fills noise bands from a generator whose state depends on what was decoded before
    tolerance = 1e-3 if FORMATS[name].codec == "aac" else 1e-6
    for start_s in (0.0, 0.4321, 2.5, 4.98765, 7.1):
        part = read_recording(files[name], start_s=start_s, duration_s=0.8)
        first = round(part.start_s * RATE)
        assert abs(part.start_s - start_s) <= 0.5 / RATE
        assert len(part.waveform) == round(0.8 * RATE)
        np.testing.assert_allclose(part.waveform, whole[name][first : first + len(part.waveform)], atol=tolerance)


@pytest.mark.parametrize("name", ["16bit.wav", "24bit.wav", "flac", "aac", "m4a", "webm"])
def test_mean_and_side_give_left_and_right_back(name: str, files: dict[str, bytes]) -> None:
    stereo = music(SECONDS, rate_of(name))
    middle, difference = (read_recording(files[name], mixdown=how).waveform for how in (mix, side))
    form = FORMATS[name]
    for channel, expected in zip(stereo, (middle + difference, middle - difference), strict=True):
        source = np.concatenate([np.zeros(max(0, form.delay), np.float32), channel[max(0, -form.delay) :]])
        resampled = soxr.resample(source, rate_of(name), RATE)
        n = min(len(resampled), len(expected))
        assert np.sqrt(np.mean((expected[:n] - resampled[:n]) ** 2) / np.mean(resampled**2)) < 2 * form.loss


def test_one_channel_has_no_side() -> None:
    with pytest.raises(AudioError, match="two channels; this recording has 1"):
        read_recording(tone(440, RATE), source_sample_rate=RATE, mixdown=side)


def test_a_codec_takes_only_its_sample_rates() -> None:
    with pytest.raises(AudioError, match="opus takes sample rates of 8,000"):
        coded(tone(440, 44_100), 44_100, codec="opus", kbit_s=32)


@pytest.mark.parametrize("name", FORMATS)
def test_header_is_told(name: str, files: dict[str, bytes]) -> None:
    info = probe(files[name])
    assert (info.sample_rate, info.channels) == (rate_of(name), 2)
    assert info.duration_s == pytest.approx(SECONDS, rel=0.05 if name == "aac" else 0.01)  # aac: from the bit rate
    recording = read_recording(files[name])
    assert recording.duration_s == pytest.approx(SECONDS, abs=0.06)
    assert recording.notes == (f"Resampled from {info.sample_rate:,} Hz to 12,000 Hz.", "Mixed 2 channels to one.")


@pytest.mark.parametrize("name", ["mp3", "vorbis.ogg", "24bit.wav", "m4a", "webm"])
def test_path_bytes_and_stream_agree(
    name: str, files: dict[str, bytes], whole: dict[str, np.ndarray], tmp_path: Path
) -> None:
    path = tmp_path / "a misleading name.txt"
    path.write_bytes(files[name])
    recording = read_recording(path)
    np.testing.assert_array_equal(recording.waveform, whole[name])
    assert recording.name == path.name
    with AudioStream(str(path)) as stream:
        np.testing.assert_array_equal(np.concatenate(list(stream)), whole[name])
        assert stream.notes == recording.notes


@pytest.mark.parametrize("sample_rate", [8_000, 11_025, 12_000, 16_000, 22_050, 32_000, 48_000, 96_000, 192_000])
@pytest.mark.parametrize("n_channels", range(1, 9))
def test_rates_and_channels(sample_rate: int, n_channels: int) -> None:
    """A tone in every channel, at gains whose mean is 1/2, comes out as that tone at half scale."""
    gains = np.linspace(0.25, 0.75, n_channels) if n_channels > 1 else np.array([0.5])
    recording = read_recording(encode(gains[:, None] * tone(440, sample_rate, 1.0), sample_rate, "24bit.wav"))
    middle = slice(RATE // 4, 3 * RATE // 4)
    np.testing.assert_allclose(recording.waveform[middle], 0.5 * tone(440, RATE, 1.0)[middle], atol=1e-4)
    assert (recording.source_sample_rate, recording.source_channels) == (sample_rate, n_channels)


@pytest.mark.parametrize("name", ["m4a", "opus", "wv", "caf"])
@pytest.mark.parametrize("n_channels", [6, 7, 8])
def test_many_channels(name: str, n_channels: int) -> None:
    """PyAV alone ends the process on eight planes (M4A, Opus, WavPack) and on eight named speakers (CAF)."""
    gains = np.full(n_channels, 0.5)
    gains[3] = 0  # the bass channel, which codecs strip of all but bass
    recording = read_recording(
        encode(gains[:, None] * tone(440, 48_000, 1.0), 48_000, name, bit_rate=64_000 * n_channels)
    )
    middle = recording.waveform[RATE // 4 : 3 * RATE // 4]
    assert np.sqrt(2 * np.mean(middle**2)) == pytest.approx(gains.mean(), rel=0.02)
    assert recording.source_channels == n_channels


@pytest.mark.parametrize("container", ["aiff", "mov"])
def test_unusual_loudspeakers_are_read(container: str) -> None:
    """PyAV alone ends the process on a layout that has no name: here of two channels, right before left."""
    gains = np.array([0.25, 0.75])
    data = encode(gains[:, None] * tone(440, 48_000, 1.0), 48_000, "aiff", container=container)
    body = struct.pack(">III", 0, 0, 2) + b"".join(struct.pack(">II12x", label, 0) for label in (2, 1))
    if container == "aiff":
        at = data.index(b"SSND")
        data = data[:at] + b"CHAN" + struct.pack(">I", len(body)) + body + data[at:]
    else:
        box = struct.pack(">I", len(body) + 12) + b"chan" + bytes(4) + body
        data = with_box_in_sample_entry(data.replace(b"chan", b"free"), box)
    waveform = read_recording(data).waveform
    middle = slice(RATE // 4, 3 * RATE // 4)
    assert np.sqrt(2 * np.mean(waveform[middle] ** 2)) == pytest.approx(0.5, rel=0.01)


def with_box_in_sample_entry(data: bytes, box: bytes) -> bytes:
    """An MP4 or MOV (index behind the sound) with one more box at the end of its sample entry."""
    changed = bytearray(data)
    entry = changed.index(b"stsd") + 12
    end = entry + struct.unpack_from(">I", changed, entry)[0]
    for parent in (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd"):
        at = changed.index(parent) - 4
        struct.pack_into(">I", changed, at, struct.unpack_from(">I", changed, at)[0] + len(box))
    struct.pack_into(">I", changed, entry, end - entry + len(box))
    return bytes(changed[:end] + box + changed[end:])


def test_loudspeakers_that_the_codec_names_are_refused() -> None:
    data = encode(music(1.0, 48_000, 6), 48_000, "opus")
    head = data.index(b"OpusHead")
    ambisonic = data[: head + 18] + b"\2" + data[head + 19 :]
    page = bytearray(ambisonic[: data.index(b"OggS", 4)])
    page[22:26] = bytes(4)
    page[22:26] = struct.pack("<I", ogg_checksum(bytes(page)))
    with pytest.raises(AudioError, match="unusual set of loudspeakers"):
        read_recording(bytes(page) + ambisonic[len(page) :])


def ogg_checksum(page: bytes) -> int:
    """CRC-32 of RFC 3533: polynomial 0x04c11db7, neither reflected nor inverted."""
    crc = 0
    for byte in page:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ (0x04C11DB7 if crc & 1 << 31 else 0)) & 0xFFFFFFFF
    return crc


# ---- resampling


def test_alias_is_inaudible() -> None:
    """A 6.2 kHz tone lies above the new Nyquist frequency; what is left of it must be below -100 dB."""
    left = read_recording(tone(6_200, 44_100, 4.0), source_sample_rate=44_100).waveform[
        RATE:-RATE
    ]  # away from the edges
    assert 20 * np.log10(np.sqrt(np.mean(left**2)) / np.sqrt(0.5)) < -100


@pytest.mark.parametrize("sample_rate", [8_000, 22_050, 44_100, 44_101, 192_000])
def test_streamed_blocks_equal_one_shot_resampling(sample_rate: int) -> None:
    samples = music(5.3, sample_rate, 1)[0]
    streamed = read_recording(samples, source_sample_rate=sample_rate).waveform
    np.testing.assert_allclose(streamed, soxr.resample(samples, sample_rate, RATE, quality="HQ"), atol=1e-6)


@pytest.mark.parametrize("sample_rate", [8_000, 12_000, 22_050, 44_101, 192_000])
def test_part_of_an_array_equals_the_whole(sample_rate: int) -> None:
    samples = music(6.0, sample_rate)
    everything = read_recording(samples, source_sample_rate=sample_rate).waveform
    part = read_recording(samples, source_sample_rate=sample_rate, start_s=3.21, duration_s=1.5)
    first = round(3.21 * RATE)
    np.testing.assert_allclose(part.waveform, everything[first : first + len(part.waveform)], atol=1e-6)


# ---- arrays


@pytest.mark.parametrize(
    "convert",
    [
        lambda x: x,
        lambda x: x.T,
        lambda x: x.astype(np.float64),
        lambda x: np.asfortranarray(x),
        lambda x: np.round(x * 2**31).astype(np.int32),
        lambda x: np.round(x * 2**63).astype(np.int64),
        lambda x: np.round(x * 2**15).astype(np.int16),
    ],
    ids=["float32", "transposed", "float64", "fortran", "int32", "int64", "int16"],
)
def test_array_layouts_and_types_agree(convert: Callable[[np.ndarray], np.ndarray]) -> None:
    samples = music(1.0, 22_050)
    expected = read_recording(samples, source_sample_rate=22_050).waveform
    got = read_recording(convert(samples), source_sample_rate=22_050)
    np.testing.assert_allclose(got.waveform, expected, atol=2.0**-15)
    assert got.duration_s == pytest.approx(1.0)


def test_unsigned_bytes_are_centred() -> None:
    assert np.abs(read_recording(np.full(2_000, 128, np.uint8), source_sample_rate=RATE).waveform).max() == 0


@pytest.mark.parametrize(
    ("array", "sample_rate", "phrase"),
    [
        (np.zeros(100), None, "needs its sample rate"),
        (np.zeros(100), 0, "sample rate"),
        (np.zeros(100), -44_100, "sample rate"),
        (np.zeros(100), 10**9, "sample rate"),
        (np.zeros(0), RATE, "shape"),
        (np.zeros((2, 2, 2)), RATE, "shape"),
        (np.array(1.0), RATE, "shape"),
        (np.zeros((100, 100)), RATE, "neither axis looks like channels"),
        (np.zeros(100, complex), RATE, "real numbers"),
        (np.zeros(100, bool), RATE, "real numbers"),
        (np.array(["a"] * 9), RATE, "real numbers"),
        (np.full(100, np.nan), RATE, "not numbers"),
        (np.full(100, -np.inf), RATE, "not numbers"),
        (np.full(100, 1e30), RATE, "no sound recording"),
    ],
)
def test_unusable_array_is_refused(array: np.ndarray, sample_rate: int | None, phrase: str) -> None:
    with pytest.raises(AudioError, match=phrase):
        read_recording(array, source_sample_rate=sample_rate)


# ---- what is wrong is told in one sentence


def wav_header(*, data_bytes: int, sample_rate: int = 44_100, n_channels: int = 2) -> bytes:
    align = 2 * n_channels
    layout = struct.pack("<IHHIIHH", 16, 1, n_channels, sample_rate, sample_rate * align % 2**32, align, 16)
    return b"RIFF" + struct.pack("<I", 36 + data_bytes) + b"WAVEfmt " + layout + b"data" + struct.pack("<I", data_bytes)


BAD_BYTES = {
    "empty": (lambda: b"", "is empty"),
    "text": (lambda: b"La, la, la.\n" * 500, "not a recording"),
    "noise": (lambda: np.random.default_rng(0).bytes(100_000), "not a recording"),
    "jpeg": (lambda: b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + bytes(5_000), "not a recording"),
    "no samples": (lambda: wav_header(data_bytes=0), "holds no samples"),
    "one sample": (lambda: wav_header(data_bytes=4) + b"\1\0\1\0", "less than one sample"),
    "only pictures": (lambda: encode(np.zeros((0, 9)), 8_000, "avi"), "no sound"),
    "not numbers": (lambda: encode(np.full((1, 9_000), np.nan), 8_000, "float32.wav"), "NaN or infinite"),
    "infinite": (lambda: encode(np.full((2, 9_000), np.inf), 8_000, "float64.wav"), "NaN or infinite"),
    "absurd": (lambda: encode(np.full((1, 9_000), 1e20), 8_000, "float32.wav"), "no sound recording"),
    "encrypted": (lambda: encrypted(music(1.0, 44_100), 44_100), "encrypted"),
    "drms": (lambda: encode(music(1.0, 44_100), 44_100, "m4a").replace(b"mp4a", b"drms", 1), "encrypted"),
    "cut index": (lambda: encode(music(1.0, 44_100), 44_100, "alac.m4a")[:9_000], "cut too short"),
    "1 Hz": (lambda: wav_header(data_bytes=400, sample_rate=1) + bytes(400), "1 Hz"),
    "2 GHz": (lambda: wav_header(data_bytes=400, sample_rate=2**31 - 1) + bytes(400), "2,147,483,647 Hz"),
    "HLS": (lambda: b"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nhttp://127.0.0.1/a.ts\n", "not a recording"),
    "concat": (lambda: b"ffconcat version 1.0\nfile '/etc/hostname'\n", "not a recording"),
    "SDP": (lambda: b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nt=0 0\nm=audio 5004 RTP/AVP 0\n", "not a recording"),
}


@pytest.mark.parametrize("kind", BAD_BYTES)
def test_unusable_bytes_are_refused_in_one_sentence(kind: str, tmp_path: Path, capfd: pytest.CaptureFixture) -> None:
    make, phrase = BAD_BYTES[kind]
    path = tmp_path / "recording"
    path.write_bytes(make())
    for source in (make(), path):
        with pytest.raises(AudioError, match=phrase) as caught:
            read_recording(source)
        message = str(caught.value)
        assert message.endswith(".")
        assert message.isprintable()
        assert len(message) < 200
    assert capfd.readouterr().err == ""  # FFmpeg stays silent


def test_unusable_paths_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "list.m3u").write_text(str(tmp_path / "song.wav"))
    write_wav(tmp_path / "song.wav", np.zeros(9_000), RATE)
    for source, phrase in {
        str(tmp_path / "none.mp3"): "There is no file",
        str(tmp_path): "is a folder",
        str(tmp_path / "pipe"): "not a regular file",
        "/dev/zero": "not a regular file",
        str(tmp_path / "loop"): "There is no file",
        "http://127.0.0.1:9/song.mp3": "There is no file",
        f"file:{tmp_path / 'song.wav'}": "There is no file",
        f"concat:{tmp_path / 'song.wav'}|{tmp_path / 'song.wav'}": "There is no file",
        "pipe:0": "There is no file",
        "nul\0nul": "There is no file",
        "": "There is no file",
        "x" * 10_000: "There is no file",
        "two\nlines": "There is no file “two�lines”",
        str(tmp_path / "list.m3u"): "not a recording",
    }.items():
        with pytest.raises(AudioError, match=phrase) as caught:
            read_recording(source)
        assert str(caught.value).isprintable()
    with pytest.raises(AudioError, match="not list"):
        read_recording([1, 2, 3])  # type: ignore[arg-type]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_forbidden_file_is_refused(tmp_path: Path) -> None:
    write_wav(tmp_path / "secret.wav", np.zeros(9_000), RATE)
    (tmp_path / "secret.wav").chmod(0)
    with pytest.raises(AudioError, match="permission"):
        read_recording(tmp_path / "secret.wav")


@pytest.mark.parametrize(
    ("asked", "phrase"),
    [
        ({"start_s": -1.0}, "start"),
        ({"start_s": float("nan")}, "start"),
        ({"start_s": 9.5}, r"start at 9\.5 s lies after the end of “array” \(9\.0 s\)"),
        ({"duration_s": 0.0}, "duration"),
        ({"duration_s": float("inf")}, "duration"),
        ({"duration_s": 1e6}, "longer than 4 hours"),
        ({"sample_rate": 0}, "sample rate"),
    ],
)
def test_impossible_part_is_refused(asked: dict[str, float], phrase: str) -> None:
    with pytest.raises(AudioError, match=phrase):
        read_recording(np.zeros(9 * RATE), source_sample_rate=RATE, **asked)  # type: ignore[arg-type]


# ---- what is odd is told in the notes


@pytest.mark.parametrize(
    "name", ["mp3", "vorbis.ogg", "opus", "flac", "16bit.wav", "float32.wav", "webm", "mkv", "aiff", "wv", "avi"]
)
def test_truncated_file_yields_its_beginning_and_says_so(
    name: str, files: dict[str, bytes], whole: dict[str, np.ndarray]
) -> None:
    recording = read_recording(files[name][: int(0.6 * len(files[name]))])
    n = len(recording.waveform)
    assert 0.4 * SECONDS * RATE < n < 0.75 * SECONDS * RATE
    np.testing.assert_allclose(recording.waveform[: n - RATE // 4], whole[name][: n - RATE // 4], atol=1e-6)
    assert f"The file is cut short or damaged: only {n / RATE:.1f} s could be decoded." in recording.notes


def test_truncated_m4a_with_its_index_in_front_yields_its_beginning() -> None:
    data = encode(music(6.0, 44_100), 44_100, "m4a", options={"moov_size": "30000"})
    recording = read_recording(data[: len(data) // 2])
    assert 1.5 < recording.duration_s < 4
    assert any("cut short" in note for note in recording.notes)


def test_silence_and_unscaled_floats_are_told() -> None:
    assert "silent" in read_recording(encode(np.zeros((2, 44_100)), 44_100, "mp3")).notes[-1]
    assert "full scale" in read_recording(encode(music(1.0, 44_100) * 32_768, 44_100, "float32.wav")).notes[-1]
    part = read_recording(music(5.0, RATE, 1), source_sample_rate=RATE, start_s=1.0, duration_s=2.0)
    assert part.notes == ("Only the part from 1.0 s to 3.0 s was read.",)
    assert part.duration_s == 5.0


def test_pictures_are_not_the_recording(files: dict[str, bytes], whole: dict[str, np.ndarray]) -> None:
    """A cover of two megabytes before an MP3 hides it from FFmpeg's probe; a FLAC's cover is a video stream to it."""
    n = 2_000_000
    tag = b"ID3\3\0\0" + bytes([n >> 21 & 127, n >> 14 & 127, n >> 7 & 127, n & 127]) + b"\xff\xfb\x90\x44" * (n // 4)
    np.testing.assert_array_equal(read_recording(tag + files["mp3"]).waveform, whole["mp3"])
    np.testing.assert_array_equal(read_recording(tag + tag + files["mp3"]).waveform, whole["mp3"])
    picture = b"\x89PNG\r\n\x1a\n" + bytes(1_000)
    fields = struct.pack(">II", 3, 9) + b"image/png" + struct.pack(">IIIIII", 0, 9, 9, 24, 0, len(picture)) + picture
    flac = files["flac"]
    first_block = 4 + 4 + 34  # marker, block header, STREAMINFO
    block = bytes([6]) + len(fields).to_bytes(3, "big") + fields
    np.testing.assert_array_equal(
        read_recording(flac[:first_block] + block + flac[first_block:]).waveform, whole["flac"]
    )


def test_sizes_left_open_by_a_pipe_are_no_damage(files: dict[str, bytes], whole: dict[str, np.ndarray]) -> None:
    data = bytearray(files["16bit.wav"])
    at = data.index(b"data") + 4
    data[4:8] = data[at : at + 4] = b"\xff" * 4
    recording = read_recording(bytes(data))
    np.testing.assert_array_equal(recording.waveform, whole["16bit.wav"])
    assert len(recording.notes) == 2


def test_mp3_without_a_header_of_its_length_is_measured(files: dict[str, bytes]) -> None:
    """Without Xing or Info frame FFmpeg guesses from the first bit rate; a part's `duration_s` must not be a guess."""
    data = encode(music(SECONDS, 44_100), 44_100, "mp3", options={"write_xing": "0"})
    quiet = encode(np.zeros((2, 10 * 44_100)), 44_100, "mp3", bit_rate=32_000, options={"write_xing": "0"})
    part = read_recording(quiet + data, start_s=1.0, duration_s=1.0)
    assert part.duration_s == pytest.approx(18.0, abs=0.2)


# ---- long files, many at once


def test_ten_hours_are_reached_by_seeking(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    n_bytes = 36_000 * 8_000 * 2
    samples = np.round(music(2.0, 8_000, 1)[0] * 32_767).astype("<i2")
    with path.open("wb") as file:
        file.write(wav_header(data_bytes=n_bytes, sample_rate=8_000, n_channels=1))
        file.seek(35_000 * 16_000, os.SEEK_CUR)
        file.write(samples.tobytes())
        file.truncate(44 + n_bytes)  # a hole in the file, not bytes on the disk
    assert probe(path).duration_s == 36_000
    recording = read_recording(path, start_s=34_999.0, duration_s=4.0)
    assert recording.duration_s == 36_000
    expected = soxr.resample(samples / np.float32(32_768), 8_000, RATE)
    np.testing.assert_allclose(recording.waveform[RATE : 3 * RATE], expected, atol=2e-3)  # 2e-3: the edges' ringing
    with pytest.raises(AudioError, match="longer than 4 hours"):
        read_recording(path)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads its own memory from /proc")
def test_long_file_streams_in_bounded_memory(tmp_path: Path) -> None:
    path = tmp_path / "hour.wav"
    with path.open("wb") as file:
        file.write(wav_header(data_bytes=3_600 * 32_000, sample_rate=16_000, n_channels=1))
        file.truncate(44 + 3_600 * 32_000)

    def resident_bytes() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")

    n_samples, highest = 0, 0
    with AudioStream(path) as stream:
        for n, block in enumerate(stream):
            n_samples += len(block)
            assert len(block) < PEAK_BLOCK_S * RATE
            if n == 10:
                settled = resident_bytes()
            highest = max(highest, resident_bytes()) if n % 100 == 0 else highest
    assert n_samples == 3_600 * RATE  # 173 MB as float32
    assert highest - settled < 20e6
    assert "silent" in stream.notes[-1]


def test_threads_and_files_do_not_disturb_each_other(files: dict[str, bytes], whole: dict[str, np.ndarray]) -> None:
    got: dict[str, np.ndarray] = {}
    names = ["mp3", "vorbis.ogg", "opus", "flac", "m4a", "webm", "16bit.wav", "mp4"]
    threads = [threading.Thread(target=lambda n=n: got.update({n: read_recording(files[n]).waveform})) for n in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for name in names:
        np.testing.assert_array_equal(got[name], whole[name])


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts its open files in /proc")
def test_files_are_closed(tmp_path: Path, files: dict[str, bytes]) -> None:
    good, bad, cut = tmp_path / "good.mp3", tmp_path / "bad.mp3", tmp_path / "cut.m4a"
    good.write_bytes(files["mp3"])
    bad.write_bytes(b"nothing to hear" * 99)
    cut.write_bytes(files["alac.m4a"][:5_000])
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        read_recording(good)
        read_recording(good, start_s=4.0, duration_s=1.0)
        for path in (bad, cut):
            with pytest.raises(AudioError):
                read_recording(path)
    assert len(os.listdir("/proc/self/fd")) == before


# ---- the bundled examples


def test_examples_are_one_window_of_clean_sound_and_credited() -> None:
    folder = Path(__file__).parents[1] / "assets" / "examples"
    examples = json.loads((folder / "examples.json").read_text())
    credits = (folder / "CREDITS.md").read_text()
    assert len({example["kind"] for example in examples}) == len(examples) == 10
    for example in examples:
        recording = read_recording(folder / example["file"])
        assert (folder / example["file"]).stat().st_size < 600_000
        assert len(recording.waveform) == 349_440  # 29.12 s
        assert len(recording.notes) == 2  # resampled and mixed: neither cut short nor silent
        assert np.abs(recording.waveform).max() < 1
        assert np.abs(recording.waveform[[0, -1]]).max() < 2e-3  # no click at the cut
        seconds = recording.waveform[: 29 * RATE].reshape(29, RATE)
        assert np.sqrt((seconds**2).mean(1)).min() > 1e-3  # no second of silence
        assert example["split"] in ("valid", "test") or example["id"] == "pop"  # of which CREDITS.md says so
        for credit in ("title", "artist", "licence_url", "track", "package" if "package" in example else "source_url"):
            assert example[credit] in credits


# ---- damage


def answer(source: bytes | Path) -> str:
    """What a person would be told; anything but notes or an `AudioError` fails the test that asks."""
    try:
        recording = read_recording(source)
    except AudioError as error:
        return str(error)
    assert np.isfinite(recording.waveform).all()
    assert recording.waveform.dtype == np.float32
    assert len(recording.waveform)
    return " ".join(recording.notes)


def test_damaged_files_get_an_answer(tmp_path: Path, capfd: pytest.CaptureFixture) -> None:
    """Fifty of the thousand that benchmarks/robustness.py runs, each within memory and without a word from FFmpeg."""
    kinds = set()
    for file in damaged_files(50, seed=1):
        assert answer(file.write(tmp_path)).isprintable(), file.kind
        kinds.add(file.kind)
    assert len(kinds) > 10
    assert capfd.readouterr().err == ""


@given(st.binary(max_size=4_000))
@settings(max_examples=100, deadline=None)
def test_any_bytes_get_an_answer(data: bytes) -> None:
    answer(data)


@given(
    name=st.sampled_from(sorted(FORMATS)),
    at=st.floats(0, 1),
    junk=st.binary(min_size=1, max_size=60),
    keep=st.floats(0.05, 1),
)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_overwritten_file_gets_an_answer(
    short_files: dict[str, bytes], name: str, at: float, junk: bytes, keep: float
) -> None:
    data = bytearray(short_files[name])
    offset = int(at**3 * len(data))  # rather in the header than in the sound
    data[offset : offset + len(junk)] = junk
    answer(bytes(data[: int(keep * len(data))]))


@pytest.fixture(scope="session")
def short_files() -> dict[str, bytes]:
    return {name: encode(music(0.7, rate_of(name)), rate_of(name), name) for name in FORMATS}


@given(
    array=npst.arrays(
        dtype=npst.scalar_dtypes() | npst.complex_number_dtypes(),
        shape=npst.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=40),
    ),
    sample_rate=st.none() | st.integers(-10, 10**6),
)
@settings(max_examples=200, deadline=None)
def test_any_array_gets_an_answer(array: np.ndarray, sample_rate: int | None) -> None:
    try:
        recording = read_recording(array, source_sample_rate=sample_rate)
    except AudioError:
        return
    assert np.isfinite(recording.waveform).all()
    assert recording.waveform.ndim == 1


# ---- writing


@pytest.mark.parametrize(("encoding", "tolerance"), [("pcm16", 2.0**-16), ("float32", 0.0)])
def test_written_wav_is_read_back(encoding: str, tolerance: float, tmp_path: Path) -> None:
    waveform = music(1.0, RATE, 1)[0]
    write_wav(tmp_path / "out.wav", waveform, RATE, encoding=encoding)  # type: ignore[arg-type]
    recording = read_recording(tmp_path / "out.wav")
    np.testing.assert_allclose(recording.waveform, waveform, atol=tolerance)
    assert recording.notes == ()


def test_wav_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_wav(tmp_path / "out.wav", np.ones(100) * 7, RATE)  # beyond full scale: clipped, not wrapped
    before = (tmp_path / "out.wav").read_bytes()
    assert read_recording(tmp_path / "out.wav").waveform.min() > 0.99

    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(WriteError, match="disk full"):
        write_wav(tmp_path / "out.wav", np.zeros(100), RATE)
    assert os.listdir(tmp_path) == ["out.wav"]
    assert (tmp_path / "out.wav").read_bytes() == before


def test_a_written_wav_can_be_read_by_other_users(tmp_path: Path) -> None:
    write_wav(tmp_path / "song.wav", np.zeros(100), RATE)
    assert (tmp_path / "song.wav").stat().st_mode & 0o777 == 0o644
