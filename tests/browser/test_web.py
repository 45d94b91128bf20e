"""The page without a server, built and served as plain files: its answers are the server's, question by question."""

import functools
import http.server
import importlib
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import ROOT

from msecnn.audio import write_wav
from msecnn.ui.server.context import AppContext
from msecnn.ui.server.session import Session
from msecnn.ui.tabs import compare, network, tags, why
from msecnn.ui.upload import open_recording, show_window
from msecnn.ui.what_if import edit_window

pytestmark = pytest.mark.browser

Visitor = Any
RUNTIME = ROOT / "node_modules" / "onnxruntime-web" / "dist"
#: How far a probability may be from the server's, whose decoder and resampler are others.
DECODED = 0.01
#: The same where both get the same samples: rounding to the digits that are sent, and of float32 sums.
EQUAL = 2e-4
#: Grey values that rounding may move in a picture.
GREY = 1


class Files(http.server.SimpleHTTPRequestHandler):
    """Plain files, as any host serves them."""

    extensions_map = http.server.SimpleHTTPRequestHandler.extensions_map | {
        ".mjs": "text/javascript",
        ".js": "text/javascript",
        ".wasm": "application/wasm",
    }

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not RUNTIME.is_dir():
        pytest.skip("no onnxruntime-web here: npm ci fetches it")
    folder = tmp_path_factory.mktemp("web") / "site"
    importlib.import_module("web.__main__").build(folder)
    return folder


@pytest.fixture(scope="module")
def host(site: Path) -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Files, directory=str(site)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def visit(chromium: Any, host: str) -> Iterator[Callable[..., Visitor]]:
    """A visitor whose page has its networks; any error or request to elsewhere fails the file's tests."""
    contexts: list[Any] = []
    wrong: list[str] = []

    def visitor(query: str = "", **options: Any) -> Visitor:
        context = chromium.new_context(**options)
        contexts.append(context)
        context.set_default_timeout(120_000)
        context.on("request", lambda request: None if _own(request.url, host) else wrong.append(request.url))
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto(host + query)
        page.wait_for_function("() => window.msecnn?.state?.recording")
        return page

    yield visitor
    for context in contexts:
        context.close()
    assert not wrong


def _own(url: str, host: str) -> bool:
    return url.startswith((host, "data:", "blob:"))


@pytest.fixture(scope="module")
def page(visit: Callable[..., Visitor]) -> Visitor:
    """One page for the tests that only ask."""
    return visit()


@pytest.fixture(scope="module")
def context() -> AppContext:
    return AppContext.load()


def ask(page: Visitor, name: str, **request: Any) -> dict[str, Any]:
    answer: dict[str, Any] = page.evaluate("([name, request]) => msecnn.call(name, request)", [name, request])
    return answer


def choose(page: Visitor, path: Path) -> None:
    """Opens a file, unless it is open."""
    if page.evaluate("() => msecnn.state.recording.name") == path.name:
        return
    page.set_input_files("#mse-file", path)
    page.wait_for_function("(name) => msecnn.state.recording.name === name", arg=path.name)


def furthest_grey(page: Visitor, here: str, there: str) -> int:
    """By how much two pictures differ at most, as the page reads their values."""
    read = """async (uris) => {
        const { read } = await import("./page/pictures.js");
        const [one, other] = await Promise.all(uris.map(read));
        if (one.width !== other.width || one.height !== other.height) return 256;
        return one.values.reduce((most, value, i) => Math.max(most, Math.abs(value - other.values[i])), 0);
    }"""
    return int(page.evaluate(read, [here, there]))


def assert_same(page: Visitor, here: Any, there: Any, *, within: float = EQUAL, at: str = "answer") -> None:
    """Values of a browser's answer are the server's; pictures as they are drawn, addresses aside."""
    if isinstance(there, dict):
        for key in there.keys() - {"request", "url", "audio", "sound", "positive", "negative", "sounds"}:
            assert_same(page, here[key], there[key], within=within, at=f"{at}.{key}")
    elif isinstance(there, list | tuple):
        assert len(here) == len(there), at
        for i, pair in enumerate(zip(here, there, strict=True)):
            assert_same(page, *pair, within=within, at=f"{at}[{i}]")
    elif isinstance(there, str) and there.startswith("data:image"):
        assert furthest_grey(page, here, there) <= GREY, at
    elif isinstance(there, float):
        assert here == pytest.approx(there, abs=within, rel=within), at
    else:
        assert here == there, at


def probabilities(answer: dict[str, Any]) -> np.ndarray:
    return np.array([model["probabilities"] for model in answer["models"]])


def test_every_example_gets_the_tags_that_the_server_gives(page: Visitor, context: AppContext) -> None:
    for example in context.examples:
        here = ask(page, "open", example=example)
        there = open_recording(context, None, {"example": example}).payload
        assert np.abs(probabilities(here) - probabilities(there)).max() < DECODED, example
        assert here["recording"]["notes"] == there["recording"]["notes"]
        assert here["windows"] == there["windows"]


@pytest.fixture(scope="module")
def same_samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """45 s at the networks' own rate, so that decoding changes nothing: two windows, of which one is moved back."""
    from audio_files import music

    path = tmp_path_factory.mktemp("sounds") / "same.wav"
    sound = music(45, 12_000, 1, seed=4)[0]
    sound[: 12_000 * 3] *= 0.01
    write_wav(path, sound, 12_000, encoding="float32")  # of 16 bits Chromium scales the two signs differently
    return path


@pytest.fixture(scope="module")
def session(context: AppContext, same_samples: Path) -> Session:
    return opened(context, same_samples).session


def opened(context: AppContext, path: Path) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("msecnn.ui.upload.uploaded_file", Path)
        return open_recording(context, None, {"path": str(path), "name": path.name})


QUESTION = {"model": "msecnn", "tag": "piano", "window": 1}
#: Name of a question, the server's answer, and requests.
QUESTIONS: list[tuple[str, Any, list[dict[str, Any]]]] = [
    ("window", show_window, [{"window": 0}, {"window": 1}]),
    ("split", compare.split, [QUESTION, QUESTION | {"model": "fcn5"}]),
    ("why", why.explain, [QUESTION, {"model": "fcn5", "tag": "drums", "window": 0}]),
    ("winning-cells", why.find_winning_cells, [QUESTION]),
    ("network", network.take_apart, [QUESTION, QUESTION | {"model": "fcn5"}]),
    ("channels", network.show_channels, [QUESTION | {"level": level} for level in ("input", "level2", "level5")]),
    ("channels", network.show_channels, [QUESTION | {"model": "fcn5", "level": "level1"}]),
    ("channel", network.show_channel, [QUESTION | {"level": "level3", "channel": 5}]),
    ("calibration", tags.show_calibration, [{}]),
]


def test_opening_is_answered_as_by_the_server(page: Visitor, context: AppContext, same_samples: Path) -> None:
    there = opened(context, same_samples).payload
    choose(page, same_samples)
    here = ask(page, "open")
    there["recording"] |= {"codec": here["recording"]["codec"]}
    assert here["recording"]["codec"] == "pcm_f32le"
    assert_same(page, here, there)


@pytest.mark.parametrize(
    ("name", "handler", "requests"), QUESTIONS, ids=lambda value: value if isinstance(value, str) else ""
)
def test_every_question_is_answered_as_by_the_server(
    page: Visitor,
    context: AppContext,
    session: Session,
    same_samples: Path,
    name: str,
    handler: Any,
    requests: list[dict[str, Any]],
) -> None:
    choose(page, same_samples)
    for request in requests:
        assert_same(page, ask(page, name, **request), handler(context, session, request).payload)


@pytest.mark.parametrize(
    "edits", ["keep=30:40,200:800", "remove=16.5:20,0:1000", "level=-12", "low_cut=500 high_cut=3000", "reverse"]
)
def test_edits_change_tags_as_on_the_server(
    page: Visitor, context: AppContext, session: Session, same_samples: Path, edits: str
) -> None:
    choose(page, same_samples)
    here = ask(page, "what-if", edits=edits, window=1)
    there = edit_window(context, session, {"edits": edits, "window": 1}).payload
    assert_same(
        page, here, there, within=2e-3
    )  # its sound is written in 16 bits by neither, but its filters are float32


def test_what_needs_the_full_app_says_so_with_its_command(page: Visitor, same_samples: Path) -> None:
    choose(page, same_samples)
    for name in ("maps", "sanity", "faithfulness-check", "sonify", "export", "worksheet"):
        with pytest.raises(Exception, match="python -m msecnn serve"):
            ask(page, name, **QUESTION)
    with pytest.raises(Exception, match="python -m msecnn serve"):
        ask(page, "what-if", edits="pitch=2", window=0)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("empty.mp3", b"", "empty.mp3 is empty"),
        ("no sound.mp3", b"no sound " * 100, "cannot decode “no sound.mp3”"),
    ],
)
def test_what_is_no_recording_is_said(page: Visitor, tmp_path: Path, name: str, content: bytes, sentence: str) -> None:
    (tmp_path / name).write_bytes(content)
    page.set_input_files("#mse-file", tmp_path / name)
    page.wait_for_selector(f".mse-status.error:has-text('{sentence}')")


def test_a_long_recording_of_two_channels_has_its_timeline(page: Visitor, recordings: Path) -> None:
    choose(page, recordings / "long.mp3")
    page.click("#head-tags")
    assert page.locator(".mse-heat-row:not(.axis)").count() == 20
    figures = ask(page, "timeline", all=True)["figures"]
    assert [len(figure["data"][0]["z"]) for figure in figures] == [50, 50]


def test_without_a_network_the_page_opens_again_and_tags(visit: Callable[..., Visitor], recordings: Path) -> None:
    page = visit()
    page.evaluate("() => msecnn.kept")
    requests: list[str] = []
    page.context.on("request", lambda request: requests.append(request.url))
    for tab in ("why", "network", "compare", "lessons", "tags"):
        page.click(f"#head-{tab}")
    page.click("[data-example=piano]")
    page.wait_for_function("() => msecnn.state.recording.example === 'piano'")
    page.evaluate("() => msecnn.player.play()")
    page.click("details[data-control=calibration] summary")
    page.wait_for_selector(".mse-plot .main-svg")
    choose(page, recordings / "tune.mp3")
    assert [url for url in requests if not url.startswith(("blob:", "data:"))] == []
    page.context.set_offline(True)
    page.goto(page.url.split("?")[0])
    page.wait_for_function("() => window.msecnn?.state?.recording")
    choose(page, recordings / "tune.mp3")
    assert page.evaluate("() => self.crossOriginIsolated")  # so several threads may run


def test_on_a_phone_nothing_is_wider_than_the_screen(visit: Callable[..., Visitor]) -> None:
    page = visit("?example=song&tab=why", viewport={"width": 390, "height": 800}, color_scheme="dark")
    page.wait_for_selector(".mse-waterfall")
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
    assert "dark" in page.evaluate("() => document.body.className")


def test_the_microphone_is_recorded_and_tagged(visit: Callable[..., Visitor]) -> None:
    page = visit(permissions=["microphone"])
    page.click("button:has-text('Record')")
    page.wait_for_selector("button:has-text('Stop and tag')")
    page.wait_for_timeout(1500)
    page.click("button:has-text('Stop and tag')")
    page.wait_for_function("() => msecnn.state.recording.name.startsWith('recording.')")


def test_the_site_can_be_installed(site: Path) -> None:
    import json

    manifest = json.loads((site / "manifest.webmanifest").read_text())
    assert {"name", "start_url", "display", "icons"} <= manifest.keys()
    worker = (site / "sw.js").read_text()
    for path in site.rglob("*"):
        if path.is_file() and path.name not in ("sw.js", "README.md"):
            assert f'"{path.relative_to(site).as_posix()}"' in worker


def test_nothing_outside_is_named(site: Path) -> None:
    """No module of ours asks another host; the runtime and Plotly name some in messages, which the policy keeps in."""
    for module in [*site.glob("page/*.js"), *site.glob("shell/*.js"), *site.glob("answerer/*.js")]:
        assert "https://" not in module.read_text(encoding="utf-8").replace("http://www.w3.org", "")
    policy = (site / "index.html").read_text(encoding="utf-8")
    assert "default-src 'none'" in policy
    assert "connect-src 'self' blob:;" in policy
