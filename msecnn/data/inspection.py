"""Every audio file of a data set is decoded once, from end to end, before use: its length and hash, or the trouble."""

import hashlib
import logging
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tqdm import tqdm

from msecnn.audio import AudioError, AudioStream
from msecnn.data.parallel import map_in_order
from msecnn.json_lines import JsonLinesLog

logger = logging.getLogger(__name__)

SUFFIXES = frozenset(
    (".aac", ".aif", ".aiff", ".flac", ".m4a", ".mp3", ".mp4", ".oga", ".ogg", ".opus", ".wav", ".webm", ".wma")
)


@dataclass(frozen=True)
class Inspection:
    """What was found in one file.

    Attributes:
        hash: SHA-256 of its bytes, empty where it couldn't be read.
        duration_s: seconds of sound in it.
        problem: why it can't be used, None if it can.
    """

    hash: str
    duration_s: float
    problem: str | None = None


def inspect_files(paths: Sequence[Path], journal_path: Path, *, jobs: int | None = None) -> dict[Path, Inspection]:
    """Decodes files in parallel; findings are kept in a journal, so that a second run goes on where the first stopped.

    Args:
        paths: the files; one named twice is decoded once.
        journal_path: where the findings are kept; those of a file whose size or time has changed don't count.
        jobs: files at once; as many as there are processors when None.
    """
    paths = sorted(set(paths))
    with JsonLinesLog(journal_path) as journal:
        known = {row["state"]: Inspection(**row["found"]) for row in journal.rows}
        states = {path: _state(path) for path in paths}
        todo = [path for path in paths if states[path] not in known]
        for path, inspection in tqdm(
            map_in_order(inspect, todo, jobs=jobs), total=len(todo), desc="decoding", unit="file", disable=not todo
        ):
            if inspection.problem:
                logger.warning("left out %s: %s", path, inspection.problem)
            known[states[path]] = inspection
            journal.append({"state": states[path], "found": asdict(inspection)})
    return {path: known[states[path]] for path in paths}


def inspect(path: Path) -> Inspection:
    """Hashes a file and decodes all of it, a block at a time."""
    try:
        with path.open("rb") as file:
            content_hash = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        return Inspection("", 0.0, f"cannot be read: {error.strerror}")
    sample_rate = 12_000
    n_samples = 0
    try:
        with AudioStream(path, sample_rate=sample_rate) as stream:
            n_samples = sum(len(block) for block in stream)
    except AudioError as error:
        return Inspection(content_hash, 0.0, str(error))
    return Inspection(content_hash, n_samples / sample_rate, None if n_samples else "it holds no sound")


def _state(path: Path) -> str:
    """Names a file as it is now."""
    try:
        status = os.stat(path)
    except OSError:
        return f"{path} missing"
    return f"{path.resolve()} {status.st_size} {status.st_mtime_ns}"
