"""Matrices to small pictures: 8-bit greyscale PNGs that the page colours itself, so that it can read values back."""

import base64
import struct
import zlib

import numpy as np

#: The decibels that 0 and 255 stand for in a picture of a mel spectrogram: 0.55 dB a step, so at most 0.27 dB of error.
LOW_DB, HIGH_DB = -100.0, 40.0


def mel_picture(mel: np.ndarray) -> str:
    """A log-mel spectrogram as a data URI.

    Shape:
        - mel: (F, L) dB; the picture has the lowest band at the bottom
    """
    return png_uri(mel_bytes(mel))


def mel_bytes(mel: np.ndarray) -> np.ndarray:
    """(F, L) dB as the bytes of a picture, the lowest band last."""
    scaled = (mel[::-1] - LOW_DB) * (255 / (HIGH_DB - LOW_DB))
    return np.clip(np.rint(scaled), 0, 255).astype(np.uint8)


def signed_picture(values: np.ndarray, limit: float) -> str:
    """Signed values within ±limit as a data URI: 128 is zero, 1 is -limit, 255 is +limit.

    Shape:
        - values: (F, L); the picture has the lowest band at the bottom
    """
    scaled = np.zeros_like(values[::-1]) if limit == 0 else values[::-1] * (127 / limit)
    return png_uri((np.clip(np.rint(scaled), -127, 127) + 128).astype(np.uint8))


def pool_signed(values: np.ndarray, width: int) -> np.ndarray:
    """Joins `width` frames to a column, keeping the value furthest from zero: single cells stay visible.

    Shape:
        - values: (F, L)
        - output: (F, ceil(L / width))
    """
    bands, frames = values.shape
    padded = np.pad(values, ((0, 0), (0, -frames % width)))
    groups = padded.reshape(bands, -1, width)
    strongest = np.abs(groups).argmax(-1)[..., None]
    return np.take_along_axis(groups, strongest, -1)[..., 0]


def png_uri(grey: np.ndarray) -> str:
    """An 8-bit greyscale image (rows, columns) as a `data:` URI."""
    return "data:image/png;base64," + base64.b64encode(_png(grey)).decode("ascii")


def _png(grey: np.ndarray) -> bytes:
    """PNG by its specification (ISO/IEC 15948): each row carries its differences from the row above (filter 2)."""
    rows, columns = grey.shape
    filtered = np.empty((rows, columns + 1), np.uint8)
    filtered[:, 0] = 2
    filtered[:, 1:] = np.diff(grey, axis=0, prepend=np.zeros((1, columns), np.uint8))
    header = struct.pack(">IIBBBBB", columns, rows, 8, 0, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(filtered.tobytes(), 6)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, body) for name, body in parts)


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
