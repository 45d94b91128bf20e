"""The folder of one running server: uploads and what is made of them; it ends with its server, killed or not."""

import contextlib
import os
import secrets
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from filelock import FileLock, Timeout

#: The variable that names the folder to Gradio, and before this server starts, the folder for all servers' folders.
VARIABLE = "GRADIO_TEMP_DIR"
PREFIX, LOCK = "msecnn-", ".lock"
#: Seconds after which a file goes that nobody has open, and between two looks.
KEPT_S, SWEEP_INTERVAL_S = 3600.0, 60.0
#: Seconds after it came that a file may go that was closed: another visitor may have brought the same a moment ago.
CLOSED_S = 120.0


class UploadFolder:
    """Made anew at each start, with a lock beside it that ends with the process, however that ends.

    Attributes:
        path: the folder.
    """

    def __init__(self, parent: Path) -> None:
        parent.mkdir(parents=True, exist_ok=True)
        collect(parent)
        self.path = parent / f"{PREFIX}{secrets.token_hex(8)}"
        self._lock = FileLock(f"{self.path}{LOCK}")
        self._lock.acquire(timeout=0)
        self.path.mkdir()
        self._closed: set[Path] = set()

    @classmethod
    def from_environment(cls) -> "UploadFolder":
        """In the folder that the host has named, or in the system's for temporary files; Gradio is told of it."""
        folder = cls(Path(os.environ.get(VARIABLE) or Path(tempfile.gettempdir()) / "gradio").resolve())
        os.environ[VARIABLE] = str(folder.path)
        return folder

    def remove(self) -> None:
        """Deletes everything; another server may still be at work in its own folder beside this one."""
        shutil.rmtree(self.path, ignore_errors=True)
        self._lock.release()
        Path(f"{self.path}{LOCK}").unlink(missing_ok=True)

    def sweep(self, needed: Iterable[Path], closed: Iterable[Path] = (), now: float | None = None) -> None:
        """Deletes files of more than `KEPT_S` that nobody needs, those that were closed, and folders that are empty."""
        now, kept = time.time() if now is None else now, {path.resolve() for path in needed}
        self._closed |= {path.resolve() for path in closed}
        for path in [path for path in self._closed if not path.is_relative_to(self.path) or not path.is_file()]:
            self._closed.discard(path)
        for path in sorted(self.path.rglob("*"), reverse=True):  # what is in a folder before the folder
            with contextlib.suppress(OSError):
                if path.is_symlink() or not path.is_dir():
                    age_s = now - path.lstat().st_ctime
                    if age_s > (CLOSED_S if path in self._closed else KEPT_S) and path.resolve() not in kept:
                        path.unlink()
                elif now - path.stat().st_mtime > CLOSED_S:
                    path.rmdir()

    @contextlib.contextmanager
    def swept(
        self, needed: Callable[[], Iterable[Path]], closed: Callable[[], Iterable[Path]] = tuple
    ) -> Iterator[None]:
        """Sweeps now and then, in a thread, until the block ends."""
        over = threading.Event()

        def run() -> None:
            while not over.wait(SWEEP_INTERVAL_S):
                self.sweep(needed(), closed())

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()


def collect(parent: Path) -> None:
    """Deletes the folders of servers that are no more: their locks are free."""
    left = {path for path in parent.glob(f"{PREFIX}*") if path.is_dir()}
    for lock_path in parent.glob(f"{PREFIX}*{LOCK}"):
        left.discard(lock_path.with_suffix(""))
        with contextlib.suppress(OSError, Timeout), FileLock(lock_path).acquire(timeout=0):
            shutil.rmtree(lock_path.with_suffix(""), ignore_errors=True)
            lock_path.unlink(missing_ok=True)
    for folder in left:  # a server's last thread made it, when its lock was already removed
        shutil.rmtree(folder, ignore_errors=True)
