"""ZeroGPU by Hugging Face's own package: seconds are asked for by request, work runs in a fork, and Stop reaches it."""

import contextlib
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from running_page import RunningPage, Visitor

from msecnn.explain.saliency import METHODS
from msecnn.ui import gpu_seconds
from msecnn.ui.explanation_choices import QUICK_METHODS
from msecnn.ui.server.stopped import N_REMEMBERED, StoppedTokens

pytest.importorskip("spaces", reason="Hugging Face's package is not installed")
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="ZeroGPU forks")

APP = Path(__file__).with_name("zero_gpu_app.py")


class Host(ThreadingHTTPServer):
    """What lends cards on ZeroGPU: it says yes to all, and keeps what it was asked.

    Attributes:
        asked: (path, parameters), in order.
        forks: the processes that were allowed to use a card; they do not end with what forked them if that is killed.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.forks: set[int] = set()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def seconds(self) -> list[int]:
        """Asked for since the last time."""
        asked, self.asked = self.asked, []
        return [int(given["durationSeconds"]) for path, given in asked if path == "/schedule"]


class Answers(BaseHTTPRequestHandler):
    server: Host

    def do_POST(self) -> None:
        address = urlsplit(self.path)
        given = {key: value for key, (value,) in parse_qs(address.query).items()}
        self.server.asked.append((address.path, given))
        if address.path == "/allow":
            self.server.forks.add(int(given["pid"]))
        lent = {"idle": True, "nvidiaIndex": 0, "nvidiaUUID": "none", "allowToken": "yes"}
        body = json.dumps(lent).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    with Host() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture(scope="module")
def space(host: Host) -> Iterator[RunningPage]:
    """No home that could be written to; one thread, since those of a process do not come along into its fork."""
    environment = {
        "SPACES_ZERO_GPU": "true",
        "SPACES_ZERO_DEVICE_API_URL": host.address,
        "PYTHONPATH": str(APP.parents[1]),
        "HOME": "/proc/nobody",
        "OMP_NUM_THREADS": "1",
        "CUDA_VISIBLE_DEVICES": "",
    }
    with RunningPage(command=(sys.executable, str(APP)), environment=environment) as page:
        yield page
    for fork in host.forks:
        with contextlib.suppress(ProcessLookupError):
            os.kill(fork, signal.SIGKILL)


@pytest.fixture(scope="module")
def visitor(space: RunningPage) -> Visitor:
    visitor = Visitor(space.address)
    assert "error" not in visitor.ask("open", example="piano"), "".join(space.log)
    return visitor


QUESTION = {"model": "msecnn", "tag": "piano", "window": 0}
#: Seconds asked for by each request.
ASKED = [
    ("open", {"example": "piano"}, 0),  # kept since the visitor opened it
    ("open", {"example": "metal"}, 10),
    ("why", {}, 5),
    ("maps", {"method": "gradient", "token": "quick"}, 5),
    ("maps", {"method": "integrated_gradients", "token": "slow"}, 10),
    ("sonify", {"what": "evidence"}, 5),
    ("network", {}, 5),
    ("faithfulness-check", {"method": "gradient", "token": "check"}, 15),
]


@pytest.mark.parametrize(("endpoint", "request_", "seconds"), ASKED)
def test_a_request_asks_for_its_seconds(
    host: Host, space: RunningPage, visitor: Visitor, endpoint: str, request_: dict[str, str], seconds: int
) -> None:
    host.seconds()
    answer = visitor.ask(endpoint, **QUESTION, **request_)
    assert "error" not in answer, "".join(space.log[-30:])
    assert host.seconds() == ([seconds] if seconds else [])


def test_what_runs_no_network_asks_for_no_card(host: Host, visitor: Visitor) -> None:
    host.seconds()
    assert "error" not in visitor.ask("window", window=0)
    assert "error" not in visitor.ask("sound")
    assert host.asked == []


def test_a_sentence_comes_through_from_the_fork(visitor: Visitor) -> None:
    assert "knows no tag 'kazoo'" in visitor.ask("why", model="msecnn", tag="kazoo", window=0)["error"]


def test_stop_reaches_the_fork(space: RunningPage, visitor: Visitor) -> None:
    """Occlusion takes hundreds of runs: it is stopped by another request after its first report."""
    request = {**QUESTION, "method": "occlusion", "token": "a token that nobody guesses"}
    answers, begun = [], time.monotonic()
    for answer in visitor.asked("maps", **request):
        if "progress" in answer and "place" not in answer and not answers:
            stopper = Visitor(space.address)
            stopper.ask("stop", token=request["token"])
            begun = time.monotonic()
        answers.append(answer)
    assert time.monotonic() - begun < 5
    assert "was stopped" in answers[-1]["error"], "".join(space.log[-30:])


def test_a_fork_is_used_again(visitor: Visitor) -> None:
    assert "error" not in visitor.ask("maps", **QUESTION, method="gradient", token="once more")


def test_no_question_asks_for_a_minute() -> None:
    """Of the two that a visitor has in a day."""
    maps = {method: gpu_seconds.of_map(None, {"method": method}) for method in METHODS}
    assert {method for method, seconds in maps.items() if seconds == 5} == set(QUICK_METHODS)
    assert set(maps.values()) == {5, gpu_seconds.SLOW_S}
    assert gpu_seconds.of_map(None, {}) == 5
    checks = [gpu_seconds.of_check(None, {"method": method, "checked": True}) for method in METHODS]
    assert max(checks) == 20
    assert gpu_seconds.of_export(None, {"checked": False}) == 10


def test_a_fork_finds_what_is_stopped_later() -> None:
    stopped = StoppedTokens()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.read(reader, 1)
        os._exit(0 if "late" in stopped and "other" not in stopped else 1)
    stopped.add("late")
    os.write(writer, b"!")
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_only_the_last_are_remembered() -> None:
    stopped = StoppedTokens()
    for number in range(N_REMEMBERED + 1):
        stopped.add(str(number))
    assert "0" not in stopped
    assert all(str(number) in stopped for number in range(1, N_REMEMBERED + 1))
