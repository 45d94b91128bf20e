"""How the library answers 1,000 damaged files (tests/damage.py): outcome, time and memory of each, told as a table.

    python benchmarks/robustness.py [--files 1000] [--seed 0] [--json]

Every file is read by a fresh call in a worker process that is killed after `--time-limit`; a worker that dies or is
killed counts as a crash or a hang, and the exit status is 1.
"""

import argparse
import json
import multiprocessing
import resource
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from damage import damaged_files

TIME_LIMIT_S = 10.0
MEMORY_LIMIT_MB = 1_500.0


@dataclass(frozen=True)
class Outcome:
    """What became of one file: "loaded", "noted", "refused", "crash" or "hang", in how long, with how much memory."""

    kind: str
    name: str
    answer: str
    message: str
    seconds: float
    peak_mb: float


def read_files(connection: Connection) -> None:
    """The worker: a path comes in, the answer goes out."""
    from msecnn.audio import AudioError, load

    while path := connection.recv():
        started = time.perf_counter()
        try:
            recording = load(path)
        except AudioError as error:
            answer, message = "refused", str(error)
        else:
            usual = ("Resampled", "Mixed")
            odd = [note for note in recording.notes if not note.startswith(usual)]
            answer, message = ("noted" if odd else "loaded"), " ".join(odd)
            if not np.isfinite(recording.waveform).all():
                answer, message = "crash", "samples that are not numbers were let through"
        if "\n" in message:
            answer, message = "crash", "the message is not one line"
        seconds = time.perf_counter() - started
        connection.send((answer, message, seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))


class Worker:
    """A process that reads files one after the other and is replaced when it dies or hangs."""

    def __init__(self) -> None:
        self._context = multiprocessing.get_context("spawn")
        self._start()

    def _start(self) -> None:
        self._connection, theirs = self._context.Pipe()
        self._process = self._context.Process(target=read_files, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()

    def read(self, path: Path, time_limit_s: float) -> tuple[str, str, float, float]:
        self._connection.send(str(path))
        try:
            if self._connection.poll(time_limit_s):
                return self._connection.recv()
            answer = ("hang", f"no answer within {time_limit_s:g} s", time_limit_s, float("nan"))
        except (EOFError, ConnectionError):
            answer = ("crash", "the process died", float("nan"), float("nan"))
        self.stop()
        self._start()
        return answer

    def stop(self) -> None:
        self._process.kill()
        self._process.join()


def run(n_files: int, seed: int, time_limit_s: float) -> list[Outcome]:
    outcomes = []
    worker = Worker()
    with tempfile.TemporaryDirectory() as folder:
        for file in tqdm(damaged_files(n_files, seed=seed), total=n_files, unit="file"):
            path = file.write(Path(folder))
            outcomes.append(Outcome(file.kind, file.name, *worker.read(path, time_limit_s)))
            path.unlink()
    worker.stop()
    return outcomes


def table(outcomes: list[Outcome]) -> str:
    """One line a kind of damage. The peak memory is the worker's so far, so it never falls from line to line."""
    by_kind = defaultdict(list)
    for outcome in outcomes:
        by_kind[outcome.kind].append(outcome)
    lines = [
        "| damage | files | loaded | loaded with a note | refused | crash or hang | slowest, s | peak memory, MB |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for kind, group in [*sorted(by_kind.items()), ("**all**", outcomes)]:
        count = {answer: sum(o.answer == answer for o in group) for answer in ("loaded", "noted", "refused")}
        slowest, peak = (np.nanmax([getattr(o, key) for o in group]) for key in ("seconds", "peak_mb"))
        lines.append(
            f"| {kind} | {len(group)} | {count['loaded']} | {count['noted']} | {count['refused']} "
            f"| {len(group) - sum(count.values())} | {slowest:.2f} | {peak:.0f} |"
        )
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--time-limit", type=float, default=TIME_LIMIT_S, help="seconds a file may take")
    parser.add_argument("--json", action="store_true", help="every outcome instead of the table")
    asked = parser.parse_args()
    outcomes = run(asked.files, asked.seed, asked.time_limit)
    if asked.json:
        json.dump([asdict(outcome) for outcome in outcomes], sys.stdout, indent=1)
    else:
        print(table(outcomes))
    bad = [o for o in outcomes if o.answer in ("crash", "hang") or o.peak_mb > MEMORY_LIMIT_MB]
    for outcome in bad:
        print(f"{outcome.answer}: {outcome.kind}, {outcome.name!r}: {outcome.message}", file=sys.stderr)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
