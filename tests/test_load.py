"""Several visitors at once get what one gets alone; a server that dies and comes back loses nobody."""

import asyncio
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from gradio_client import Client, handle_file
from running_page import ROOT, RunningPage, Visitor

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "benchmarks"))

import load

EXAMPLE = ROOT / "assets" / "examples" / "piano.mp3"


@pytest.fixture
def page(tmp_path: Path) -> Iterator[RunningPage]:
    with RunningPage(environment={"GRADIO_TEMP_DIR": str(tmp_path)}) as page:
        yield page


@pytest.mark.slow
def test_visitors_do_not_disturb_each_other_and_outlive_the_server(
    page: RunningPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The short form of benchmarks/load.py, then a power cut. One test: each server takes seconds to start."""
    monkeypatch.setattr(load, "N_CLIPS", 2)
    monkeypatch.setattr(load, "TAGS", ("piano",))
    found = asyncio.run(load.run(page, 6, 10, *asyncio.run(load.ask_alone(page))))
    assert found.problems == []
    assert found.answers >= 6

    client, visitor = Client(page.address, verbose=False), Visitor(page.address)
    assert "error" not in visitor.ask("open", example="piano")
    before = client.predict(handle_file(EXAMPLE), ["msecnn"], api_name="/tag")
    page.kill()
    with pytest.raises(Exception, match="Connection refused"):
        client.predict(handle_file(EXAMPLE), ["msecnn"], api_name="/tag")
    page.start()
    assert load.same(client.predict(handle_file(EXAMPLE), ["msecnn"], api_name="/tag"), before)
    assert "open it again" in visitor.ask("window", window=0)["error"]
    assert "error" not in visitor.ask("open", example="piano")
    assert "picture" in visitor.ask("window", window=0)


#: Six threads tag one after the other, and stay, as a server's threads do; prints MB after the first and the last.
THREADS = """
import re, sys, threading
from pathlib import Path
from msecnn import memory

memory.share_freed_memory()
from msecnn.tagger import Tagger

tagger, over, memory = Tagger.from_checkpoint("msecnn", device="cpu"), threading.Event(), []

def answer(done):
    tagger.tag(sys.argv[1])
    done.set()
    over.wait()

for _ in range(6):
    done = threading.Event()
    threading.Thread(target=answer, args=(done,), daemon=True).start()
    done.wait()
    memory.append(int(re.search(r"VmRSS:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) // 1024)
print(memory[0], memory[-1])
"""


def test_a_thread_keeps_no_memory_to_itself() -> None:
    """Each of them kept 20 MB of what its networks had freed, and a server has 40 threads."""
    done = subprocess.run(
        [sys.executable, "-c", THREADS, str(EXAMPLE)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    first, last = map(int, done.stdout.split())
    assert last - first < 40


def test_a_page_that_never_answers_does_not_keep_the_benchmark(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "ANSWER_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        page: Any = SimpleNamespace(address=f"http://127.0.0.1:{silent.getsockname()[1]}/", memory_mb=lambda: 1.0)
        expected: dict[load.ExplanationRequest, Any] = dict.fromkeys(load.questions())
        found = asyncio.run(load.run(page, 2, 0.0, expected, {"tag": [0.1], "explain": [0.1]}))
    assert (found.answers, found.lost) == (0, 2)
    assert found.p95_s == {"tag": 0.2, "explain": 0.2}
    assert all("no answer within 0.2 s" in problem for problem in found.problems)


def test_another_answer_is_noticed() -> None:
    answer = {"models": {"fcn5": {"tags": {"piano": 0.25}, "timeline": [[0.25]]}}, "notes": ["Resampled."]}
    close = {"models": {"fcn5": {"tags": {"piano": 0.250001}, "timeline": [[0.25]]}}, "notes": ["Resampled."]}
    other = {"models": {"fcn5": {"tags": {"piano": 0.26}, "timeline": [[0.25]]}}, "notes": ["Resampled."]}
    assert load.same(close, answer)
    assert not load.same(other, answer)
    assert not load.same({**answer, "notes": []}, answer)
    assert not load.same({"models": {}}, answer)
