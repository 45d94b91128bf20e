"""An hour of mixed use: does the server's memory grow, or what it keeps on the disk?

    python benchmarks/endurance.py [--minutes 60] [--visitors 6] [--json]

Visitors, each a session of the page, open examples and recordings of their own (new ones every time, and now and then a
damaged one), ask for all that the page offers, save archives, and leave in the middle of a slow question; a visitor who
has left comes back as another. The exit status is 1 where a right question got no answer, a damaged file no sentence,
or where the second half's median of memory or disk is more than `MOST_TIMES` that of the quarter before it.

The page holds a recording, and its files, for an hour after its last use, so that its disk only fills for an hour. Here
it holds them for a twelfth of the run, and as many go as come. Nobody asks anew once the minutes are over, and no
answer is waited for longer than `ANSWER_S`.
"""

import argparse
import json
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from audio_files import encode, music
from corrupt_audio import damaged_files
from measuring import cpu_name
from running_page import RunningPage, Visitor

from msecnn import music_rows
from msecnn.ui.server.context import UPLOADS_OF_AN_ADDRESS
from msecnn.ui.server.visitors import HELD_BYTES, MADE_BYTES

EXAMPLES, TAGS = ("piano", "orchestral", "singing"), ("piano", "guitar", "slow")
ROWS = tuple(music_rows.ROWS)
METHODS = ("shapley", "gradient", "grad_cam", "occlusion")
#: Seconds between two looks at memory and disk; questions that a visitor asks before he leaves.
INTERVAL_S, QUESTIONS = 2.0, 12
N_DAMAGED, DAMAGED_SHARE, LEAVING_SHARE = 40, 0.1, 0.05
MOST_TIMES = 1.1
SAMPLE_RATE, DURATION_S = 22_050, 20.0
#: Longest time that an answer may take, seconds; and the least that a recording is held, though a question waits.
ANSWER_S, LEAST_HELD_S = 240.0, 60.0
#: The share of the run for which a recording is held, and of that time between two looks for what may go.
HELD_SHARE, SWEEP_SHARE = 1 / 12, 1 / 5
#: Size of the largest upload, MB; and what all visitors' files may come to: made for them, and brought by one address.
MAX_MEGABYTES = 500
LIMIT_MB = MADE_BYTES / 2**20 + UPLOADS_OF_AN_ADDRESS * MAX_MEGABYTES
#: Starts the page with other times; the arguments are its command line.
PAGE = """
import sys
from msecnn.cli import main
from msecnn.ui.server import session_store, upload_folder

session_store.HELD_S = upload_folder.KEPT_S = {held_s}
upload_folder.SWEEP_INTERVAL_S = {sweep_s}
sys.exit(main(["serve", *sys.argv[1:]]))
"""


@dataclass(frozen=True)
class Use:
    """What an hour left behind: medians of the second quarter and of the second half, and the most, in MB."""

    minutes: float
    visitors: int
    held_s: float
    questions: dict[str, int]
    memory_mb: tuple[float, float, float]
    disk_mb: tuple[float, float, float]
    problems: list[str]

    @property
    def is_flat(self) -> bool:
        within = self.disk_mb[2] <= LIMIT_MB
        return within and all(later <= MOST_TIMES * earlier for earlier, later, _ in (self.memory_mb, self.disk_mb))


@dataclass
class Record:
    """What all visitors have asked, and what went wrong."""

    asked: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)


class MixedVisitor:
    """One visitor after the other, each with a session of the page.

    Args:
        damaged: files to bring now and then.
        until: when nothing is asked any more.
    """

    def __init__(
        self, address: str, seed: int, folder: Path, damaged: list[Path], record: Record, until: float
    ) -> None:
        self._address, self._folder, self._damaged, self._record = address, folder, damaged, record
        self._until = until
        self._rng, self._seed, self._serial = np.random.default_rng(seed), seed, 0

    def come_and_go(self) -> None:
        """Opens a recording, asks some questions, and leaves."""
        visitor = Visitor(self._address, patience_s=ANSWER_S)
        if self._open(visitor):
            for _ in range(QUESTIONS):
                if time.monotonic() > self._until:
                    return
                if self._rng.random() < LEAVING_SHARE:
                    self._leave_in_the_middle(visitor)
                    return
                self._ask(visitor, *self._question())

    def _open(self, visitor: Visitor) -> bool:
        chance = self._rng.random()
        if chance < DAMAGED_SHARE:
            path = self._damaged[int(self._rng.integers(len(self._damaged)))]
            self._record.asked["damaged"] += 1
            answer = visitor.ask("open", path=visitor.upload(path, "damaged"), name="damaged")
            if "on our side" in answer.get("error", ""):
                self._record.problems.append(f"a damaged file: {answer['error']}")
            return "error" not in answer
        if chance < 0.5:
            self._ask(visitor, "open", {"example": EXAMPLES[int(self._rng.integers(len(EXAMPLES)))]})
            return True
        self._ask(visitor, "open", {"path": visitor.upload(self._new_recording(), "mine.wav"), "name": "mine.wav"})
        return True

    def _new_recording(self) -> Path:
        """Nobody has brought these sounds before."""
        self._serial += 1
        path = self._folder / f"{self._seed}.wav"
        sound = music(DURATION_S, SAMPLE_RATE, 1, seed=1000 * self._seed + self._serial)
        path.write_bytes(encode(sound, SAMPLE_RATE, "16bit.wav"))
        return path

    def _question(self) -> tuple[str, dict[str, Any]]:
        explained = {"model": "msecnn", "tag": TAGS[int(self._rng.integers(len(TAGS)))], "window": 0}
        method = METHODS[int(self._rng.integers(len(METHODS)))]
        questions = (
            ("window", {"window": 0}),
            ("why", explained),
            ("maps", {**explained, "method": method, "token": f"{self._seed}"}),
            ("sonify", {**explained, "what": ("evidence", "rest")[int(self._rng.integers(2))]}),
            ("sound", {}),
            ("network", explained),
            ("channels", {**explained, "level": "level2"}),
            ("channel", {**explained, "level": "level2", "channel": int(self._rng.integers(8))}),
            ("feature-path", {**explained, "scale": "level2", "channel": int(self._rng.integers(8))}),
            ("winning-cells", explained),
            ("split", explained),
            ("timeline", {}),
            ("calibration", {}),
            ("music-row", {"window": 0, "row": ROWS[int(self._rng.integers(len(ROWS)))]}),
            ("what-if", {"window": 0, "edits": f"level={-int(self._rng.integers(1, 20))}"}),
            ("second", {"example": EXAMPLES[int(self._rng.integers(len(EXAMPLES)))]}),
            ("worksheet", explained),
            ("export", explained),
        )
        return questions[int(self._rng.integers(len(questions)))]

    def _ask(self, visitor: Visitor, endpoint: str, request: dict[str, Any]) -> None:
        self._record.asked[endpoint] += 1
        answer = visitor.ask(endpoint, **request)
        if "error" in answer:
            self._record.problems.append(f"{endpoint}: {answer['error']}")

    def _leave_in_the_middle(self, visitor: Visitor) -> None:
        self._record.asked["left"] += 1
        visitor.send("faithfulness-check", token=f"left-{self._seed}", model="msecnn", tag="piano", window=0)
        answers = visitor.listen()
        next(answers, None)
        answers.close()  # type: ignore[attr-defined]


def run(page: RunningPage, uploads: Path, minutes: float, n_visitors: int, held_s: float) -> Use:
    record, memory, disk = Record(), list[float](), list[float]()
    over, begun = threading.Event(), time.monotonic()

    def watch() -> None:
        while not over.wait(INTERVAL_S):
            memory.append(page.memory_mb())
            disk.append(folder_mb(uploads))

    watcher = threading.Thread(target=watch)
    watcher.start()
    with tempfile.TemporaryDirectory() as made, ThreadPoolExecutor(n_visitors) as pool:
        damaged = write_damaged(Path(made))
        until = begun + 60 * minutes
        visitors = [
            MixedVisitor(page.address, seed, Path(made), damaged, record, until) for seed in range(1, n_visitors + 1)
        ]
        for ended in [pool.submit(keep_coming, visitor.come_and_go, until, record) for visitor in visitors]:
            ended.result()
    over.set()
    watcher.join()
    return Use(
        minutes=round((time.monotonic() - begun) / 60, 1),
        visitors=n_visitors,
        held_s=held_s,
        questions=dict(sorted(record.asked.items())),
        memory_mb=quarters(memory),
        disk_mb=quarters(disk),
        problems=record.problems[:20],
    )


def keep_coming(come: Callable[[], None], until: float, record: Record) -> None:
    while time.monotonic() < until:
        try:
            come()
        except httpx.HTTPError as error:
            record.problems.append(f"{type(error).__name__}: {error}")


def write_damaged(folder: Path) -> list[Path]:
    """Some of the files of `robustness.py`, but for those of gigabytes."""
    return [file.write(folder) for file in damaged_files(N_DAMAGED, seed=1) if not file.n_zeros]


def folder_mb(folder: Path) -> float:
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except OSError:  # gone since it was listed
            continue
    return total / 2**20


def quarters(values: list[float]) -> tuple[float, float, float]:
    """Median of the second quarter, median of the second half, maximum."""
    n = len(values)
    second, last = values[n // 4 : n // 2], values[n // 2 :]
    return round(statistics.median(second), 1), round(statistics.median(last), 1), round(max(values), 1)


def table(use: Use) -> str:
    lines = ["| MB | second quarter, median | second half, median | most |", "|---|--:|--:|--:|"]
    for title, figures in (("memory of the server", use.memory_mb), ("files of all visitors", use.disk_mb)):
        lines.append(f"| {title} | " + " | ".join(f"{figure:,.0f}" for figure in figures) + " |")
    counts = ", ".join(f"{name} {count:,}" for name, count in use.questions.items())
    sentence = (
        f"{use.visitors} visitors at a time, {use.minutes:g} minutes, {sum(use.questions.values()):,} questions "
        f"({counts}); unanswered or wrongly answered: {len(use.problems)}. A recording was held for "
        f"{use.held_s:.0f} s after its last use. The page's limits: {HELD_BYTES / 2**20:,.0f} MB of memory for open "
        f"recordings, {LIMIT_MB:,.0f} MB of files."
    )
    return "\n".join([f"Measured by `python benchmarks/endurance.py` on {cpu_name()}.", "", *lines, "", sentence])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--visitors", type=int, default=6)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    held_s = max(LEAST_HELD_S, HELD_SHARE * 60 * args.minutes)
    command = (sys.executable, "-c", PAGE.format(held_s=held_s, sweep_s=SWEEP_SHARE * held_s))
    with (
        tempfile.TemporaryDirectory() as uploads,
        RunningPage(
            "--max-megabytes", f"{MAX_MEGABYTES}", environment={"GRADIO_TEMP_DIR": uploads}, command=command
        ) as page,
    ):
        use = run(page, Path(uploads), args.minutes, args.visitors, held_s)
    print(json.dumps(asdict(use), indent=1) if args.json else table(use))
    for problem in use.problems:
        print(problem, file=sys.stderr)
    return 0 if use.is_flat and not use.problems else 1


if __name__ == "__main__":
    sys.exit(main())
