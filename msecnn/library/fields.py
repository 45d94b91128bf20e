"""One field of a recording's own tags, read and written in each format that has such tags, by mutagen.

A file is never edited in place: a copy is, which is checked and then takes the file's name. Permissions stay; the time
of modification becomes now, so that players and backups notice.
"""

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from msecnn.errors import MsecnnError
from msecnn.files import WriteError, printable, replacing, why
from msecnn.library.stamps import Stamp

_MP4_PREFIX = "----:com.apple.iTunes:"
_ID3V1_SIZE = 128


class FileTagError(MsecnnError):
    """A file's tags cannot be read or written; the file is as it was."""


def check_field(field: str) -> str:
    """Raises FileTagError unless every format can hold a field of that name."""
    if not re.fullmatch(r"[ -<>-}]+", field) or field != field.strip():
        raise FileTagError(
            f"{field!r} cannot name a field: use ASCII letters, digits and signs other than “=” and “~”."
        )
    return field


def read_field(file: str, field: str) -> list[str] | None:
    """A field's values, or None where it is absent."""
    return _guarded(file, lambda: _open(file).get(field))


def write_field(file: str, field: str, values: list[str] | None) -> None:
    """Sets a field, or removes it with None, in a copy that then replaces the file.

    Raises:
        FileTagError: it cannot be done, or not without touching other fields; the file is as it was.
    """
    _guarded(file, lambda: _replace(os.path.realpath(file), field, values))


def _guarded(file: str, work: Callable[[], Any]) -> Any:
    try:
        from mutagen import MutagenError
    except ImportError as error:
        raise FileTagError("Tags in files need mutagen: pip install mutagen.") from error
    try:
        return work()
    except WriteError as error:
        raise FileTagError(f"“{file_name(file)}” cannot be read or written: {error.reason}.") from error
    except OSError as error:
        raise FileTagError(f"“{file_name(file)}” cannot be read or written: {why(error)}.") from error
    except (MutagenError, ValueError, KeyError, AssertionError) as error:
        raise FileTagError(f"The tags of “{file_name(file)}” are damaged ({error}); it was left alone.") from error


def _replace(file: str, field: str, values: list[str] | None) -> None:
    before = Stamp.of(file)
    others = _open(file).others(field)
    with replacing(file) as copy:
        shutil.copyfile(file, copy)
        shutil.copystat(file, copy)
        _copy_owner(file, copy)
        tags = _open(str(copy))
        tags.set(field, values)
        tags.save()
        written = _open(str(copy))
        if written.get(field) != values or written.others(field) != others:
            raise FileTagError(f"The other tags of “{file_name(file)}” would not stay as they are: it was left alone.")
        if Stamp.of(file) != before:
            raise FileTagError(f"“{file_name(file)}” was changed by another program meanwhile: it was left alone.")
        os.utime(copy)


def _copy_owner(file: str, copy: Path) -> None:
    theirs, ours = os.stat(file), os.stat(copy)
    if (ours.st_uid, ours.st_gid) != (theirs.st_uid, theirs.st_gid):
        os.chown(copy, theirs.st_uid, theirs.st_gid)


class _Tags(Protocol):
    """A file's tags, whatever its format."""

    def get(self, field: str) -> list[str] | None: ...
    def set(self, field: str, values: list[str] | None) -> None: ...
    def others(self, field: str) -> Any: ...
    def save(self) -> None: ...


def _open(file: str) -> _Tags:
    import mutagen
    from mutagen.flac import FLAC
    from mutagen.mp3 import MP3
    from mutagen.mp4 import MP4
    from mutagen.oggflac import OggFLAC
    from mutagen.oggopus import OggOpus
    from mutagen.oggvorbis import OggVorbis

    opened = mutagen.File(file, options=[MP3, FLAC, OggVorbis, OggOpus, OggFLAC, MP4])
    if opened is None:
        raise FileTagError(f"“{file_name(file)}” is of a kind that we write no tags into; MP3, FLAC, Ogg and MP4 can.")
    if isinstance(opened, MP3):
        return _Id3Tags(file)
    return _Mp4Tags(opened) if isinstance(opened, MP4) else _VorbisTags(opened)


class _VorbisTags:
    """FLAC, Ogg Vorbis, Opus."""

    def __init__(self, opened: Any) -> None:
        self._file = opened
        if opened.tags is None:
            opened.add_tags()

    def get(self, field: str) -> list[str] | None:
        return self._file.tags.get(field) or None

    def set(self, field: str, values: list[str] | None) -> None:
        if values:
            self._file.tags[field] = values
        else:
            del self._file.tags[field]

    def others(self, field: str) -> Any:
        pairs = [pair for pair in self._file.tags if pair[0].lower() != field.lower()]
        return self._file.tags.vendor, pairs, [picture.write() for picture in getattr(self._file, "pictures", ())]

    def save(self) -> None:
        self._file.save()


class _Mp4Tags:
    """A freeform atom, as iTunes and others make for fields of their own."""

    def __init__(self, opened: Any) -> None:
        self._file = opened
        if opened.tags is None:
            opened.add_tags()

    def get(self, field: str) -> list[str] | None:
        return [bytes(value).decode() for value in self._file.tags.get(_MP4_PREFIX + field, ())] or None

    def set(self, field: str, values: list[str] | None) -> None:
        if values:
            self._file.tags[_MP4_PREFIX + field] = [value.encode() for value in values]
        else:
            del self._file.tags[_MP4_PREFIX + field]

    def others(self, field: str) -> Any:
        tags = {key: value for key, value in self._file.tags.items() if key != _MP4_PREFIX + field}
        return tags, self._file.tags._failed_atoms

    def save(self) -> None:
        self._file.save()


class _Id3Tags:
    """ID3v2 in the version that the file has; an ID3v1 tag at the end stays byte for byte."""

    def __init__(self, file: str) -> None:
        from mutagen.id3 import ID3, ID3NoHeaderError

        self._path = file
        try:
            self._tags = ID3(file, translate=False, load_v1=False)
            self._version = 4 if self._tags.version >= (2, 4) else 3
        except ID3NoHeaderError:
            self._tags, self._version = ID3(), 3

    def get(self, field: str) -> list[str] | None:
        frames = self._tags.getall(f"TXXX:{field}")
        return [str(text) for text in frames[0].text] if frames else None

    def set(self, field: str, values: list[str] | None) -> None:
        from mutagen.id3 import TXXX, Encoding

        self._tags.delall(f"TXXX:{field}")
        if values:
            self._tags.add(TXXX(encoding=Encoding.UTF16, desc=field, text=values))

    def others(self, field: str) -> Any:
        frames = {key: repr(frame) for key, frame in self._tags.items() if key != f"TXXX:{field}"}
        return frames, self._tags.unknown_frames

    def save(self) -> None:
        from mutagen.id3 import ID3v1SaveOptions

        with open(self._path, "r+b") as file:  # mutagen would rewrite an ID3v1 tag from the other
            file.seek(0, os.SEEK_END)
            file.seek(-min(_ID3V1_SIZE, file.tell()), os.SEEK_END)
            end = file.read()
            if not end.startswith(b"TAG"):
                end = b""
            file.truncate(file.tell() - len(end))
        self._tags.save(self._path, v1=ID3v1SaveOptions.REMOVE, v2_version=self._version, v23_sep=None)
        with open(self._path, "ab") as file:
            file.write(end)


def file_name(file: str) -> str:
    return printable(os.path.basename(file))
