"""Which recordings lie in folders: in an order that people expect, each once, whatever links point where."""

import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from stat import S_ISDIR, S_ISREG

from msecnn.library.unfinished import is_unfinished

#: Names that recordings have; a file that is named on its own is taken whatever it is called.
RECORDINGS = (
    *(".aac", ".aif", ".aifc", ".aiff", ".asf", ".au", ".avi", ".caf", ".flac", ".m4a", ".m4b", ".mka", ".mkv"),
    *(".mov", ".mp2", ".mp3", ".mp4", ".oga", ".ogg", ".opus", ".snd", ".w64", ".wav", ".weba", ".webm", ".wma", ".wv"),
)
_Identity = tuple[int, int]  # device and inode


@dataclass(frozen=True)
class Found:
    """What a scan came upon.

    Attributes:
        files: recordings in order. Paths start as they were given; bytes that are no UTF-8 are kept as Python does.
        skipped: how many other files there are of each extension, most frequent first.
        unreadable: folders that could not be read, with the reason.
        unfinished: copies of files that a killed process left behind, as `files.replacing` makes them.
    """

    files: tuple[str, ...]
    skipped: dict[str, int]
    unreadable: dict[str, str]
    unfinished: tuple[str, ...] = ()

    def skipped_sentence(self) -> str | None:
        """What was passed over, in words."""
        if not self.skipped:
            return None
        kinds = ", ".join(f"{count:,} {extension}" for extension, count in self.skipped.items())
        return f"Not recordings, by their names, and skipped: {kinds}."


def scan(paths: Sequence[str]) -> Found:
    """Lists the recordings in folders and below them.

    Files that were named themselves are taken as they are. Hidden files and folders (a leading dot) inside a folder
    are skipped. Names sort by their numbers' values ("2" before "10") without regard to case, folder by folder. Links
    to files and folders are followed, but what is also reached without a link, or by an earlier one, is taken once.

    Args:
        paths: files and folders, whose order is kept.
    """
    walk = _Walk()
    files: list[str] = []
    for path in paths:
        if os.path.isdir(path):
            files += sorted(walk.files_below(path), key=_order)
        else:
            files.append(path)
    skipped = dict(walk.skipped.most_common())
    return Found(tuple(dict.fromkeys(files)), skipped, walk.unreadable, tuple(sorted(walk.unfinished)))


class _Walk:
    """A walk through folders that enters each once."""

    def __init__(self) -> None:
        self.skipped: Counter[str] = Counter()
        self.unreadable: dict[str, str] = {}
        self.unfinished: list[str] = []
        self._entered: set[_Identity] = set()
        self._seen: set[_Identity] = set()

    def files_below(self, root: str) -> Iterator[str]:
        """Recordings in no order; what links lead to comes last, so that a file's own path is preferred."""
        links: list[str] = []
        yield from self._enter(root, links, by_link=False)
        while links:
            links.sort(key=_order, reverse=True)
            yield from self._follow(links.pop(), links)

    def _enter(self, folder: str, links: list[str], *, by_link: bool) -> Iterator[str]:
        pending = [folder]
        while pending:
            folder = pending.pop()
            try:
                status = os.stat(folder)
                if (identity := (status.st_dev, status.st_ino)) in self._entered:
                    continue
                self._entered.add(identity)
                with os.scandir(folder) as entries:
                    everything = list(entries)
            except OSError as error:
                self.unreadable[folder] = error.strerror or str(error)
                continue
            self.unfinished += [entry.path for entry in everything if is_unfinished(entry)]
            for entry in everything:
                if entry.name.startswith("."):
                    continue
                if entry.is_symlink():
                    links.append(entry.path)
                elif entry.is_dir(follow_symlinks=False):
                    pending.append(entry.path)
                elif self._is_recording(entry.path, is_regular=entry.is_file(follow_symlinks=False)):
                    status = entry.stat(follow_symlinks=False)
                    identity = (status.st_dev, status.st_ino)
                    if not (by_link and identity in self._seen):  # hard links are files of their own
                        yield entry.path
                    self._seen.add(identity)

    def _follow(self, link: str, links: list[str]) -> Iterator[str]:
        try:
            status = os.stat(link)
        except OSError:  # leads nowhere, or in a circle
            self.skipped["broken link"] += 1
            return
        identity = (status.st_dev, status.st_ino)
        if S_ISDIR(status.st_mode):
            yield from self._enter(link, links, by_link=True)
        elif identity not in self._seen and self._is_recording(link, is_regular=S_ISREG(status.st_mode)):
            self._seen.add(identity)
            yield link

    def _is_recording(self, path: str, *, is_regular: bool) -> bool:
        extension = os.path.splitext(path)[1].lower()
        if is_regular and extension in RECORDINGS:
            return True
        self.skipped[(extension or "without extension") if is_regular else "special file"] += 1
        return False


def _order(path: str) -> tuple[list[list[str | int]], str]:
    """Folder by folder; in a name, runs of digits count as numbers."""
    parts = path.casefold().split(os.sep)
    return [[int(p) if p.isdecimal() else p for p in re.split("([0-9]+)", part)] for part in parts], path
