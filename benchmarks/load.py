"""A class comes all at once: visitors with sessions of their own tag and explain; every answer must be the serial one.

    python benchmarks/load.py [--visitors 40] [--seconds 120] [--no-flooder] [--json]

Starts the page on this machine and asks it through Gradio's own client. Each visitor has a `gradio_client` session and
takes examples, models, tags and windows by chance from a fixed seed, one question after the other. The exit status is
1 where an answer differs from the one that was given when nobody else was there, or where one was lost. `unevenness`
is the most answers that a visitor got, over the fewest; memory is the server's, resident.

Then all of it once more beside one who asks as fast as he can (`flooder.py`). Each visitor comes from an address of his
own, as a proxy would tell it, and the flooder from one. The exit status is 1, too, where the visitors' 95th percentile
is then more than `MOST_TIMES` what it was without him.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from gradio_client import Client, handle_file

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from measuring import cpu_name
from running_page import ROOT, RunningPage

MODELS = ("fcn5", "msecnn")
TAGS = ("guitar", "piano", "female", "loud")
#: Examples asked about, and how much numbers may differ between two runs of the same arithmetic.
N_CLIPS, TOLERANCE = 4, 1e-5
MEMORY_INTERVAL_S = 0.5
#: Seconds that a visitor waits for the page's parts, as a browser would; gradio_client alone gives up after 5.
PATIENCE_S = 60.0
#: The visitors' 95th percentile beside a flooder, at most so many times that without; and his time to begin, seconds.
MOST_TIMES, FLOODER_START_S = 2.0, 5.0

ExplanationRequest = tuple[str, ...]


@dataclass
class Session:
    """What one visitor met: seconds each answer took, by kind of question, and what went wrong."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: {"tag": [], "explain": []})
    wrong: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)

    @property
    def n_answers(self) -> int:
        return sum(map(len, self.seconds.values()))


@dataclass(frozen=True)
class Load:
    """What all visitors met."""

    visitors: int
    seconds: float
    answers: int
    wrong: int
    lost: int
    answers_per_s: float
    alone_s: dict[str, float]
    median_s: dict[str, float]
    p95_s: dict[str, float]
    unevenness: float
    memory_peak_mb: float
    memory_first_half_mb: float
    memory_second_half_mb: float
    problems: list[str]


def questions() -> list[ExplanationRequest]:
    """All that may be asked."""
    clips = [str(path) for path in sorted((ROOT / "assets" / "examples").glob("*.mp3"))[:N_CLIPS]]
    return [
        *(("tag", clip) for clip in clips),
        *(("explain", clip, tag, model) for clip in clips for tag in TAGS for model in MODELS),
    ]


def ask(client: Client, question: ExplanationRequest) -> Any:
    kind, clip, *rest = question
    if kind == "tag":
        return client.predict(handle_file(clip), list(MODELS), api_name="/tag")
    return client.predict(handle_file(clip), *rest, 0, api_name="/explain")


def same(answer: Any, expected: Any) -> bool:
    """Equal, and numbers equal but for the rounding of sums."""
    if isinstance(expected, dict):
        return answer.keys() == expected.keys() and all(same(answer[key], expected[key]) for key in expected)
    if isinstance(expected, list):
        return len(answer) == len(expected) and all(map(same, answer, expected))
    if isinstance(expected, float):
        return abs(answer - expected) <= TOLERANCE
    return bool(answer == expected)


def session(address: str, expected: dict[ExplanationRequest, Any], seed: int, until: Callable[[], bool]) -> Session:
    """One visitor, who asks until the time is over."""
    rng, met = np.random.default_rng(seed), Session()
    own = {"X-Forwarded-For": f"10.0.{seed // 250}.{seed % 250 + 1}"}
    client = Client(address, verbose=False, download_files=False, headers=own, httpx_kwargs={"timeout": PATIENCE_S})
    kinds = {kind: [question for question in expected if question[0] == kind] for kind in met.seconds}
    while not until():
        choices = kinds["tag" if rng.random() < 0.5 else "explain"]
        question = choices[int(rng.integers(len(choices)))]
        begun = time.perf_counter()
        try:
            answer = ask(client, question)
        except Exception as error:  # whatever it is, the visitor has no answer
            met.lost.append(f"{question}: {type(error).__name__}: {error}")
            continue
        met.seconds[question[0]].append(time.perf_counter() - begun)
        if not same(answer, expected[question]):
            met.wrong.append(f"{question}: another answer than alone")
    return met


@contextmanager
def flooder(address: str) -> Iterator[None]:
    """One who floods the page until the block ends."""
    process = subprocess.Popen([sys.executable, str(Path(__file__).with_name("flooder.py")), address])
    try:
        time.sleep(FLOODER_START_S)
        yield
        assert process.poll() is None, "the flooder gave up"
    finally:
        process.kill()
        process.wait()


def ask_alone(page: RunningPage) -> tuple[dict[ExplanationRequest, Any], dict[str, list[float]]]:
    """The answer to each question while nobody else is there, and the seconds that they took, by kind."""
    client = Client(page.address, verbose=False, download_files=False)
    seconds: dict[str, list[float]] = {"tag": [], "explain": []}
    expected = {}
    for question in questions():
        begun = time.perf_counter()
        expected[question] = ask(client, question)
        seconds[question[0]].append(time.perf_counter() - begun)
    return expected, seconds


def run(
    page: RunningPage,
    n_visitors: int,
    seconds: float,
    expected: dict[ExplanationRequest, Any],
    alone: dict[str, list[float]],
) -> Load:
    memory: list[float] = []
    over = threading.Event()

    def watch() -> None:
        while not over.wait(MEMORY_INTERVAL_S):
            memory.append(page.memory_mb())

    watcher = threading.Thread(target=watch)
    watcher.start()
    begun = time.monotonic()
    with ThreadPoolExecutor(n_visitors) as pool:
        ended = [
            pool.submit(session, page.address, expected, seed, lambda: time.monotonic() - begun > seconds)
            for seed in range(n_visitors)
        ]
        sessions = [visitor.result() for visitor in ended]
    took = time.monotonic() - begun
    over.set()
    watcher.join()
    return measured(sessions, took, alone, memory)


def measured(sessions: list[Session], seconds: float, alone: dict[str, list[float]], memory: list[float]) -> Load:
    times = {kind: [second for met in sessions for second in met.seconds[kind]] for kind in alone}
    counts = [met.n_answers for met in sessions]
    half = len(memory) // 2
    return Load(
        visitors=len(sessions),
        seconds=round(seconds, 1),
        answers=sum(counts),
        wrong=sum(len(met.wrong) for met in sessions),
        lost=sum(len(met.lost) for met in sessions),
        answers_per_s=round(sum(counts) / seconds, 2),
        alone_s={kind: round(statistics.median(values), 3) for kind, values in alone.items()},
        median_s={kind: round(float(np.median(values)), 3) for kind, values in times.items() if values},
        p95_s={kind: round(float(np.quantile(values, 0.95)), 3) for kind, values in times.items() if values},
        unevenness=round(max(counts) / max(1, min(counts)), 2),
        memory_peak_mb=round(max(memory)),
        memory_first_half_mb=round(statistics.median(memory[:half])),
        memory_second_half_mb=round(statistics.median(memory[half:])),
        problems=[problem for met in sessions for problem in (*met.wrong, *met.lost)][:20],
    )


def times(load: Load, flooded: Load) -> dict[str, float]:
    """Of each kind of question the 95th percentile beside a flooder, over that without."""
    return {kind: round(flooded.p95_s[kind] / load.p95_s[kind], 2) for kind in load.p95_s}


def table(load: Load, flooded: Load | None) -> str:
    lines = ["| question | alone, median s | together, median s | together, 95th percentile s |", "|---|--:|--:|--:|"]
    lines += [
        f"| {kind} | {load.alone_s[kind]:.2f} | {load.median_s[kind]:.2f} | {load.p95_s[kind]:.2f} |"
        for kind in load.median_s
    ]
    if flooded is not None:
        lines[0] += " beside a flooder, 95th percentile s | times as long |"
        lines[1] += "--:|--:|"
        for row, kind in enumerate(load.median_s, start=2):
            lines[row] += f" {flooded.p95_s[kind]:.2f} | {times(load, flooded)[kind]:.2f} |"
    sentences = [sentence(load)]
    if flooded is not None:
        sentences.append(f"Beside one who asks without waiting, over 16 connections: {sentence(flooded)}")
    return "\n\n".join([f"Measured by `python benchmarks/load.py` on {cpu_name()}.", "\n".join(lines), *sentences])


def sentence(load: Load) -> str:
    return (
        f"{load.visitors} visitors, {load.seconds:.0f} s: {load.answers} answers ({load.answers_per_s:g} a second), "
        f"{load.wrong} wrong, {load.lost} lost; the busiest visitor got {load.unevenness:g} times the answers of "
        f"the least. Memory, median of the first half {load.memory_first_half_mb:,.0f} MB, of the second "
        f"{load.memory_second_half_mb:,.0f} MB, at most {load.memory_peak_mb:,.0f} MB."
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--visitors", type=int, default=40)
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--flooder", action=argparse.BooleanOptionalAction, default=True, help="and once more with one")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    flooded = None
    with tempfile.TemporaryDirectory() as uploads, RunningPage(environment={"GRADIO_TEMP_DIR": uploads}) as page:
        measure = partial(run, page, args.visitors, args.seconds, *ask_alone(page))
        load = measure()
        if args.flooder:
            with flooder(page.address):
                flooded = measure()
    loads = [load] if flooded is None else [load, flooded]
    print(json.dumps([asdict(one) for one in loads], indent=1) if args.json else table(load, flooded))
    for problem in (problem for one in loads for problem in one.problems):
        print(problem, file=sys.stderr)
    slower = flooded is not None and max(times(load, flooded).values()) > MOST_TIMES
    return 1 if slower or any(one.wrong or one.lost for one in loads) else 0


if __name__ == "__main__":
    sys.exit(main())
