"""The page without a server: what is loaded, seconds to the first tag, seconds a window, memory; in Chromium.

    python benchmarks/static_page.py [--json] [--write] [--repeats 5]

Builds the site (`npm ci` fetches its runtime), serves it as plain files on this machine and drives it. Bytes are what
the files weigh when a host compresses them; most serve brotli or gzip. Times are medians of what a visitor waits for.
"""

import argparse
import functools
import gzip
import http.server
import json
import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import brotli
from measuring import cpu_name, replace_section, write_mp3
from playwright.sync_api import Browser, Page, sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from web.__main__ import build

ROOT = Path(__file__).resolve().parent.parent
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update")
TARGETS = {"first_load_mb": 8.0, "tags_30s_s": 1.5}
#: What comes after the first answer: for figures, for other examples, for when there is no network.
LATER = ("data/plotly.js", "data/examples/", "README.md", "sw.js")
#: Load of the machine, before, from which on other work takes the cores.
ALONE = 0.5
OPENED = "() => window.msecnn?.state?.recording"


@contextmanager
def host(site: Path) -> Iterator[str]:
    class Files(http.server.SimpleHTTPRequestHandler):
        extensions_map = http.server.SimpleHTTPRequestHandler.extensions_map | {".mjs": "text/javascript"}

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Files, directory=str(site)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()


def weights(site: Path) -> dict[str, float]:
    """MB of all files as they are, and of those until the first tag by brotli and by gzip, with one example's sound."""
    files = {path.relative_to(site).as_posix(): path.read_bytes() for path in site.rglob("*") if path.is_file()}
    first = [content for name, content in files.items() if not name.startswith(LATER)]
    example = min(len(content) for name, content in files.items() if name.startswith("data/examples/"))
    return {
        "site_mb": sum(map(len, files.values())) / 1e6,
        "first_load_mb": (sum(len(brotli.compress(content, quality=9)) for content in first) + example) / 1e6,
        "first_load_gzip_mb": (sum(len(gzip.compress(content, 9)) for content in first) + example) / 1e6,
    }


def first_tag_s(browser: Browser, address: str) -> float:
    """From an empty cache to the first tags: of the example with which the page opens."""
    context = browser.new_context()
    began = time.perf_counter()
    page = context.new_page()
    page.goto(address)
    page.wait_for_function(OPENED, timeout=300_000)
    seconds = time.perf_counter() - began
    context.close()
    return seconds


def tags_s(page: Page, sound: Path) -> float:
    """From choosing a file to its tags: decoding, resampling, both networks."""
    name = f"{time.monotonic_ns()}{sound.suffix}"
    copy = shutil.copyfile(sound, sound.with_name(name))
    began = time.perf_counter()
    page.set_input_files("#mse-file", copy)
    page.wait_for_function("(name) => msecnn.state.recording.name === name", arg=name, timeout=300_000)
    return time.perf_counter() - began


def core_s(browser: Browser, work: Callable[[], object]) -> float:
    """Seconds that a core works for the page meanwhile, which other programs hardly lengthen."""
    before = {process["id"]: process["cpuTime"] for process in _renderers(browser)}
    work()
    return sum(process["cpuTime"] - before.get(process["id"], 0) for process in _renderers(browser))


def memory_mb(browser: Browser) -> float:
    """Of the page's process, its worker with it."""
    return max(_resident_mb(process["id"]) for process in _renderers(browser))


def _renderers(browser: Browser) -> list[dict[str, Any]]:
    processes = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    return [process for process in processes if process["type"] == "renderer"]


def _resident_mb(process: int) -> float:
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS:")).split()[1]) / 1024


def measure(site: Path, folder: Path, repeats: int) -> dict[str, Any]:
    short, long = folder / "short.mp3", folder / "long.mp3"
    write_mp3(short, 29.12)
    write_mp3(long, 180)
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    with host(site) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=[*ARGUMENTS])
        first = [first_tag_s(browser, address) for _ in range(repeats)]
        page = browser.new_context().new_page()
        page.goto(address)
        page.wait_for_function(OPENED, timeout=300_000)
        tags_s(page, short)  # warms up
        one = [tags_s(page, short) for _ in range(repeats)]
        work = [core_s(browser, functools.partial(tags_s, page, sound)) for sound in (short, long)]
        many = [tags_s(page, long) for _ in range(max(1, repeats // 2))]
        resident = memory_mb(browser)
        page.evaluate("() => msecnn.kept")
        page.goto(address)  # from the browser's copy, which may use several threads
        page.wait_for_function(OPENED, timeout=300_000)
        isolated = page.evaluate("() => self.crossOriginIsolated")
        tags_s(page, short)
        threaded = [tags_s(page, short) for _ in range(repeats)]
        browser.close()
    return weights(site) | {
        "first_tag_s": median(first),
        "tags_30s_s": median(one),
        "tags_3min_s": median(many),
        "window_s": (median(many) - median(one)) / 6,  # 180 s are seven windows
        "tags_30s_threads_s": median(threaded) if isolated else None,
        "tags_30s_core_s": work[0],
        "window_core_s": (work[1] - work[0]) / 6,
        "memory_mb": resident,
    }


def table(result: dict[str, Any]) -> str:
    alone = result["load"] <= ALONE
    loaded = f"{result['first_load_mb']:.1f} ({result['first_load_gzip_mb']:.1f}) MB"
    rows = [
        ("files until the first tag, brotli (gzip)", loaded),
        ("all files as they are", f"{result['site_mb']:.1f} MB"),
    ]
    if alone:
        threads = result["tags_30s_threads_s"]
        rows += [
            ("empty cache to the first tags, files from this machine", f"{result['first_tag_s']:.1f} s"),
            ("an MP3 of 29 s to its tags, one thread", f"{result['tags_30s_s']:.2f} s"),
            ("the same when opened again (several threads)", f"{threads:.2f} s" if threads else "no threads"),
            ("an MP3 of 3 minutes to its tags, one thread", f"{result['tags_3min_s']:.1f} s"),
            ("one window more, one thread", f"{result['window_s']:.2f} s"),
        ]
    rows += [
        ("what a core works for 29 s of sound", f"{result['tags_30s_core_s']:.2f} s"),
        ("what a core works for one window more", f"{result['window_core_s']:.2f} s"),
        ("memory of the page's process after 3 minutes of sound", f"{result['memory_mb']:.0f} MB"),
    ]
    head = f"Measured by `python benchmarks/static_page.py` on {cpu_name()}, in Chromium; medians."
    if not alone:
        head += (
            f" Other work ran on the same cores (load {result['load']:.0f}), which shares their caches too, so these"
            " seconds are an upper bound and waiting times are left out."
        )
    return "\n".join([head, "", "| what | |", "|---|--:|", *(f"| {what} | {value} |" for what, value in rows)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--write", action="store_true", help="put the table into docs/browser.md")
    parser.add_argument("--repeats", type=int, default=5)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        site, load = Path(folder) / "site", os.getloadavg()[0]
        build(site)
        result = measure(site, Path(folder), args.repeats) | {"load": load}
    if args.write:
        replace_section(ROOT / "docs" / "browser.md", "web", table(result))
    print(json.dumps(result, indent=2) if args.json else table(result))
    for name, most in TARGETS.items():
        print(f"{name}: {result[name]:.2f}, target {most:g}: {'met' if result[name] <= most else 'missed'}")


if __name__ == "__main__":
    main()
