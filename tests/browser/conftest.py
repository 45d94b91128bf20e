"""One server and one Chromium for all browser tests; every test gets a visitor of its own.

Any request to another host fails the test that caused it.
"""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

#: The one without windows needs half of the other's time for a page.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser")
CHROMIUM = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
#: No sandbox, since CI runs as root; the rest keeps Chromium's own services from calling home.
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--autoplay-policy=no-user-gesture-required",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
)
#: The page under test takes recordings of up to a minute.
MAX_MINUTES = 1

Visitor = Any  # playwright's Page


def choose(page: Visitor, label: str, title: str) -> None:
    """Chooses in a dropdown the first option whose title begins so."""
    page.get_by_role("combobox", name=label, exact=True).click()
    page.get_by_role("option", name=re.compile(f"^{re.escape(title)}")).first.click()


@pytest.fixture(scope="session")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made-up recordings: `tune.mp3` 8 s, `long.mp3` 45 s, `endless.wav` 70 s, `tone.wav` 1 kHz, `voice.wav`."""
    import numpy as np
    from audio_files import encode, music

    from msecnn.audio import write_wav

    folder = tmp_path_factory.mktemp("recordings")
    (folder / "tune.mp3").write_bytes(encode(music(8, 44_100), 44_100, "mp3"))
    (folder / "long.mp3").write_bytes(encode(music(45, 44_100, 1, seed=1), 44_100, "mp3"))
    write_wav(folder / "endless.wav", np.zeros(70 * 8_000, np.float32), 8_000)
    write_wav(folder / "tone.wav", 0.5 * np.sin(2 * np.pi * 1000 * np.arange(30 * 12_000) / 12_000), 12_000)
    write_wav(folder / "voice.wav", music(5, 48_000, 1, seed=2)[0], 48_000)
    return folder


@pytest.fixture(scope="session")
def own_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint that no trainer has seen, as a visitor may bring one; its gradient was measured, and failed."""
    import torch

    from msecnn import checkpoint
    from msecnn.explain.comparison import ALL, Interval, Row
    from msecnn.explain.faithfulness_card import write_measured
    from msecnn.frontend import MelConfig
    from msecnn.models import registry
    from msecnn.tags import MAGNATAGATUNE_TAGS

    folder = tmp_path_factory.mktemp("checkpoints") / "mine"
    torch.manual_seed(5)
    model = registry.create("fcn5").eval()
    card = {"untrained": True, "made_by": "random weights, seed 5", "licence": "MIT"}
    checkpoint.save(folder, model, mel_config=MelConfig(), tags=MAGNATAGATUNE_TAGS, card=card)
    gains = [f"{curve}_gain_{order}" for curve in ("deletion", "insertion") for order in ("random", "loudness")]
    rows = [Row("mine", "gradient", ALL, dict.fromkeys(gains, Interval(0, -1, 1, 20)))]
    write_measured(checkpoint.load(folder), rows, {"n": 20, "split": "test", "baseline": "clip_mean"})
    return folder


@pytest.fixture(scope="session")
def address(own_checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The page as `python app.py` opens it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, str(ROOT / "app.py"), "--port", str(port), "--max-minutes", str(MAX_MINUTES)]
    log = tmp_path_factory.mktemp("server") / "log"
    with log.open("w") as out:
        server = subprocess.Popen([*command, "--checkpoint", str(own_checkpoint)], stdout=out, stderr=out, cwd=ROOT)
    url = f"http://127.0.0.1:{port}/"
    try:
        _wait(url, server, log)
        yield url
    finally:
        server.terminate()
        server.wait(20)
    assert "Traceback" not in log.read_text(), f"the server failed: {log.read_text()[-3000:]}"


def _wait(url: str, server: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + 120
    with httpx.Client() as client:  # one: each reads all certificates anew
        while time.monotonic() < deadline and server.poll() is None:
            try:
                if client.get(url).status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.2)
    pytest.fail(f"the page did not open: {log.read_text()[-3000:]}")


class Profiles:
    """Chromium's contexts, used again by the next visitor who asks for the same one.

    Who comes next finds the page's files and compiled scripts in the cache, and the page opens twice as fast. What a
    visitor left behind is gone before that.
    """

    def __init__(self, browser: Any) -> None:
        self.browser = browser
        self._free: dict[str, list[Any]] = {}
        self._taken: list[tuple[str, Any]] = []

    def take(self, **options: Any) -> Any:
        key = repr(sorted(options.items()))
        free = self._free.get(key)
        context = free.pop() if free else self.browser.new_context(**options)
        self._taken.append((key, context))
        return context

    def take_back(self) -> None:
        """All that were taken since the last time."""
        while self._taken:
            key, context = self._taken.pop()
            self._forget(context)
            self._free.setdefault(key, []).append(context)

    def _forget(self, context: Any) -> None:
        origins = {_origin(page.url) for page in context.pages}
        if context.pages:
            session = context.new_cdp_session(context.pages[0])
            for origin in origins:
                session.send("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": "all"})
        for page in context.pages:
            page.close()
        context.clear_cookies()


def _origin(url: str) -> str:
    return "/".join(url.split("/")[:3])


@pytest.fixture(scope="module")
def chromium(recordings: Path) -> Iterator[Any]:
    """For one file's tests: Playwright keeps a loop running, beside which later tests could run none of their own."""
    if CHROMIUM is None:
        pytest.skip("no Chromium here; Debian's packages are called chromium and chromium-headless-shell")
    from playwright.sync_api import sync_playwright

    microphone = f"--use-file-for-fake-audio-capture={recordings / 'voice.wav'}"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*ARGUMENTS, microphone])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def profiles(chromium: Any) -> Profiles:
    return Profiles(chromium)


@pytest.fixture
def arrive(profiles: Profiles, address: str) -> Iterator[Callable[..., Visitor]]:
    """Lets a visitor arrive: `arrive(query="?tab=why", width=390, dark=True)`."""
    with visitors(
        profiles, address, lambda page: page.wait_for_selector(".mse-drop:visible, .mse-opened:visible")
    ) as let:
        yield let


@contextmanager
def visitors(
    profiles: Profiles, address: str, is_ready: Callable[[Visitor], object], *, timeout_ms: int = 60_000
) -> Iterator[Callable[..., Visitor]]:
    """Lets visitors arrive at an address until it is left; then any error or request to elsewhere fails the test.

    Args:
        is_ready: waits until a page can be used.
    """
    contexts: list[Any] = []
    outside: list[str] = []
    errors: list[str] = []

    def note(request: Any) -> None:
        if _outside(request.url, address):
            outside.append(request.url)

    def visitor(
        query: str = "", *, width: int = 1280, height: int = 900, dark: bool = False, **options: Any
    ) -> Visitor:
        context = profiles.take(color_scheme="dark" if dark else "light", **options)
        contexts.append(context)
        context.set_default_timeout(timeout_ms)
        context.on("request", note)  # of its pages, of those that they open, and of their workers
        page = context.new_page()
        page.set_viewport_size({"width": width, "height": height})
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(address + query)
        is_ready(page)
        return page

    yield visitor
    for context in contexts:
        context.remove_listener("request", note)
    profiles.take_back()
    assert not outside, "requests to other hosts"
    assert not errors, "errors in the page's scripts"


def wait_for_recording(page: Visitor, name: str) -> None:
    """Until a recording is open and tagged; the page opens with an example of its own."""
    page.wait_for_function("(name) => window.msecnn?.state?.recording?.name === name", arg=name)
    page.wait_for_selector(".mse-tag", state="attached")


def _outside(url: str, address: str) -> bool:
    return not url.startswith((address, "data:", "blob:"))


@pytest.fixture
def upload(arrive: Callable[..., Visitor], recordings: Path) -> Callable[..., Visitor]:
    """A visitor who has opened one of the made-up recordings."""

    def require_session(name: str, **options: Any) -> Visitor:
        page = arrive(**options)
        page.set_input_files("#mse-file", recordings / name)
        wait_for_recording(page, name)
        return page

    return require_session
