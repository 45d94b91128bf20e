"""What a recording is read from: a regular file or bytes, opened so that nothing else can be reached through it."""

import os
import stat
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from msecnn.audio.pyav_workarounds import LAYOUT_NAMES
from msecnn.errors import MsecnnError
from msecnn.files import printable

LONGEST_NAME = 80  # characters of a file's name in a sentence
MAX_FRUITLESS = 2**26  # bytes between two packets of sound; five seconds of the fattest video are fewer
HOLE_WEIGHT = 8  # of a byte in a block of zeros: FFmpeg takes them for chunks of no bytes, one after the other
MAX_HEADER = 2**25  # bytes before the first sound, pictures included; what is skipped, as MP4 can, does not count
LARGEST_OGG_PAGE = 65_307  # bytes, RFC 3533
UNKNOWN_RIFF_SIZE = 0x7FFF_F000  # bytes; programs that write to a pipe leave about this or more as a file's size


class AudioError(MsecnnError):
    """A recording that cannot be used; the message is one readable sentence."""


def open_source(source: str | Path | bytes) -> tuple[str, BinaryIO]:
    """Display name and open file; only regular files, so that a pipe or a device cannot hang or flood us."""
    if isinstance(source, bytes):
        if not source:
            raise AudioError("The recording is empty (0 bytes).")
        return "recording", BytesIO(source)
    if not isinstance(source, (str, Path)):
        raise AudioError(f"A recording is a path, bytes or a numpy array, not {type(source).__name__}.")
    name = printable(Path(source).name or str(source), longest=LONGEST_NAME)
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


class ContentView:
    """A file as FFmpeg sees it: without its name (only content decides the format) and without leading ID3 tags.

    ID3v2 tags can hold megabytes of pictures, which FFmpeg would read, unpack and take for the file's format.

    It ends where `MAX_HEADER` bytes, or later `MAX_FRUITLESS` bytes in a row, have led to no sound: in a hole of
    gigabytes FFmpeg would search for the next frame, or walk from one chunk of no bytes to the next, to its end.

    Attributes:
        gave_up: whether it has ended so.
        hides_layouts: Rename the boxes that name the speakers of MP4, CAF and AIFF files, so that FFmpeg assumes the
            usual ones (`pyav_workarounds.NAMES_SPEAKERS` says why).
    """

    def __init__(self, raw: BinaryIO) -> None:
        self._raw = raw
        self.hides_layouts = False
        self.gave_up = False
        self._fruitless, self._patience = 0, MAX_HEADER
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

    def found_sound(self) -> None:
        """Says that what was read so far led to sound, or to a header: the count begins anew."""
        self._fruitless, self._patience = 0, MAX_FRUITLESS
        self.gave_up = False

    def read(self, n: int = -1) -> bytes:
        if self.gave_up:
            return b""
        data = self._read(n)
        is_hole = data.count(0) == len(data)
        self._fruitless += len(data) * (HOLE_WEIGHT if is_hole else 1)
        self.gave_up = self._fruitless > self._patience
        return data

    def _read(self, n: int) -> bytes:
        if not self.hides_layouts:
            return self._raw.read(n)
        at = self._raw.tell()
        before = min(3, at)  # a name may lie across the border of two reads
        self._raw.seek(at - before)
        data = LAYOUT_NAMES.sub(b"none", self._raw.read(n + before + 3 if n >= 0 else -1))
        data = data[before:] if n < 0 else data[before : before + n]
        self._raw.seek(at + len(data))
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        if whence == os.SEEK_SET:
            offset += self._offset
        elif whence == os.SEEK_CUR:
            offset += self._raw.tell()
        else:
            offset += self._size
        return self._raw.seek(min(max(offset, self._offset), self._size)) - self._offset  # lying headers point far away

    def tell(self) -> int:
        return self._raw.tell() - self._offset

    def seekable(self) -> bool:
        return True

    def peek(self, n: int) -> bytes:
        self.seek(0)
        return self._raw.read(n)

    def is_whole(self) -> bool:
        """False where an Ogg or RIFF (WAV, AVI) file ends before it should, which FFmpeg does not tell."""
        start = self.peek(8)
        if start[:4] == b"RIFF":
            declared = int.from_bytes(start[4:], "little")
            return declared >= UNKNOWN_RIFF_SIZE or self._offset + 8 + declared <= self._size + 1  # a pad byte
        return start[:4] != b"OggS" or self._ends_ogg()

    def _ends_ogg(self) -> bool:
        """Whether the last Ogg page is whole and carries the end-of-stream flag (RFC 3533)."""
        self._raw.seek(max(0, self._size - LARGEST_OGG_PAGE))
        tail = self._raw.read()
        at = tail.rfind(b"OggS")
        if at < 0 or len(tail) < at + 27 or not tail[at + 5] & 4:
            return False
        lengths = tail[at + 27 : at + 27 + tail[at + 26]]
        return len(tail) >= at + 27 + tail[at + 26] + sum(lengths)

    def close(self) -> None:
        self._raw.close()
