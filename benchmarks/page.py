"""What a visitor waits for and what is sent: start, first answer, tags, maps, switches, bytes; memory over requests.

    python benchmarks/page.py [--json] [--requests 300]

Drives `python app.py` in Chromium on this machine. Times are medians and include upload, queue, network and drawing:
what a stopwatch beside the screen would say. Needs the development extra and Debian's chromium.
"""

import argparse
import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import httpx
from gradio_client import Client, handle_file
from measuring import cpu_name, write_mp3
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update")
TARGETS = {
    "ready_s": 8.0,
    "first_answer_s": 1.0,
    "tags_30s_s": 1.0,
    "maps_s": 1.5,
    "switch_ms": 150.0,
    "tagging_kb": 600.0,
    "explanation_kb": 900.0,
}
#: Requests before memory is first looked at: caches and pools fill.
N_WARM = 60


@contextmanager
def page_server() -> Iterator[tuple[str, int, float]]:
    """`python app.py`: its address, process id, and the seconds from its start to its first answer."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    began = time.perf_counter()
    command = [sys.executable, str(ROOT / "app.py"), "--port", str(port)]
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        url = f"http://127.0.0.1:{port}/"
        while not _answers(url):
            if server.poll() is not None:
                raise SystemExit("the page did not start")
            time.sleep(0.05)
        yield url, server.pid, time.perf_counter() - began
    finally:
        server.terminate()
        server.wait()


def _answers(url: str) -> bool:
    try:
        return httpx.get(url).status_code == 200
    except httpx.TransportError:
        return False


class Stopwatch:
    """Times what a visitor does, and counts the bytes that reach the browser meanwhile, before any compression."""

    def __init__(self, page: Page) -> None:
        self.page, self.n_bytes = page, 0
        self.from_server: set[str] = set()  # requests; the browser also "receives" the visitor's own file from itself
        network = page.context.new_cdp_session(page)
        network.send("Network.enable")
        network.on("Network.requestWillBeSent", self._note)
        network.on("Network.dataReceived", self._count)

    def _note(self, event: dict[str, Any]) -> None:
        if event["request"]["url"].startswith("http"):
            self.from_server.add(event["requestId"])

    def _count(self, event: dict[str, Any]) -> None:
        if event["requestId"] in self.from_server:
            self.n_bytes += event["dataLength"]

    def measure(self, act: Callable[[], object], done: str) -> tuple[float, float]:
        """Seconds until the JavaScript condition `done` holds, and kilobytes received."""
        self.n_bytes = 0
        began = time.perf_counter()
        act()
        self.page.wait_for_function(done, polling="raf", timeout=120_000)
        seconds = time.perf_counter() - began
        self.page.wait_for_timeout(300)  # bytes are counted a little later than they are shown
        return seconds, self.n_bytes / 1000


def first_answer(browser: Browser, url: str, repeats: int) -> float:
    """From the page being there (its header is drawn) to the answer of the example it opens with: median seconds."""
    measured = []
    for _ in range(repeats + 1):  # the first visitor's example is tagged, all others' is kept
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(url, wait_until="commit")
        page.wait_for_selector(".mse-header")
        began = time.perf_counter()
        page.wait_for_selector(".mse-answer")
        measured.append(time.perf_counter() - began)
        page.close()
    return median(measured[1:])


def tagging(watch: Stopwatch, recording: Path, repeats: int) -> tuple[float, float]:
    """Upload to tags: median seconds and kilobytes."""
    measured = []
    for _ in range(repeats + 1):
        watch.page.evaluate("document.querySelectorAll('.mse-tag').forEach((row) => row.remove())")
        watch.page.locator("#mse-file").set_input_files([])
        measured.append(
            watch.measure(
                lambda: watch.page.set_input_files("#mse-file", recording),
                "document.querySelector('.mse-tag') && !document.querySelector('.mse-status.busy')",
            )
        )
    return _medians(measured[1:])


def explaining(watch: Stopwatch, repeats: int) -> tuple[float, float]:
    """A tag asked about to its six maps drawn: median seconds and kilobytes."""
    page = watch.page
    page.evaluate("msecnn.showTab('why')")
    tags: list[str] = page.evaluate("msecnn.state.models.at(-1).tags")
    measured = []
    for tag in tags[: repeats + 1]:
        page.evaluate("document.querySelectorAll('.mse-strip small').forEach((note) => { note.textContent = ''; })")
        drawn = "[...document.querySelectorAll('.mse-strip small')].at(-1)?.textContent.includes('±')"
        answered = f"document.querySelector('.mse-sentence')?.textContent && msecnn.state.tag === {json.dumps(tag)}"
        measured.append(
            watch.measure(
                lambda tag=tag: page.evaluate(
                    "(tag) => msecnn.set({ tag, model: msecnn.state.models.at(-1).name })", tag
                ),
                f"{answered} && {drawn}",
            )
        )
    return _medians(measured[1:])


def switching(page: Page, repeats: int) -> float:
    """A skip connection switched to its bars painted: median milliseconds, as the browser itself counts them."""
    page.evaluate("msecnn.showTab('network')")
    page.wait_for_selector(".mse-switch[data-scale]", timeout=60_000)
    flip = """async () => {
        const began = performance.now();
        document.querySelector('.mse-switch[data-scale]').click();
        await new Promise((painted) => requestAnimationFrame(() => requestAnimationFrame(painted)));
        return performance.now() - began;
    }"""
    return median(page.evaluate(flip) for _ in range(repeats))


def memory_growth_mb(url: str, pid: int, recording: Path, n_requests: int) -> float:
    """What the server's memory grows by from request `N_WARM` to the last, tagging and explaining in turn."""
    client = Client(url, verbose=False)
    before = 0.0
    for number in range(n_requests):
        if number == N_WARM:
            before = _resident_mb(pid)
        if number % 2:
            client.predict(handle_file(recording), "guitar", "msecnn", 0, api_name="/explain")
        else:
            client.predict(handle_file(recording), ["fcn5", "msecnn"], api_name="/tag")
    return _resident_mb(pid) - before


def _resident_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) / 1024


def _medians(measured: list[tuple[float, float]]) -> tuple[float, float]:
    return median(seconds for seconds, _ in measured), median(kilobytes for _, kilobytes in measured)


def measure(repeats: int, n_requests: int) -> dict[str, float]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        raise SystemExit("This needs Chromium; Debian's package is called chromium.")
    with tempfile.TemporaryDirectory() as folder, page_server() as (url, pid, ready_s), sync_playwright() as driver:
        short, long = Path(folder) / "short.mp3", Path(folder) / "long.mp3"
        write_mp3(short, 30)
        write_mp3(long, 300)
        browser = driver.chromium.launch(executable_path=chromium, args=list(ARGUMENTS))
        first_answer_s = first_answer(browser, url, repeats)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(url)
        page.wait_for_selector(".mse-tag")
        page.wait_for_timeout(2000)  # the examples' pictures come in
        watch = Stopwatch(page)
        tags_30s_s, tagging_kb = tagging(watch, short, repeats)
        maps_s, explanation_kb = explaining(watch, repeats)
        results = {
            "ready_s": ready_s,
            "first_answer_s": first_answer_s,
            "tags_30s_s": tags_30s_s,
            "tags_5min_s": tagging(watch, long, max(1, repeats // 2))[0],
            "maps_s": maps_s,
            "switch_ms": switching(page, 3 * repeats),
            "tagging_kb": tagging_kb,
            "explanation_kb": explanation_kb,
        }
        browser.close()
        if n_requests > N_WARM:
            results["memory_growth_mb"] = memory_growth_mb(url, pid, short, n_requests)
    return {name: round(value, 3) for name, value in results.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--repeats", type=int, default=5, help="times each thing is done (default: 5)")
    parser.add_argument(
        "--requests", type=int, default=300, help="requests over which memory is watched (default: 300)"
    )
    args = parser.parse_args()
    results = measure(args.repeats, args.requests)
    if args.json:
        print(json.dumps(results, indent=2))
        return
    print(cpu_name())
    for name, value in results.items():
        target = f"   (to reach: {TARGETS[name]:g})" if name in TARGETS else ""
        print(f"{name:<18} {value:>10.3f}{target}")


if __name__ == "__main__":
    main()
