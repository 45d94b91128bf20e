"""Recordings of every format that the library promises to read, written with PyAV's encoders from one waveform."""

from dataclasses import dataclass, field
from fractions import Fraction
from io import BytesIO
from typing import Any

import av
import numpy as np


@dataclass(frozen=True)
class Format:
    """How to write one kind of file: FFmpeg's container, codec and sample format, and what to expect back.

    `loss` is the largest root-mean-square error that the codec may leave in `music`, relative to the signal's; `delay`
    the samples that the encoder puts in front where the container has no field to say so (negative: loses).
    """

    container: str
    codec: str
    sample_format: str
    loss: float
    sample_rates: tuple[int, ...] = ()  # empty: any
    with_video: bool = False
    delay: int = 0
    codec_options: dict[str, str] = field(default_factory=dict)


FORMATS: dict[str, Format] = {
    "mp3": Format("mp3", "libmp3lame", "fltp", 0.1),
    "vorbis.ogg": Format("ogg", "vorbis", "fltp", 0.2, codec_options={"strict": "experimental"}),
    "opus": Format("ogg", "libopus", "flt", 0.2, (8_000, 12_000, 16_000, 24_000, 48_000)),
    "flac": Format("flac", "flac", "s16", 1e-3),
    "24bit.flac": Format("flac", "flac", "s32", 1e-5),
    "flac.ogg": Format("ogg", "flac", "s16", 1e-3),
    "8bit.wav": Format("wav", "pcm_u8", "u8", 0.05),
    "16bit.wav": Format("wav", "pcm_s16le", "s16", 1e-3),
    "24bit.wav": Format("wav", "pcm_s24le", "s32", 1e-5),
    "32bit.wav": Format("wav", "pcm_s32le", "s32", 1e-6),
    "64bit.wav": Format("wav", "pcm_s64le", "s64", 1e-6),
    "float32.wav": Format("wav", "pcm_f32le", "flt", 1e-6),
    "float64.wav": Format("wav", "pcm_f64le", "dbl", 1e-6),
    "m4a": Format("ipod", "aac", "fltp", 0.05),
    "alac.m4a": Format("ipod", "alac", "s16p", 1e-3),
    "aac": Format("adts", "aac", "fltp", 0.05, delay=1024),
    "webm": Format("webm", "libopus", "flt", 0.2, (8_000, 12_000, 16_000, 24_000, 48_000)),
    "mp4": Format("mp4", "aac", "fltp", 0.05, with_video=True),
    "mkv": Format("matroska", "aac", "fltp", 0.05),
    "aiff": Format("aiff", "pcm_s16be", "s16", 1e-3),
    "au": Format("au", "pcm_s16be", "s16", 1e-3),
    "caf": Format("caf", "pcm_s16be", "s16", 1e-3),
    "w64": Format("w64", "pcm_s16le", "s16", 1e-3),
    "wv": Format("wv", "wavpack", "s16p", 1e-3),
    "wma": Format("asf", "wmav2", "fltp", 0.2, delay=-2048),
    "avi": Format("avi", "libmp3lame", "fltp", 0.1, with_video=True, delay=1105),
}

NOT_PROMISED = {"flac.ogg", "alac.m4a", "mkv", "aiff", "au", "caf", "w64", "wv", "wma", "avi"}  # read all the same


def music(duration_s: float, sample_rate: int, n_channels: int = 2, *, seed: int = 0) -> np.ndarray:
    """A little tune with partials and a beat, `(channels, T)` float32, that never repeats itself within minutes."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(duration_s * sample_rate)) / sample_rate
    pitches_hz = 220 * 2 ** (rng.integers(0, 24, int(duration_s * 4) + 1) / 12)
    note = pitches_hz[(t * 4).astype(int)]
    since_onset = t * 4 % 1
    envelope = np.exp(-since_onset) * np.clip(40 * np.minimum(since_onset, 1 - since_onset), 0, 1)
    tune = sum(np.sin(2 * np.pi * np.cumsum(k * note) / sample_rate) / k for k in (1, 2, 3)) * envelope
    beat = np.exp(-40 * (t % 0.5)) * np.clip(100 * (t % 0.5), 0, 1) * np.sin(2 * np.pi * 90 * t)
    parts = [0.2 * tune + (0.2 + 0.05 * c) * beat for c in range(n_channels)]
    return np.stack(parts).astype(np.float32)


def encode(
    waveform: np.ndarray,
    sample_rate: int,
    name: str,
    *,
    bit_rate: int = 128_000,
    container: str | None = None,
    options: dict[str, str] | None = None,
) -> bytes:
    """A file of format `name` holding `waveform`, `(channels, T)` of full scale 1; no channels give no sound."""
    form = FORMATS[name]
    buffer = BytesIO()
    with av.open(buffer, "w", format=container or form.container, options=options or {}) as output:
        if len(waveform):
            stream: Any = output.add_stream(form.codec, rate=sample_rate, options=form.codec_options)
            stream.codec_context.layout = LAYOUTS[len(waveform)]
            stream.codec_context.format = form.sample_format
            stream.bit_rate = bit_rate
        if form.with_video:
            _add_picture(output, waveform.shape[1] / sample_rate)
        if len(waveform):
            for frame in _frames(waveform, sample_rate, form.sample_format, stream.codec_context):
                output.mux(stream.encode(frame))
            output.mux(stream.encode(None))
    return buffer.getvalue()


def encrypted(waveform: np.ndarray, sample_rate: int) -> bytes:
    """An MP4 whose sound is encrypted (Common Encryption), as shops sell it."""
    key, key_id = "00112233445566778899aabbccddeeff", "000102030405060708090a0b0c0d0e0f"
    options = {"encryption_scheme": "cenc-aes-ctr", "encryption_key": key, "encryption_kid": key_id}
    return encode(waveform, sample_rate, "m4a", container="mp4", options=options)


LAYOUTS = {1: "mono", 2: "stereo", 3: "2.1", 4: "quad", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}


def _frames(waveform: np.ndarray, sample_rate: int, sample_format: str, codec: Any) -> list[Any]:
    """The waveform in frames of the codec's size and format, by way of a packed frame (PyAV crashes on 8 planes)."""
    packed = sample_format.removesuffix("p")
    samples = _converted(waveform, packed).T.reshape(1, -1)
    layout = LAYOUTS[len(waveform)]
    if packed == "s64":  # which PyAV cannot make from an array
        whole = av.AudioFrame(packed, layout, waveform.shape[1])
        whole.planes[0].update(samples.tobytes())
    else:
        whole = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), packed, layout)
    whole.sample_rate, whole.pts, whole.time_base = sample_rate, 0, Fraction(1, sample_rate)
    codec.open(strict=False)
    frames = av.AudioResampler(sample_format, layout, sample_rate, frame_size=codec.frame_size or 4096)
    return [*frames.resample(whole), *frames.resample(None)]


def _converted(waveform: np.ndarray, sample_format: str) -> np.ndarray:
    """Full scale 1 to the sample format's own scale, rounded; integers are clipped by a hair below full scale."""
    kinds = {"flt": "f4", "dbl": "f8", "u8": "u1", "s16": "i2", "s32": "i4", "s64": "i8"}
    dtype = np.dtype(kinds[sample_format])
    if dtype.kind == "f":
        return waveform.astype(dtype)
    full_scale = 2.0 ** (8 * dtype.itemsize - 1)
    middle = full_scale if dtype.kind == "u" else 0.0
    return np.round(np.clip(waveform.astype(np.float64), -1, 1 - 2.0**-31) * (full_scale - 1) + middle).astype(dtype)


def _add_picture(container: Any, duration_s: float) -> None:
    """A small moving picture of one frame a second."""
    video = container.add_stream("mpeg4", rate=1)
    video.width, video.height, video.pix_fmt = 32, 32, "yuv420p"
    for second in range(int(duration_s) + 1):
        frame = av.VideoFrame.from_ndarray(np.full((32, 32, 3), second * 8 % 256, np.uint8), format="rgb24")
        container.mux(video.encode(frame))
    container.mux(video.encode(None))
