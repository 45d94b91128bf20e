"""Files fetched over HTTP by their SHA-256: a broken download goes on where it stopped, a wrong one is never kept."""

import hashlib
import http.client
import logging
import os
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from msecnn import __version__
from msecnn.errors import DatasetError
from msecnn.files import check_space

logger = logging.getLogger(__name__)

TIMEOUT_S = 30.0
TRIES = 6  # without a single new byte
BLOCK = 1 << 20


@dataclass(frozen=True)
class RemoteFile:
    """A file as its publisher made it.

    Attributes:
        name: relative to the publisher's address.
        sha256: of its content.
        max_bytes: it is certainly smaller than this; more is never read.
    """

    name: str
    sha256: str
    max_bytes: int


def fetch(file: RemoteFile, base_url: str, folder: Path, *, pause_s: float = 1.0) -> Path:
    """Downloads a file unless it lies there already.

    Args:
        file: what is wanted.
        base_url: of the publisher or a mirror, ending in a slash.
        folder: where to put it; what is there of it already, whole or not, is used.
        pause_s: before the second try; doubled for each further one.

    Raises:
        DatasetError: after `TRIES` tries without progress, or when the server's file is not the one wanted.
    """
    path = folder / file.name
    if path.exists():
        if sha256(path) == file.sha256:
            return path
        os.replace(path, _partial(path))  # most likely cut short by another program: go on from there
    folder.mkdir(parents=True, exist_ok=True)
    for attempt in ("first", "last"):
        _download(file, base_url + file.name, _partial(path), pause_s=pause_s)
        if sha256(_partial(path)) == file.sha256:
            os.replace(_partial(path), path)
            return path
        _partial(path).unlink()
        logger.warning("%s is damaged (wrong SHA-256) after the %s full download", file.name, attempt)
    raise DatasetError(f"{base_url}{file.name} is not the file wanted: its SHA-256 isn't {file.sha256}")


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _partial(path: Path) -> Path:
    return path.with_name(path.name + ".partial")


def _download(file: RemoteFile, url: str, partial: Path, *, pause_s: float) -> None:
    """Reads until the server says that it is all."""
    tries, most = 0, _size(partial)
    while tries < TRIES:
        try:
            if _read_on(file, url, partial):
                return
            trouble = "the connection ended early"
        except urllib.error.HTTPError as error:
            if error.code < 500 and error.code not in (408, 429):
                raise DatasetError(f"{url} can't be had: the server says {error.code} {error.reason}") from error
            trouble = f"the server says {error.code} {error.reason}"
        except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError) as error:
            trouble = str(getattr(error, "reason", error))
        # a server that can't resume starts anew each time: only what was never reached before is progress
        tries = 0 if _size(partial) > most else tries + 1
        most = max(most, _size(partial))
        if tries == 1 and partial.exists() and sha256(partial) == file.sha256:
            return  # whole, whatever length the server promised
        logger.warning("%s: %s, trying again", file.name, trouble)
        time.sleep(pause_s * 2 ** max(0, tries - 1) if tries else 0)
    raise DatasetError(
        f"cannot download {url}: {trouble}; what has come so far stays, and the next run goes on from there"
    )


def _read_on(file: RemoteFile, url: str, partial: Path) -> bool:
    """One request for what is missing; true if the server has sent all that it promised."""
    begin = _size(partial)
    headers = {"User-Agent": f"msecnn/{__version__}"} | ({"Range": f"bytes={begin}-"} if begin else {})
    try:
        response = urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=TIMEOUT_S)
    except urllib.error.HTTPError as error:
        if error.code != http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            raise
        error.close()
        if error.headers.get("Content-Range") == f"bytes */{begin}":
            return True  # nothing was missing
        partial.unlink()
        return False
    with response:
        if response.status != http.HTTPStatus.PARTIAL_CONTENT:
            begin = 0  # the server can't resume and begins anew
        elif not (response.headers.get("Content-Range") or "").startswith(f"bytes {begin}-"):
            partial.unlink()  # it sends another part than asked for: ask for the whole
            return False
        length = response.headers.get("Content-Length")
        expected = begin + int(length) if length and length.isdigit() else None
        _check_size(file, begin, expected, partial.parent)
        size = _append(response, partial, begin, file, expected)
    return size == expected if expected is not None else True


def _check_size(file: RemoteFile, begin: int, expected: int | None, folder: Path) -> None:
    if expected is not None and expected > file.max_bytes:
        raise DatasetError(
            f"the server says that {file.name} has {expected:,} bytes; it has less than {file.max_bytes:,}"
        )
    check_space(folder, (expected or 0) - begin, f"missing bytes of {file.name}")


def _append(
    response: http.client.HTTPResponse, partial: Path, begin: int, file: RemoteFile, expected: int | None
) -> int:
    """Writes what comes at `begin`; returns the file's size then."""
    with (
        partial.open("r+b" if partial.exists() else "wb") as out,
        tqdm(desc=file.name, initial=begin, total=expected, unit="B", unit_scale=True, leave=False) as progress,
    ):
        out.seek(begin)
        out.truncate()
        while block := response.read(BLOCK):
            if out.tell() + len(block) > file.max_bytes:
                raise DatasetError(f"the server sends more than {file.max_bytes:,} bytes of {file.name}")
            try:
                out.write(block)
            except OSError as error:
                raise DatasetError(f"cannot write {partial}: {error.strerror}") from error
            progress.update(len(block))
        return out.tell()


def _size(partial: Path) -> int:
    return partial.stat().st_size if partial.exists() else 0
