"""Files and their names: the one atomic write, the one lock, the one log of JSON lines, the one printable name."""

import contextlib
import errno
import json
import logging
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

from filelock import FileLock, Timeout

from msecnn.errors import DatasetError, MsecnnError

logger = logging.getLogger(__name__)

#: The name of a file that `replacing` has not finished: whoever finds one finds what a killed process left behind.
UNFINISHED = re.compile(r"\..*\.[0-9a-f]{16}\.msecnn-partial(\.[^.]*)?", re.DOTALL)
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


def read_json_lines(path: Path) -> list[dict[str, Any]]:
    """The rows of a log, a file of JSON lines; a torn last line doesn't count, and no file is no rows."""
    return _whole_rows(path)[0]


class JsonLinesLog:
    """A log open for appending, as a context manager; one process may append at a time.

    Attributes:
        rows: what it holds.
    """

    def __init__(self, path: Path) -> None:
        self.rows, n_bytes = _whole_rows(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("ab")
        self._file.truncate(n_bytes)

    def append(self, row: dict[str, Any]) -> None:
        """Adds a row; it is on the disk when this returns."""
        self._file.write(json.dumps(row).encode() + b"\n")  # in ASCII: any file name can be written
        self._file.flush()
        os.fsync(self._file.fileno())
        self.rows.append(row)

    def __enter__(self) -> "JsonLinesLog":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


def _whole_rows(path: Path) -> tuple[list[dict[str, Any]], int]:
    """The rows, and how many bytes they take."""
    content = path.read_bytes() if path.exists() else b""
    content = content[: content.rfind(b"\n") + 1]
    return [json.loads(line) for line in content.splitlines()], len(content)


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
