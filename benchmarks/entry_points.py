"""The three ways in for a file, and what becomes of each damaged one: through the library, the command line, the page.

Whoever is asked must answer, or refuse in one readable sentence, in time, and be well afterwards. `robustness.py` sends
1,000 files through each; the tests send a few.
"""

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from corrupt_audio import DamagedFile
from load import same
from running_page import ROOT, RunningPage

#: The kind of file that is honest work for a minute on the command line; the page refuses it by its length or size.
LONG = "ten hours"
#: What every way must still tag as before when all the damaged files have been through.
GOOD = ROOT / "assets" / "examples" / "piano.mp3"
#: Sentences that our own mistakes get; to a visitor they say nothing about the file.
OURS = ("could not be tagged", "ended the process", "on our side")
#: Notes that sound files get, too.
USUAL = ("Resampled", "Mixed", "The sound lasts", "The last window")
#: Seconds after which nothing more is waited for, from a program that has many files, and one of them ten hours long.
PATIENCE_S = 600.0
VISITORS = 4
#: Seconds between two looks at a run of the command line; as exact are its times for a file.
WATCH_S = 0.2


@dataclass(frozen=True)
class Outcome:
    """What became of one file: "answered", "noted", "refused", "crash" or "hang", in how long, at what peak memory."""

    kind: str
    name: str
    answer: str
    message: str
    seconds: float
    peak_mb: float


def outcome(
    file: DamagedFile, said: str | Sequence[str], seconds: float, peak_mb: float, time_limit_s: float
) -> Outcome:
    """Classifies the answer to a file: notes (a list), or why it was refused (a sentence)."""
    if isinstance(said, str):
        readable = said.isprintable() and said.endswith(".") and not any(ours in said for ours in OURS)
        answer, message = ("refused" if readable else "crash"), said
    else:
        odd = [note for note in said if not note.startswith(USUAL)]
        answer, message = ("noted" if odd else "answered"), " ".join(odd)
    if seconds > time_limit_s and file.kind != LONG:
        answer, message = "hang", f"took {seconds:.1f} s: {message}"
    return Outcome(file.kind, file.name, answer, message, seconds, peak_mb)


# ---- the library


def through_library(files: Sequence[DamagedFile], folder: Path, *, time_limit_s: float) -> list[Outcome]:
    """`msecnn.audio.read_recording` in a process that is killed when it takes too long, and replaced when it dies."""
    outcomes, worker = [], _Worker()
    for file in tqdm(files, unit="file", desc="library", disable=None):
        path = file.write(folder)
        said, seconds, peak_mb = worker.read(path, time_limit_s)
        if said is None:
            answer = "hang" if seconds >= time_limit_s else "crash"
            outcomes.append(Outcome(file.kind, file.name, answer, "the process is gone", seconds, peak_mb))
        else:
            outcomes.append(outcome(file, said, seconds, peak_mb, time_limit_s))
        path.unlink()
    worker.stop()
    return outcomes


def _read_files(connection: Connection) -> None:
    """The worker: a path comes in; notes, or why it was refused, go out."""
    from msecnn.audio import AudioError, read_recording

    while path := connection.recv():
        begun = time.perf_counter()
        try:
            recording = read_recording(path)
            finite = np.isfinite(recording.waveform).all()
            said: str | tuple[str, ...] = recording.notes if finite else "samples that are no numbers got through"
        except AudioError as error:
            said = str(error)
        except Exception as error:
            said = f"{type(error).__name__}: {error}\n"
        connection.send((said, time.perf_counter() - begun, _peak_mb(os.getpid())))


class _Worker:
    """A process that reads files one after the other."""

    def __init__(self) -> None:
        self._context = multiprocessing.get_context("spawn")
        self._start()

    def _start(self) -> None:
        self._connection, theirs = self._context.Pipe()
        self._process = self._context.Process(target=_read_files, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()

    def read(self, path: Path, time_limit_s: float) -> tuple[str | tuple[str, ...] | None, float, float]:
        begun = time.perf_counter()
        try:
            self._connection.send(str(path))
            if self._connection.poll(time_limit_s):
                answer: tuple[str | tuple[str, ...], float, float] = self._connection.recv()
                return answer
        except (EOFError, ConnectionError):
            pass
        seconds = time.perf_counter() - begun
        self.stop()
        self._start()
        return None, seconds, float("nan")

    def stop(self) -> None:
        self._process.kill()
        self._process.join()


# ---- the command line


def through_command_line(
    files: Sequence[DamagedFile], folder: Path, *, time_limit_s: float, n_alone: int = 8
) -> list[Outcome]:
    """One run over the folder, `tag DIR --recursive --out`; then some files alone, whose answers must be the same.

    What a scan passes over by its name is named, so that every file gets an answer.
    """
    from msecnn.files import readable
    from msecnn.library.scan import scan

    music = folder / "music"
    music.mkdir()
    paths = {readable(str(file.write(music))): file for file in tqdm(files, unit="file", desc="written", disable=None)}
    found = {readable(path) for path in scan([str(music)]).files}
    run = _LibraryRun([GOOD, music, *(path for path in paths if path not in found)], folder / "tags.jsonl")
    outcomes = []
    for path, file in paths.items():
        answers = run.answers.get(path, [])
        if len(answers) == 1:
            said = answers[0].get("error", answers[0].get("notes"))
            outcomes.append(outcome(file, said, run.seconds.get(path, 0.0), run.peak_mb, time_limit_s))
        else:
            outcomes.append(Outcome(file.kind, file.name, "crash", f"{len(answers)} answers", 0.0, run.peak_mb))
    outcomes += _failures(run.log, run.peak_mb)
    short = [path for path, file in paths.items() if file.kind != LONG]
    for path in tqdm([str(GOOD), *short[:n_alone]], unit="file", desc="alone", disable=None):
        outcomes += _alone(path, run.answers.get(path, []))
    return outcomes


class _LibraryRun:
    """A run of the command line over a library, watched: each file's answers and seconds, what it said, its memory."""

    def __init__(self, sources: Sequence[str | Path], out: Path) -> None:
        self.seconds: dict[str, float] = {}
        self.peak_mb = 0.0
        command = [*TAG, *map(str, sources), "--recursive", "--out", str(out), "--jobs", "1"]
        with (out.parent / "log").open("w+") as log:
            process = subprocess.Popen(command, cwd=ROOT, stderr=log, start_new_session=True)
            try:
                self._watch(process, out.with_name(f"{out.name}.journal"))
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
            log.seek(0)
            self.log = log.read()
        self.answers: dict[str, list[dict[str, Any]]] = {}
        for line in out.read_text(encoding="utf-8").splitlines() if out.exists() else ():
            answer = json.loads(line)
            self.answers.setdefault(answer["file"], []).append(answer)

    def _watch(self, process: "subprocess.Popen[bytes]", journal: Path) -> None:
        """One worker answers one file after the other: what passes between two answers is a file's time.

        Returns when the run has ended, or has given no answer for too long.
        """
        n_read, last = 0, time.monotonic()
        while process.poll() is None:
            time.sleep(WATCH_S)
            self.peak_mb = max([self.peak_mb, *(_peak_mb(pid) for pid in _process_session(process.pid))])
            now = time.monotonic()
            for line in _lines_after(journal, n_read):
                n_read += len(line)
                self.seconds[json.loads(line).get("file", "")], last = now - last, now
            if now - last > PATIENCE_S:
                return


def _lines_after(path: Path, n_bytes: int) -> list[bytes]:
    """Whole lines of a file that grows, beyond what has been read; it may not be there yet, or any longer."""
    try:
        with path.open("rb") as file:
            file.seek(n_bytes)
            return [line for line in file if line.endswith(b"\n")]
    except FileNotFoundError:
        return []


TAG = [sys.executable, "-m", "msecnn", "tag", "--device", "cpu"]


def _alone(path: str, batch: list[dict[str, Any]]) -> Iterator[Outcome]:
    """A failure, where a file on its own gets another answer than in the library, a trace, or a strange exit status."""
    done = subprocess.run([*TAG, path, "--format", "json"], cwd=ROOT, capture_output=True, text=True)
    (answer,) = json.loads(done.stdout) if done.stdout else [{}]
    as_told = done.returncode == int("error" in answer) and answer.get("error", "") in done.stderr
    if not as_told or not same([answer], batch):
        yield Outcome("alone", Path(path).name, "crash", f"{done.returncode}: {done.stderr}", 0.0, 0.0)
    yield from _failures(done.stderr, 0.0)


# ---- the page


def through_page(files: Sequence[DamagedFile], folder: Path, *, time_limit_s: float) -> list[Outcome]:
    """A few visitors upload and tag the files, through Gradio's own client, each in a session."""
    with RunningPage("--patience", str(PATIENCE_S), environment={"GRADIO_TEMP_DIR": str(folder / "uploads")}) as page:
        return through_running_page(page, files, folder, time_limit_s=time_limit_s)


def through_running_page(
    page: RunningPage, files: Sequence[DamagedFile], folder: Path, *, time_limit_s: float
) -> list[Outcome]:
    """The same with a page that is there already."""
    before = _asked(page, GOOD, time_limit_s)
    with tqdm(total=len(files), unit="file", desc="page", disable=None) as bar, ThreadPoolExecutor(VISITORS) as pool:
        sessions = [
            pool.submit(_send_files, page, files[i::VISITORS], folder, time_limit_s, bar.update)
            for i in range(VISITORS)
        ]
        outcomes = [found for session in sessions for found in session.result()]
    after = _asked(page, GOOD, time_limit_s)
    if not isinstance(before, dict) or not same(after, before):
        outcomes.append(Outcome("afterwards", GOOD.name, "crash", f"{after} instead of {before}", 0.0, 0.0))
    return outcomes + list(_failures("".join(page.log), _peak_mb(page.process.pid)))


def _send_files(
    page: RunningPage, files: Sequence[DamagedFile], folder: Path, time_limit_s: float, done: Callable[[], object]
) -> list[Outcome]:
    outcomes = []
    for file in files:
        path = file.write(folder)
        begun = time.perf_counter()
        said = _asked(page, path, time_limit_s)
        seconds = time.perf_counter() - begun
        path.unlink()
        said = said if isinstance(said, str) else said["notes"]
        outcomes.append(outcome(file, said, seconds, _peak_mb(page.process.pid), time_limit_s))
        done()
    return outcomes


_own = threading.local()


def _asked(page: RunningPage, path: Path, time_limit_s: float) -> dict[str, Any] | str:
    """The page's answer, or the sentence by which it, or its client before an upload that is too large, refuses."""
    from gradio_client import Client, handle_file
    from gradio_client.exceptions import AppError

    try:
        if getattr(_own, "page", None) is not page:  # a thread is a visitor
            _own.page, _own.client = page, Client(page.address, verbose=False, download_files=False)
        job = _own.client.submit(handle_file(path), ["fcn5", "msecnn"], api_name="/tag")
        answer: dict[str, Any] = job.result(timeout=3 * time_limit_s)
        return answer
    except AppError as error:
        return str(error)
    except Exception as error:
        if "exceeds the maximum file size" in str(error):
            return "The file exceeds the maximum size."
        return f"{type(error).__name__}: {error}"


# ---- processes


def _failures(log: str, peak_mb: float) -> Iterator[Outcome]:
    """A trace in what a program has logged is a bug, whatever it answered."""
    if "Traceback" in log:
        yield Outcome("log", "", "crash", log[log.index("Traceback") :][:4_000], 0.0, peak_mb)


def _peak_mb(pid: int) -> float:
    """The most memory that a process has had; 0 where it has just ended. `getrusage` would begin at the parent's."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), 0.0)


def _process_session(leader: int) -> Iterator[int]:
    """The processes of a session, which all that a command starts belong to."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if os.getsid(int(entry.name)) == leader:
                    yield int(entry.name)
            except OSError:
                continue
