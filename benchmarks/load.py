"""A class comes all at once: visitors from addresses of their own tag and explain; every answer must be the serial one.

    python benchmarks/load.py [--visitors 40] [--seconds 120] [--no-flooder] [--json] [--write docs/performance.md]

Starts the page on this machine and asks it by name, as a program does (docs/api.md). Each visitor tags and explains in
turns, examples, models and tags by chance from a fixed seed, one question after the other. The exit status is 1 where
an answer differs from the one that was given when nobody else was there, or where one was lost. `unevenness` is the
most answers that a visitor got, over the fewest; memory is the server's, resident.

Then all of it once more beside one who asks as fast as he can (`flooder.py`). Each visitor comes from an address of his
own, as a proxy would tell it, and the flooder from one. The exit status is 1, too, where the visitors' 95th percentile
is then more than `MOST_TIMES` what it was without him.

Nobody asks anew once the seconds are over, and no answer is waited for longer than `ANSWER_S`: without it then, it
counts as lost, and as having taken so long. So each part ends by itself within the seconds and one answer's, and the
questions asked alone, all together, within one answer's.
"""

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from measuring import cpu_name, replace_section
from running_page import ROOT, RunningPage

MODELS = ("fcn5", "msecnn")
TAGS = ("guitar", "piano")
#: Examples asked about, and how much numbers may differ between two runs of the same arithmetic.
N_CLIPS, TOLERANCE = 4, 1e-5
MEMORY_INTERVAL_S = 0.5
#: Longest time that an answer may take, seconds: an explanation has two of a core, and forty may wait for theirs.
ANSWER_S = 240.0
#: The visitors' 95th percentile beside a flooder, at most so many times that without; and his time to begin, seconds.
MOST_TIMES, FLOODER_START_S = 2.0, 5.0

ExplanationRequest = tuple[str, ...]


class LostError(Exception):
    """A question that got no answer."""


@dataclass
class Session:
    """What one visitor met: seconds each answer took, by kind of question, and what went wrong."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: {"tag": [], "explain": []})
    wrong: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)

    @property
    def n_questions(self) -> int:
        return sum(map(len, self.seconds.values()))

    @property
    def n_answers(self) -> int:
        return self.n_questions - len(self.lost)


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


class Asker:
    """One who asks by name, from an address of his own."""

    def __init__(self, http: httpx.AsyncClient, page: RunningPage, address: str) -> None:
        self._http, self._address = http, f"{page.address}gradio_api/"
        self._headers = {"X-Forwarded-For": address}

    async def ask(self, question: ExplanationRequest) -> Any:
        """The answer. Raises LostError where there is none in time."""
        try:
            async with asyncio.timeout(ANSWER_S):
                return await self._ask(*question)
        except TimeoutError:
            raise LostError(f"no answer within {ANSWER_S:g} s") from None
        except httpx.HTTPError as error:
            raise LostError(f"{type(error).__name__}: {error}") from error

    async def _ask(self, kind: str, clip: str, *rest: str) -> Any:
        (path,) = await self._post("upload", files={"files": (Path(clip).name, Path(clip).read_bytes())})
        file = {"path": path, "meta": {"_type": "gradio.FileData"}}
        data = [file, list(MODELS)] if kind == "tag" else [file, *rest, 0, False]
        event = (await self._post(f"call/{kind}", json={"data": data}))["event_id"]
        name = ""
        async with self._http.stream("GET", f"{self._address}call/{kind}/{event}", headers=self._headers) as stream:
            async for line in stream.aiter_lines():
                field_name, _, value = line.partition(": ")
                if field_name == "event":
                    name = value
                elif field_name == "data" and name == "complete":
                    return json.loads(value)[0]
                elif field_name == "data" and name == "error":
                    raise LostError(f"refused: {value}")
        raise LostError("the stream ended without an answer")

    async def _post(self, where: str, **body: Any) -> Any:
        answer = await self._http.post(self._address + where, headers=self._headers, **body)
        return answer.raise_for_status().json()


def patient_client() -> httpx.AsyncClient:
    """For all askers; when to give up is said by the question."""
    return httpx.AsyncClient(timeout=None, limits=httpx.Limits(max_connections=None))


def same(answer: Any, expected: Any) -> bool:
    """Equal, and numbers equal but for the rounding of sums."""
    if isinstance(expected, dict):
        return answer.keys() == expected.keys() and all(same(answer[key], expected[key]) for key in expected)
    if isinstance(expected, list):
        return len(answer) == len(expected) and all(map(same, answer, expected))
    if isinstance(expected, float):
        return abs(answer - expected) <= TOLERANCE
    return bool(answer == expected)


async def session(asker: Asker, expected: dict[ExplanationRequest, Any], seed: int, until: float) -> Session:
    """One visitor, who asks once, and until the time is over or an answer is lost."""
    rng, met = np.random.default_rng(seed), Session()
    kinds = list(met.seconds)
    while not met.n_questions or time.monotonic() < until:
        kind = kinds[(seed + met.n_questions) % len(kinds)]
        choices = [question for question in expected if question[0] == kind]
        question = choices[int(rng.integers(len(choices)))]
        begun = time.monotonic()
        try:
            answer = await asker.ask(question)
        except LostError as error:
            met.seconds[kind].append(ANSWER_S)
            met.lost.append(f"{question}: {error}")
            break
        met.seconds[kind].append(time.monotonic() - begun)
        if not same(answer, expected[question]):
            met.wrong.append(f"{question}: another answer than alone")
    return met


@contextmanager
def flooder(address: str) -> Iterator["subprocess.Popen[str]"]:
    """One who floods the page until the block ends."""
    command = [sys.executable, str(Path(__file__).with_name("flooder.py")), address]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        process.stdout.readline()  # he says that he begins, or has ended
        time.sleep(FLOODER_START_S)
        yield process
    finally:
        process.kill()
        process.wait()


async def ask_alone(page: RunningPage) -> tuple[dict[ExplanationRequest, Any], dict[str, list[float]]]:
    """The answer to each question while nobody else is there, and the seconds that they took, by kind."""
    seconds: dict[str, list[float]] = {"tag": [], "explain": []}
    expected = {}
    async with asyncio.timeout(ANSWER_S), patient_client() as http:
        asker = Asker(http, page, "127.0.0.1")
        for question in questions():
            begun = time.monotonic()
            expected[question] = await asker.ask(question)
            seconds[question[0]].append(time.monotonic() - begun)
    return expected, seconds


async def run(
    page: RunningPage,
    n_visitors: int,
    seconds: float,
    expected: dict[ExplanationRequest, Any],
    alone: dict[str, list[float]],
) -> Load:
    memory = [page.memory_mb()]

    async def watch() -> None:
        while True:
            await asyncio.sleep(MEMORY_INTERVAL_S)
            memory.append(page.memory_mb())

    watcher = asyncio.create_task(watch())
    async with patient_client() as http:
        askers = [Asker(http, page, f"10.0.{seed // 250}.{seed % 250 + 1}") for seed in range(n_visitors)]
        begun = time.monotonic()
        sessions = await asyncio.gather(
            *(session(asker, expected, seed, begun + seconds) for seed, asker in enumerate(askers))
        )
        took = time.monotonic() - begun
    watcher.cancel()
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
        memory_first_half_mb=round(statistics.median(memory[: half + 1])),
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
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the table into its section of this file")
    args = parser.parse_args()
    flooded = None
    with tempfile.TemporaryDirectory() as uploads, RunningPage(environment={"GRADIO_TEMP_DIR": uploads}) as page:
        try:
            measure = partial(run, page, args.visitors, args.seconds, *asyncio.run(ask_alone(page)))
        except (TimeoutError, LostError) as error:
            told = f"Even alone not every question was answered within {ANSWER_S:g} s: nothing was measured. {error}"
            raise SystemExit(told) from error
        load = asyncio.run(measure())
        if args.flooder:
            with flooder(page.address) as process:
                flooded = asyncio.run(measure())
                if process.poll() is not None:
                    flooded.problems.append("the flooder gave up")
    loads = [load] if flooded is None else [load, flooded]
    print(json.dumps([asdict(one) for one in loads], indent=1) if args.json else table(load, flooded))
    if args.write:
        replace_section(args.write, "load", table(load, flooded))
    for problem in (problem for one in loads for problem in one.problems):
        print(problem, file=sys.stderr)
    slower = flooded is not None and max(times(load, flooded).values()) > MOST_TIMES
    return 1 if slower or any(one.problems for one in loads) else 0


if __name__ == "__main__":
    sys.exit(main())
