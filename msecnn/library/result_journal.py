"""An append-only file of answers that survives being killed, and holds far more of them than memory would.

The first line is the job that the answers belong to, each further one an answer as JSON. What was appended stays; a
torn last line is dropped. Only where each answer lies, and the stamp of its file, is kept in memory.
"""

import errno
import json
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import astuple
from pathlib import Path
from types import TracebackType
from typing import Any

from msecnn.errors import MsecnnError
from msecnn.files import LockedError, WriteError, locked, why
from msecnn.library.stamps import Stamp, same_content

#: Seconds between forced writes to the disk: a killed process loses nothing, a power failure at most this much.
SYNC_S = 1.0


class LibraryError(MsecnnError):
    """A run over a library cannot start or go on; the answers so far are kept."""


class ResultJournal:
    """Answers on disk, by file; a context manager, open in one process at a time.

    Args:
        path: the journal; made if it is not there.
        job: what the answers depend on; an existing journal must be of the same.
        resume: go on from an existing journal; without it there must be none.

    Raises:
        LibraryError: it is in use, of another job, or there against expectation.
    """

    def __init__(self, path: Path, job: dict[str, Any], *, resume: bool) -> None:
        self.path = path
        self._offsets: dict[str, int] = {}
        self._errors: set[str] = set()
        self._stamps: dict[str, Stamp | None] = {}
        self._synced = time.monotonic()
        if path.exists() and not resume:
            raise LibraryError(
                f"{path} holds the answers of a run that was interrupted: --resume goes on from it; "
                "or delete it to begin anew."
            )
        self._end = 0
        with ExitStack() as stack:  # closes all where the journal is not ours to write
            self._open(stack)
            self._check_job(job)
            self._opened = stack.pop_all()

    @property
    def done(self) -> set[str]:
        """The files that have an answer which is no error."""
        return self._offsets.keys() - self._errors

    @property
    def n_errors(self) -> int:
        """How many files could not be used."""
        return len(self._errors)

    def holds(self, file: str, stamp: Stamp | None) -> bool:
        """Whether there is an answer, no error, that is about this content of the file."""
        return file in self._offsets and file not in self._errors and same_content(self._stamps[file], stamp)

    def append(self, answer: dict[str, Any], stamp: Stamp | None = None) -> None:
        """Adds a file's answer; it replaces an earlier error, and an answer about another content.

        Args:
            stamp: of the content that it is about; None where that is not known.

        Raises:
            LibraryError: the disk is full or gone.
        """
        if self.holds(answer["file"], stamp):
            return
        row = {**answer, "stamp": astuple(stamp)} if stamp else answer
        at = self._end
        self._write(json.dumps(row).encode() + b"\n")  # in ASCII: any file name can be written
        self._index(row, at)

    def answers(self, files: Iterable[str]) -> Iterator[dict[str, Any]]:
        """The answers to files, in the order asked for."""
        with self.path.open("rb") as file:
            for name in files:
                file.seek(self._offsets[name])
                answer = json.loads(file.readline())
                answer.pop("stamp", None)
                yield answer

    def close(self) -> None:
        """Lets go of the journal."""
        self._opened.close()

    def __enter__(self) -> "ResultJournal":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
        if not self._offsets:  # nothing to keep, and nothing to keep the next run from starting
            self.path.unlink()

    def _open(self, stack: ExitStack) -> None:
        lock = self.path.with_name(f"{self.path.name}.lock")
        try:
            stack.enter_context(locked(lock))
            stack.callback(_remove, lock)
            self._file = stack.enter_context(self.path.open("a+b", buffering=0))
        except LockedError:
            raise LibraryError(f"{self.path} is being written by another run.") from None
        except WriteError as error:
            raise LibraryError(str(error)) from error
        except OSError as error:
            raise LibraryError(f"{self.path} cannot be written: {why(error)}.") from error

    def _check_job(self, job: dict[str, Any]) -> None:
        found = self._read()
        if found is None:
            self._write(json.dumps({"job": job}).encode() + b"\n")
        elif found != job:
            raise LibraryError(
                f"{self.path} was begun with other models or settings; give the same, or delete it to begin anew."
            )

    def _index(self, answer: dict[str, Any], at: int) -> None:
        stamp = answer.get("stamp")
        self._stamps[answer["file"]] = Stamp(*stamp) if stamp else None
        self._offsets[answer["file"]] = at
        if "error" in answer:
            self._errors.add(answer["file"])
        else:
            self._errors.discard(answer["file"])

    def _read(self) -> dict[str, Any] | None:
        """Finds the answers that are there and returns their job; cuts off what was not wholly written."""
        self._file.seek(0)
        job = None
        with self.path.open("rb") as lines:
            for line in lines:
                if not line.endswith(b"\n"):
                    break
                try:
                    row = json.loads(line)
                    if job is None:
                        job = row["job"]
                    else:
                        self._index(row, self._end)
                except (ValueError, TypeError, KeyError):
                    if job is None:
                        raise LibraryError(f"{self.path} is not a journal of this program.") from None
                self._end += len(line)  # a line that a disk has damaged is passed over: its file is tagged again
        self._file.truncate(self._end)
        return job

    def _write(self, line: bytes) -> None:
        try:
            n_written = self._file.write(line)
            if n_written != len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            self._end += n_written
            if time.monotonic() - self._synced > SYNC_S:
                os.fsync(self._file.fileno())
                self._synced = time.monotonic()
        except OSError as error:
            raise LibraryError(
                f"{self.path} cannot be written further: {error.strerror}; "
                "the answers so far are kept, and --resume goes on from them."
            ) from error


def _remove(lock: Path) -> None:
    """Takes a lock's file away while the lock is held; where that cannot be, as on Windows, it stays."""
    with suppress(OSError):
        lock.unlink()
