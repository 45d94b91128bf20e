"""Damaged, hostile and merely odd files, made from real files of every format, the same ones for the same seed."""

import functools
import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from audio_files import FORMATS, encode, music

Rng = np.random.Generator

# Where a format keeps a length or a count: what stands before the field, and the field's size in bytes.
LENGTH_FIELDS = (
    [(b"RIFF", 4), (b"data", 4), (b"fmt ", 4), (b"FORM", 4), (b"SSND", 4), (b"fLaC", 4), (b"LIST", 4), (b"hdrl", 4)]
    + [(box + b"\0\0\0\0", 4) for box in (b"stsz", b"stts", b"stsc", b"stco", b"ctts", b"elst", b"stsd")]
    + [(b"stsz\0\0\0\0\0\0\0\0", 4), (b"stsz\0\0\0\0", 8), (b"moov", 4), (b"mdhd\0\0\0\0\0\0\0\0\0\0\0\0", 8)]
    + [(b"\x1aE\xdf\xa3", 8), (b"\x18S\x80g", 8), (b"\x1fC\xb6u", 8), (b"\x16T\xaek", 8), (b"OpusHead", 4)]
    + [(b"OpusTags", 8), (b"vorbis", 8), (b"OggS", 22), (b"Xing", 12), (b"Info", 12), (b"wvpk", 8), (b"\x01\x02", 4)]
)

MALFORMED_NAMES = (
    "Sigur Rós – Ágætis byrjun (10′ 21″)",
    "音楽 ♫ موسيقى",
    "👩🏽‍🎤🎸" * 8,
    "\u202egnp.3pm",
    "line\nbreak\tand\x1b[31mcolour",
    "-rf",
    "--help",
    "; rm -rf ~ #",
    "$(reboot)`reboot`",
    "<img src=x onerror=alert(1)>",
    "' OR 1=1 --",
    "%s%n%p",
    "..%2f..%2fetc%2fpasswd",
    "http:␟␟127.0.0.1␟song",
    "concat:a|b",
    "CON",
    " ",
    "…" * 80,
    "a" * 240,
    "café",  # decomposed
    ".hidden",
    "[glob]*?{a,b}",
)
EXTENSIONS = ("mp3", "wav", "ogg", "flac", "m4a", "webm", "mp4", "aac", "opus", "txt", "jpg", "m3u8", "exe", "")


@dataclass(frozen=True)
class DamagedFile:
    """One file: its kind of damage, its name, its bytes, and how many zeros follow (as a hole) on the disk."""

    kind: str
    name: str
    data: bytes
    n_zeros: int = 0

    def write(self, folder: Path) -> Path:
        """Write it into `folder` and say where."""
        path = folder / self.name
        with path.open("wb") as file:
            file.write(self.data)
            if self.n_zeros:
                file.truncate(len(self.data) + self.n_zeros)
        return path


def damaged_files(n: int, *, seed: int) -> Iterator[DamagedFile]:
    """`n` files that cycle through all kinds of damage; file i depends on the seed and i alone."""
    kinds = sorted(KINDS)
    for i in range(n):
        rng = np.random.default_rng([seed, i])
        kind = kinds[i % len(kinds)]
        data, n_zeros = KINDS[kind](rng)
        stem = rng.choice(MALFORMED_NAMES) if kind == "malformed name" else kind.replace(" ", "-")
        extension = rng.choice(EXTENSIONS)
        while len(f"{i:04d} {stem}.{extension}".encode()) > 255:  # a file system's limit
            stem = stem[:-1]
        yield DamagedFile(kind, f"{stem} {i:04d}.{extension}".rstrip("."), data, n_zeros)


@functools.cache
def real_file(name: str) -> bytes:
    """Three seconds of music in a format."""
    sample_rate = 48_000 if FORMATS[name].sample_rates else 44_100
    return encode(music(3.0, sample_rate), sample_rate, name)


def any_real_file(rng: Rng) -> bytes:
    return real_file(str(rng.choice(sorted(FORMATS))))


def cut(rng: Rng) -> tuple[bytes, int]:
    """Only a beginning, most often a short one, or only an end."""
    data = any_real_file(rng)
    at = int(len(data) * rng.random() ** 2)
    return (data[: max(1, at)] if rng.random() < 0.8 else data[at:] or b"\0"), 0


def bit_flips(rng: Rng) -> tuple[bytes, int]:
    """One to a thousand bits flipped, anywhere or in the first kilobyte."""
    data = np.frombuffer(any_real_file(rng), np.uint8).copy()
    region = data if rng.random() < 0.5 else data[:1024]
    where = rng.integers(0, len(region), int(10 ** rng.uniform(0, 3)))
    region[where] ^= (1 << rng.integers(0, 8, len(where))).astype(np.uint8)
    return data.tobytes(), 0


def holes(rng: Rng) -> tuple[bytes, int]:
    """Stretches overwritten with zeros or noise, as lost blocks of a download or a disk leave them."""
    data = bytearray(any_real_file(rng))
    for _ in range(rng.integers(1, 6)):
        at, length = int(rng.integers(0, len(data))), int(10 ** rng.uniform(1, 4))
        data[at : at + length] = bytes(length) if rng.random() < 0.5 else rng.bytes(length)
    return bytes(data), 0


def swapped_header(rng: Rng) -> tuple[bytes, int]:
    """One format's beginning on another's body."""
    head, body = any_real_file(rng), any_real_file(rng)
    at = int(10 ** rng.uniform(0.5, 4))
    return head[:at] + body[at:], 0


def wrong_extension(rng: Rng) -> tuple[bytes, int]:
    """A whole file; only its name lies (every kind here gets a random extension)."""
    return any_real_file(rng), 0


def endless_length(rng: Rng) -> tuple[bytes, int]:
    """Length and count fields set to all ones, to the largest signed value, or to hundreds of millions."""
    for _ in range(50):
        data = bytearray(any_real_file(rng))
        fields = [(mark, size) for mark, size in LENGTH_FIELDS if mark in data[:100_000] or mark in data[-20_000:]]
        if fields:
            break
    for index in rng.permutation(len(fields))[: rng.integers(1, 4)]:
        mark, size = fields[index]
        at = data.rindex(mark) + len(mark)
        value = [b"\xff" * size, b"\x7f" + b"\xff" * (size - 1), b"\x05" + b"\0" * (size - 1)][rng.integers(0, 3)]
        data[at : at + size] = value if rng.random() < 0.5 else value[::-1]
    return bytes(data), 0


def lying_index(rng: Rng) -> tuple[bytes, int]:
    """An MP4 whose index claims tens of millions of packets of one byte, in one entry each of three tables."""
    data = bytearray(real_file(str(rng.choice(["m4a", "mp4", "alac.m4a"]))))
    count = int(rng.integers(10_000_000, 89_000_000))
    for box, offset, values in (
        (b"stsz", 4, (1, count)),
        (b"stsc", 8, (1, count, 1)),
        (b"stts", 8, (count, int(rng.integers(1, 2**20)))),
    ):
        struct.pack_into(f">{len(values)}I", data, data.rindex(box) + 4 + offset, *values)
    return bytes(data), 0


def wav_header(n_bytes: int, *, sample_rate: int, n_channels: int, n_bits: int, code: int = 1) -> bytes:
    align = n_channels * n_bits // 8
    layout = struct.pack("<IHHIIHH", 16, code, n_channels, sample_rate, sample_rate * align, align, n_bits)
    size = struct.pack("<I", min(n_bytes, 2**32 - 1))
    return b"RIFF" + struct.pack("<I", min(n_bytes + 36, 2**32 - 1)) + b"WAVEfmt " + layout + b"data" + size


def ten_hours(rng: Rng) -> tuple[bytes, int]:
    """Ten hours of digital silence, as a hole in the file."""
    sample_rate, n_channels = int(rng.choice([8_000, 16_000, 44_100])), int(rng.choice([1, 2]))
    n_bytes = 36_000 * sample_rate * n_channels * 2
    return wav_header(n_bytes, sample_rate=sample_rate, n_channels=n_channels, n_bits=16), n_bytes


def one_sample(rng: Rng) -> tuple[bytes, int]:
    """From no sample at all to a handful."""
    name = str(rng.choice([n for n in sorted(FORMATS) if not FORMATS[n].with_video]))
    sample_rate = 48_000 if FORMATS[name].sample_rates else 44_100
    return encode(music(1.0, sample_rate)[:, : int(rng.integers(1, 9))], sample_rate, name), 0


def eight_channels(rng: Rng) -> tuple[bytes, int]:
    """192 kHz and 8 channels, where the format can."""
    name = str(rng.choice(["8bit.wav", "16bit.wav", "24bit.wav", "float32.wav", "float64.wav", "flac", "wv", "caf"]))
    return encode(music(0.5, 192_000, 8), 192_000, name), 0


def odd_samples(rng: Rng) -> tuple[bytes, int]:
    """Floats that are no sound: not numbers, infinite, absurdly large, denormal."""
    samples = music(1.0, 44_100).astype(np.float64)
    where = rng.integers(0, samples.size, int(10 ** rng.uniform(0, 4)))
    samples.ravel()[where] = rng.choice([np.nan, np.inf, -np.inf, 1e38, -1e300, 1e-310, 32_768.0])
    with np.errstate(over="ignore"):
        return encode(samples, 44_100, str(rng.choice(["float32.wav", "float64.wav"]))), 0


def lying_wav(rng: Rng) -> tuple[bytes, int]:
    """A WAV header whose numbers contradict each other and the file."""
    code = int(rng.choice([0, 1, 2, 3, 6, 7, 0x11, 0x55, 0x161, 0xFFFE, 0xFFFF]))
    n_channels, n_bits = int(rng.choice([0, 1, 2, 255, 65_535])), int(rng.choice([0, 1, 7, 8, 16, 24, 33, 64, 65_535]))
    sample_rate = int(rng.choice([0, 1, 44_100, 2**31 - 1]))
    align = int(rng.choice([0, 1, 4, 65_535]))
    byte_rate = int(rng.choice([0, 1, 2**32 - 1]))
    layout = struct.pack("<IHHIIHH", 16, code, n_channels, sample_rate, byte_rate, align, n_bits)
    return b"RIFF\xff\xff\xff\x7fWAVEfmt " + layout + b"data\xff\xff\xff\xff" + rng.bytes(5_000), 0


def nested(rng: Rng) -> tuple[bytes, int]:
    """A file inside a file: in a WAV's samples, in a zip, behind another file, inside boxes within boxes."""
    inner = any_real_file(rng)
    way = rng.integers(0, 4)
    if way == 0:
        return wav_header(len(inner), sample_rate=44_100, n_channels=2, n_bits=16) + inner, 0
    if way == 1:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(zipfile.ZipInfo("song.mp3"), inner)
        return buffer.getvalue(), 0
    if way == 2:
        return any_real_file(rng) + inner, 0
    box = b""
    for _ in range(int(rng.integers(10, 2_000))):
        box = struct.pack(">I", len(box) + 8) + bytes(rng.choice([b"moov", b"trak", b"udta", b"meta", b"LIST"])) + box
    return struct.pack(">I", 16) + b"ftypM4A \0\0\0\0" + box + inner, 0


def metadata_bomb(rng: Rng) -> tuple[bytes, int]:
    """Megabytes of tags: compressed frames that unfold, comment counts without comments, padding without end."""
    way = rng.integers(0, 4)
    if way == 0:  # ID3v2.4, frames flagged as zlib-compressed with a data length
        packed = zlib.compress(bytes(10_000_000), 9)
        frame = b"APIC" + synchsafe(len(packed) + 4) + b"\0\x09" + synchsafe(10_000_000) + packed
        frames = frame * int(rng.integers(1, 200))
        return b"ID3\4\0\0" + synchsafe(len(frames)) + frames + real_file("mp3"), 0
    if way == 1:  # the same where it cannot be skipped: inside a WAV's chunk
        packed = zlib.compress(bytes(10_000_000), 9)
        frame = b"APIC" + synchsafe(len(packed) + 4) + b"\0\x09" + synchsafe(10_000_000) + packed
        tag = b"ID3\4\0\0" + synchsafe(20 * len(frame)) + 20 * frame
        wav = real_file("16bit.wav")
        return wav[:12] + b"id3 " + struct.pack("<I", len(tag)) + tag + wav[12:], 0
    flac = real_file("flac")
    if way == 2:  # a Vorbis comment that claims four billion entries
        comment = struct.pack("<I", 4) + b"evil" + struct.pack("<I", 2**32 - 1) + struct.pack("<I", 2**31) + b"A=B"
        return flac[:42] + bytes([4]) + len(comment).to_bytes(3, "big") + comment + flac[42:], 0
    block = bytes([1]) + (2**20).to_bytes(3, "big") + bytes(2**20)
    return flac[:42] + block * int(rng.integers(1, 12)) + flac[42:], 0


def synchsafe(n: int) -> bytes:
    """ID3's 28-bit integers."""
    return bytes([n >> 21 & 127, n >> 14 & 127, n >> 7 & 127, n & 127])


def malformed_name(rng: Rng) -> tuple[bytes, int]:
    """Sound as good as any; the name is the attack."""
    return any_real_file(rng), 0


def not_audio(rng: Rng) -> tuple[bytes, int]:
    """Text, playlists, pages, pictures, archives, noise, zeros."""
    choices: list[Callable[[], bytes]] = [
        lambda: b"Ein Lied, zwo, drei. " * int(rng.integers(1, 5_000)),
        lambda: b"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nfile:///etc/hostname\n",
        lambda: b"ffconcat version 1.0\nfile '/etc/hostname'\n",
        lambda: b"<!doctype html><audio src=song.mp3></audio>",
        lambda: b"%PDF-1.7\n" + rng.bytes(5_000),
        lambda: b"\x89PNG\r\n\x1a\n" + rng.bytes(5_000),
        lambda: b"GIF89a" + rng.bytes(5_000),
        lambda: b"\x7fELF" + rng.bytes(5_000),
        lambda: b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
        lambda: rng.bytes(int(10 ** rng.uniform(0, 6))),
        lambda: bytes(int(10 ** rng.uniform(0, 6))),
        lambda: b"\xff" * int(10 ** rng.uniform(0, 6)),
        lambda: b"ID3\4\0\0" + b"\x7f" * 4 + rng.bytes(3_000),
        lambda: b"\xff\xfb\x90\x44" * 50_000,
        lambda: b"\xff\xf1\x50\x80\x04\x3f\xfc" * 30_000,
    ]
    return choices[rng.integers(0, len(choices))](), 0


def empty(rng: Rng) -> tuple[bytes, int]:
    """Nothing, or nothing but the first bytes of something."""
    return any_real_file(rng)[: int(rng.integers(0, 13))], 0


KINDS: dict[str, Callable[[Rng], tuple[bytes, int]]] = {
    "cut": cut,
    "bit flips": bit_flips,
    "holes": holes,
    "swapped header": swapped_header,
    "wrong extension": wrong_extension,
    "endless length": endless_length,
    "lying index": lying_index,
    "ten hours": ten_hours,
    "one sample": one_sample,
    "eight channels": eight_channels,
    "odd samples": odd_samples,
    "lying WAV": lying_wav,
    "nested": nested,
    "metadata bomb": metadata_bomb,
    "malformed name": malformed_name,
    "not audio": not_audio,
    "empty": empty,
}
