"""Files and their names: the one atomic write, the one lock, the one printable name; others' files opened with care."""

import contextlib
import errno
import json
import logging
import os
import re
import secrets
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from filelock import FileLock, Timeout

from msecnn.errors import DatasetError, MsecnnError

logger = logging.getLogger(__name__)

#: The name of a file that `replacing` has not finished: whoever finds one finds what a killed process left behind.
UNFINISHED = re.compile(r"\..*\.[0-9a-f]{16}\.msecnn-partial(\.[^.]*)?", re.DOTALL)
MAX_JSON = 2**26  # bytes
_KEPT_NAME = 40  # characters, so that no name that a folder can hold becomes too long with what is put around it


class WriteError(MsecnnError):
    """A file cannot be written; what was there before is as it was.

    Attributes:
        reason: in words, for sentences of the callers' own.
    """

    def __init__(self, path: Path, error: OSError) -> None:
        self.reason = why(error)
        super().__init__(f"{printable(str(path))} cannot be written: {self.reason}.")


class LockedError(MsecnnError):
    """Another process has the lock."""


def check_space(folder: Path, n_bytes: int, what: str) -> None:
    """Raises DatasetError where fewer bytes are free than will be written.

    Args:
        folder: where to write; it exists.
        n_bytes: how much.
        what: names what will be written, in the plural.
    """
    free = shutil.disk_usage(folder).free
    if n_bytes > free:
        raise DatasetError(f"the {what} need {n_bytes / 1e9:.1f} GB more, and {folder} has {free / 1e9:.1f} GB free")


@contextlib.contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """The one atomic write: an empty file beside `path` to be filled, which takes its name when the block ends.

    By then it is on the disk. If the block fails, it is removed, and `path` is as it was. Its permissions are those of
    any new file, and its name ends like that of `path`, for writers that go by the ending.

    Raises:
        WriteError: the system does not let us write; other errors of the block pass.
    """
    path = Path(path)
    if not path.name:
        raise WriteError(path, IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR)))
    partial = path.with_name(f".{path.name[:_KEPT_NAME]}.{secrets.token_hex(8)}.msecnn-partial{path.suffix}")
    try:
        partial.open("xb").close()
        yield partial
        with partial.open("r+b") as file:
            os.fsync(file.fileno())
        os.replace(partial, path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise WriteError(path, error) from error
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def write_atomically(path: str | Path, content: bytes | str) -> None:
    """Writes a file whole or not at all; text as UTF-8.

    Raises:
        WriteError: the system does not let us write.
    """
    with replacing(path) as partial:
        partial.write_bytes(content.encode() if isinstance(content, str) else content)


def open_regular(path: str | Path) -> BinaryIO:
    """Opens a file of somebody else's for reading, if it is a regular one: a pipe would hang, a device never end.

    Raises:
        OSError: it is none, or cannot be opened.
    """
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is not a regular file", str(path))
    return open(descriptor, "rb")


def read_regular(path: str | Path, *, most: int) -> bytes:
    """The content of a regular file that has at most so many bytes.

    Raises:
        OSError: it is none, or larger, or cannot be read.
    """
    with open_regular(path) as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise OSError(errno.EFBIG, f"it is larger than {most / 1e6:,.0f} MB", str(path))
    return content


def read_json(path: str | Path) -> Any:
    """The content of a JSON file of somebody else's.

    Raises:
        OSError: as `read_regular`.
        ValueError: it is no JSON.
    """
    try:
        return json.loads(read_regular(path, most=MAX_JSON).decode())
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def write_json(path: str | Path, content: Any, *, indent: int | None = 2) -> None:
    """Writes readable JSON, or JSON without any space with `indent=None`; whole or not at all."""
    separators = (",", ":") if indent is None else None
    write_atomically(path, json.dumps(content, indent=indent, ensure_ascii=False, separators=separators) + "\n")


def why(error: OSError) -> str:
    """The system's reason in words."""
    return "the disk is full" if error.errno in (errno.ENOSPC, errno.EDQUOT) else error.strerror or str(error)


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Holds the lock that a file stands for; it ends with its process, however that ends. The file stays.

    Raises:
        LockedError: another process holds it.
        WriteError: it cannot be made.
    """
    try:
        lock = FileLock(path).acquire(timeout=0)
    except Timeout:
        raise LockedError(f"{path} is held by another process.") from None
    except OSError as error:
        raise WriteError(path, error) from error
    with lock:
        yield


@contextlib.contextmanager
def locked_folder(folder: Path) -> Iterator[None]:
    """Lets one process at a time write a folder's files; the others wait."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / "lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        logger.warning("another process is at work in %s; waiting for it", folder)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def readable(name: str) -> str:
    """A name or path as valid Unicode text: bytes that are no UTF-8 become \\xNN."""
    try:
        return os.fsencode(name).decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:  # half a character, as JSON can carry, but no file system
        return name.encode("utf-8", "backslashreplace").decode()


def printable(name: str, *, longest: int | None = None) -> str:
    """A name or path on one line that cannot command a terminal; shortened in its middle to `longest` characters."""
    text = "".join(c if c.isprintable() else "�" for c in readable(name))
    if longest is None or len(text) <= longest:
        return text
    n_end = longest // 4
    return f"{text[: longest - n_end - 1]}…{text[-n_end:]}"
