"""A room of 40 phones: how soon all follow the lecturer, whether an answer is lost, and what the server's memory does.

    python benchmarks/room.py [--phones 40] [--rounds 60] [--json] [--write docs/performance.md]

Starts `python app.py --class` on this machine. In each round the lecturer sends a view, asks a question that every
phone answers, and shows the answers; one phone in eight sleeps through the beginning of the round and comes back in it.
A phone follows when it holds the view. In the first rounds each phone also opens the view's example by the page's own
queue, as a browser does. Phones, lecturer and server share this machine's cores. The exit status is 1 where a phone
followed later than after `WITHIN_S`, an answer is missing or counted twice, or memory grew by more than `FLAT_MB`
between the first tenth of the rounds and the end.
"""

import argparse
import asyncio
import json
import re
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import httpx
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from measuring import cpu_name, replace_section
from running_page import RunningPage, Visitor

FOLDER, KEY = "msecnn/room", "Room-Key"
#: What the room is to hold: seconds until everybody follows, and megabytes that its server may grow by.
WITHIN_S, FLAT_MB = 1.0, 10.0
#: Rounds in which the phones open the example, too, and how many phones of a round sleep, one in so many.
N_OPENING, ONE_SLEEPS_IN = 2, 8
EXAMPLES = ("piano", "metal", "plucked", "percussion")
CHOICES = ["guitar", "piano", "drums", "female"]
#: Seconds after which something counts as lost.
LOST_S = 30.0
#: What is measured, as the table calls it.
TITLES = {
    "follow_s": "a phone has the lecturer's view",
    "open_s": "its example is open, too",
    "ask_s": "a phone has the question",
    "counted_s": "all answers are in the lecturer's histogram",
}


@dataclass
class Measured:
    """Seconds of each phone and round, from the lecturer's request on; what was lost; and memory, MB."""

    follow_s: list[float] = field(default_factory=list)
    open_s: list[float] = field(default_factory=list)
    ask_s: list[float] = field(default_factory=list)
    counted_s: list[float] = field(default_factory=list)
    n_answers: int = 0
    n_wrong_counts: int = 0
    memory_mb: list[float] = field(default_factory=list)

    def as_rows(self) -> dict[str, list[float]]:
        """Median, 95th percentile and longest, by what they are of."""
        seconds = {title: values for name, title in TITLES.items() if (values := asdict(self)[name])}
        return {title: [*np.quantile(values, (0.5, 0.95)), max(values)] for title, values in seconds.items()}


class Phone:
    """One that waits for news as the page's module does, and remembers when it saw what."""

    def __init__(self, address: str, code: str) -> None:
        self._http = httpx.AsyncClient(base_url=address, timeout=60)
        self._code, self._news = code, asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.state: dict[str, Any] = {"version": -1, "view": None, "question": None}
        self.key: dict[str, str] = {}

    async def join(self) -> None:
        answer = await self._http.post(f"{FOLDER}/join", json={"code": self._code, "phone": self.key.get(KEY)})
        answer.raise_for_status()
        self.key = {KEY: answer.json()["phone"]}
        self.wake()

    def wake(self) -> None:
        self._task = asyncio.create_task(self._watch())

    async def sleep(self) -> None:
        """As a phone in a pocket: its connection is gone."""
        if self._task:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def close(self) -> None:
        await self.sleep()
        await self._http.aclose()

    async def sees(self, key: str, name: str, value: Any) -> float:
        """The moment at which the phone has been told of a view or a question."""
        while (self.state[key] or {}).get(name) != value:
            self._news.clear()
            await asyncio.wait_for(self._news.wait(), LOST_S)
        return time.perf_counter()

    async def answer(self, serial: int, choice: int) -> None:
        sent = {"question": serial, "answer": choice}
        (await self._http.post(f"{FOLDER}/answer", json=sent, headers=self.key)).raise_for_status()

    async def _watch(self) -> None:
        while True:
            query = {"version": self.state["version"]}
            answer = await self._http.get(f"{FOLDER}/state", params=query, headers=self.key)
            answer.raise_for_status()
            self.state = answer.json()
            self._news.set()


class Lecturer:
    """By the secret that the server printed."""

    def __init__(self, address: str, secret: str) -> None:
        self._http = httpx.AsyncClient(base_url=address, timeout=60, headers={KEY: secret})

    async def do(self, name: str, **fields: Any) -> dict[str, Any]:
        answer = await self._http.post(f"{FOLDER}/lead", json={"do": name, **fields})
        answer.raise_for_status()
        return dict(answer.json())

    async def counts(self, n_answers: int) -> list[int]:
        """The histogram, once it holds so many answers; or what there is of it when that took too long."""
        state: dict[str, Any] = {"version": -1, "tally": -1}
        deadline = time.monotonic() + LOST_S
        while time.monotonic() < deadline:
            query = {name: state[name] for name in ("version", "tally")}
            state = (await self._http.get(f"{FOLDER}/lead-state", params=query)).json()
            if state["question"]["n"] >= n_answers:
                break
        return list(state["question"]["counts"])


def secret_of(page: RunningPage) -> str:
    """What the server printed for the lecturer."""
    for _ in range(200):
        if found := re.search(r"#lead=(\S+)", "".join(page.log)):
            return found[1]
        time.sleep(0.1)
    raise SystemExit("The server printed no link for a lecturer.")


async def measure(page: RunningPage, n_phones: int, n_rounds: int, *, n_opening: int = N_OPENING) -> Measured:
    """All rounds; the phones' choices are from a fixed seed."""
    lecturer, random, measured = Lecturer(page.address, secret_of(page)), Random(0), Measured()
    room = await lecturer.do("open", base=page.address)
    phones = [Phone(page.address, room["code"]) for _ in range(n_phones)]
    await asyncio.gather(*(phone.join() for phone in phones))
    with ThreadPoolExecutor(n_phones) as threads:
        asyncio.get_running_loop().set_default_executor(threads)
        visitors = [Visitor(page.address) for _ in range(n_phones if n_opening else 0)]
        for number in range(n_rounds):
            opening = visitors if number < n_opening else []
            await _round(lecturer, phones, opening, number, random, measured)
            measured.memory_mb.append(page.memory_mb())
    await lecturer.do("close")
    await asyncio.gather(*(phone.close() for phone in phones), return_exceptions=True)
    return measured


async def _round(
    lecturer: Lecturer, phones: list[Phone], visitors: list[Visitor], number: int, random: Random, measured: Measured
) -> None:
    asleep = phones[number % ONE_SLEEPS_IN :: ONE_SLEEPS_IN]
    awake = [phone for phone in phones if phone not in asleep]
    await asyncio.gather(*(phone.sleep() for phone in asleep))
    example = EXAMPLES[number % len(EXAMPLES)]
    search, began = f"?example={example}&tag=guitar&tab=tags&round={number}", time.perf_counter()
    follow = [asyncio.create_task(phone.sees("view", "search", search)) for phone in awake]
    await lecturer.do("view", search=search, seconds=number % 29)
    measured.follow_s += [moment - began for moment in await asyncio.gather(*follow)]
    moments = await asyncio.gather(*(_opens(visitor, example) for visitor in visitors))
    measured.open_s += [moment - began for moment in moments]

    question = {"kind": "tags", "text": f"Round {number}?", "choices": CHOICES}
    began = time.perf_counter()
    serial = (await lecturer.do("ask", question=question))["question"]["serial"]
    for phone in asleep:
        phone.wake()
    moments = await asyncio.gather(*(phone.sees("question", "serial", serial) for phone in phones))
    measured.ask_s += [moment - began for moment in moments]
    chosen = [random.randrange(len(CHOICES)) for _ in phones]
    began = time.perf_counter()
    answers = [phone.answer(serial, choice) for phone, choice in zip(phones, chosen, strict=True)]
    *_, counts = await asyncio.gather(*answers, lecturer.counts(len(phones)))
    measured.counted_s.append(time.perf_counter() - began)
    measured.n_answers += sum(counts)
    measured.n_wrong_counts += counts != [chosen.count(choice) for choice in range(len(CHOICES))]
    await lecturer.do("reveal")


async def _opens(visitor: Visitor, example: str) -> float:
    """The moment at which a phone's page has the example's answer."""
    await asyncio.to_thread(visitor.ask, "open", example=example)
    return time.perf_counter()


def grown_mb(measured: Measured) -> float:
    """From the first tenth of the rounds, in which caches fill, to the end."""
    return measured.memory_mb[-1] - measured.memory_mb[len(measured.memory_mb) // 10]


def failures(measured: Measured) -> list[str]:
    """What the room did not hold."""
    late = sum(seconds > WITHIN_S for seconds in measured.follow_s)
    told = [f"{late} views came later than after {WITHIN_S:g} s"] if late else []
    told += [f"{measured.n_wrong_counts} histograms were wrong"] if measured.n_wrong_counts else []
    return told + ([f"memory grew by {grown_mb(measured):.1f} MB"] if grown_mb(measured) > FLAT_MB else [])


def table(measured: Measured, n_phones: int, n_rounds: int) -> str:
    """As the document has it."""
    first, last = measured.memory_mb[len(measured.memory_mb) // 10], measured.memory_mb[-1]
    rows = [f"| {title} | " + " | ".join(f"{s:.3f}" for s in row) + " |" for title, row in measured.as_rows().items()]
    lines = [
        f"{cpu_name()}; {n_phones} phones, {n_rounds} rounds.",
        "",
        "| seconds until | median | 95 % | longest |",
        "|---|--:|--:|--:|",
        *rows,
        "",
        f"Answers: {measured.n_answers:,} counted, {n_phones * n_rounds - measured.n_answers} lost, "
        f"{measured.n_wrong_counts} histograms wrong. The server's memory: {first:.1f} MB after a tenth of the rounds, "
        f"{last:.1f} MB at the end.",
    ]
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--phones", type=int, default=40, help="in the room (default: 40)")
    parser.add_argument("--rounds", type=int, default=60, help="of a view, a question and its answers (default: 60)")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the table into its section of this file")
    args = parser.parse_args()
    with RunningPage("--class") as page:
        measured = asyncio.run(measure(page, args.phones, args.rounds))
    told = table(measured, args.phones, args.rounds)
    print(json.dumps(asdict(measured), indent=2) if args.json else told)
    if args.write:
        replace_section(args.write, "room", told)
    for failure in failures(measured):
        print(failure, file=sys.stderr)
    return 1 if failures(measured) else 0


if __name__ == "__main__":
    raise SystemExit(main())
