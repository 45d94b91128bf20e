"""The page without a server, built and served as plain files: its answers are the server's, question by question."""

import base64
import csv
import functools
import http.server
import importlib
import io
import json
import os
import re
import shlex
import subprocess
import sys
import threading
import wave
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from audio_files import encode, music
from conftest import ROOT, Profiles, visitors
from hub_stand_in import hub_stand_in

from msecnn import checkpoint
from msecnn.audio import write_wav
from msecnn.live import LiveTagger
from msecnn.ui.edit_choices import edit_choices
from msecnn.ui.server.context import AppContext
from msecnn.ui.server.explanation_request import requested_explanation
from msecnn.ui.server.session import Session
from msecnn.ui.tabs import compare, live, network, tags, why
from msecnn.ui.tabs import what_if as edits_tab
from msecnn.ui.upload import open_recording, show_window
from msecnn.ui.what_if import edit_window
from web.knowledge import EDITS_LEFT_OUT, REFUSED

pytestmark = pytest.mark.browser

Visitor = Any
RUNTIME = ROOT / "node_modules" / "onnxruntime-web" / "dist"
#: How far a probability may be from the server's, whose decoder and resampler are others.
DECODED = 0.01
#: The same where both get the same samples: rounding to the digits that are sent, and of float32 sums.
EQUAL = 2e-4
#: Grey values that rounding may move in a picture.
GREY = 1
#: Of maps: the rare cells of small maps are drawn larger, and of two nearly equal ones either may be drawn.
GREY_OF_MAPS = 16
#: Where a map's colours end, relative: what is left of float32's rounding in a quantile.
LIMIT_OF_MAPS = 5e-5


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
def visit(profiles: Profiles, host: str) -> Iterator[Callable[..., Visitor]]:
    """A visitor whose page has its networks; any error or request to elsewhere fails the file's tests."""

    def is_ready(page: Visitor) -> None:
        page.wait_for_function("() => window.msecnn?.state?.recording")

    with visitors(profiles, host, is_ready, timeout_ms=120_000) as let:
        yield let


@pytest.fixture(scope="module")
def page(visit: Callable[..., Visitor]) -> Visitor:
    """One page for the tests that only ask."""
    return visit()


@pytest.fixture(scope="module")
def context() -> AppContext:
    return AppContext.load(table_1=False)


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
        for key in there.keys() - {"request", "url", "audio", "sound", "positive", "negative", "sum_check"}:
            assert_same(page, here[key], there[key], within=within, at=f"{at}.{key}")
    elif isinstance(there, list | tuple):
        assert len(here) == len(there), at
        for i, pair in enumerate(zip(here, there, strict=True)):
            assert_same(page, *pair, within=within, at=f"{at}[{i}]")
    elif isinstance(there, str) and there.startswith("data:image"):
        assert furthest_grey(page, here, there) <= (GREY_OF_MAPS if ".maps[" in at else GREY), at
    elif isinstance(there, float) and at.endswith(".limit"):
        assert here == pytest.approx(there, rel=LIMIT_OF_MAPS), at
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


def last_of(handler: Any) -> Any:
    """A handler that tells of its progress before it answers."""
    return lambda *asked: list(handler(*asked))[-1]


QUESTION = {"model": "msecnn", "tag": "piano", "window": 1}
#: Name of a question, the server's answer, and requests.
QUESTIONS: list[tuple[str, Any, list[dict[str, Any]]]] = [
    ("window", show_window, [{"window": 0}, {"window": 1}]),
    ("split", compare.split, [QUESTION, QUESTION | {"model": "fcn5"}]),
    ("why", why.explain, [QUESTION, {"model": "fcn5", "tag": "drums", "window": 0}]),
    ("winning-cells", why.find_winning_cells, [QUESTION]),
    ("maps", last_of(why.show_maps), [QUESTION, QUESTION | {"model": "fcn5", "baseline": "floor"}]),
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


@pytest.mark.parametrize("request_of", [QUESTION, {"model": "fcn5", "tag": "drums", "window": 0}])
def test_what_is_there_and_counts_is_what_the_server_finds(
    page: Visitor, context: AppContext, session: Session, same_samples: Path, request_of: dict[str, Any]
) -> None:
    """Events in favour and against, without a gradient: Shapley values of maxima in closed form."""
    choose(page, same_samples)
    here = ask(page, "events", **request_of)
    there = why.explain(context, session, request_of).payload
    assert there["positive"]
    for side in ("positive", "negative"):
        assert_same(page, here[side], there[side], within=1e-4, at=side)


@pytest.mark.parametrize("what", ["evidence", "rest", "scale:level2"])
def test_the_evidence_sounds_as_on_the_server(
    page: Visitor, context: AppContext, session: Session, same_samples: Path, what: str
) -> None:
    choose(page, same_samples)
    here = ask(page, "sonify", **QUESTION, what=what)
    explanation = requested_explanation(context, session, QUESTION)
    difference = samples_of(page, here["sound"]["url"]) - explanation.sound(what)
    assert np.sqrt(np.mean(difference**2)) < 1e-3  # 16 bits, and what float32 adds up to


def samples_of(page: Visitor, url: str) -> np.ndarray:
    """Of a WAV file of 16 bits that the page has."""
    samples: np.ndarray = np.frombuffer(bytes_of(page, url)[44:], "<i2") / 32_768
    return samples


def bytes_of(page: Visitor, url: str) -> bytes:
    """Of a file that the page has."""
    read = """async (url) => {
        const bytes = new Uint8Array(await (await fetch(url)).arrayBuffer());
        let text = "";
        for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
        return btoa(text);
    }"""
    return base64.b64decode(page.evaluate(read, url))


#: Edits, and how far a probability may be from the server's: filters and vocoder are float32 there, noise is another.
EDITS = {
    "keep=30:40,200:800": 2e-3,
    "remove=16.5:20,0:1000 level=-12": 2e-3,
    "low_cut=500 high_cut=3000 band_cut=1000,2 telephone": 2e-3,
    "reverse speed=1.06": 2e-3,
    "pitch=-3": 5e-3,
    "harmonic=2 clipping=12": 2e-3,
    "percussive=1.5 mono": 2e-3,
    "noise=20": 5e-2,
}


@pytest.mark.parametrize(("edits", "within"), EDITS.items())
def test_edits_change_tags_as_on_the_server(
    page: Visitor, context: AppContext, session: Session, same_samples: Path, edits: str, within: float
) -> None:
    choose(page, same_samples)
    here = ask(page, "what-if", edits=edits, window=1)
    there = edit_window(context, session, {"edits": edits, "window": 1}).payload
    if "noise" not in edits:
        assert_same(page, here, there, within=within)
    for model, other in zip(here["models"], there["models"], strict=True):
        after = {row["tag"]: row["after"] for row in other["tags"]}
        common = [row for row in model["tags"] if row["tag"] in after]
        assert common
        assert all(abs(row["after"] - after[row["tag"]]) <= within for row in common)


def test_every_edit_is_made_here_or_named_as_left_out(page: Visitor) -> None:
    offered = {kind["name"] for kind in page.evaluate("() => msecnn.offered.edits.kinds")}
    everywhere = {kind["name"] for kind in edit_choices()}
    assert everywhere - offered == EDITS_LEFT_OUT
    assert {edit.partition("=")[0] for text in EDITS for edit in text.split()} == offered


def test_the_smallest_cut_is_not_offered(page: Visitor) -> None:
    page.click("#head-what-if")
    page.get_by_role("heading", name="Response curve").wait_for()
    assert page.get_by_role("heading", name="Smallest cut").count() == 0


def test_a_curve_is_the_servers(page: Visitor, context: AppContext, session: Session, same_samples: Path) -> None:
    choose(page, same_samples)
    request = {"edits": "level=-6", "window": 0, "curve": "speed=0.9:1.1:3", "token": "curve"}
    here = ask(page, "what-if-curve", **request)["figures"]
    there = last_of(edits_tab.draw_curve)(context, session, request).payload["figures"]
    for figure, other in zip(here, there, strict=True):
        assert figure["title"] == other["title"]
        assert figure["figure"]["label"] == other["figure"]["label"]
        lines, others = figure["figure"]["data"], other["figure"]["data"]
        assert [line.get("name") for line in lines] == [line.get("name") for line in others]
        for line, of_server in zip(lines, others, strict=True):
            values = of_server["y"]
            packed = isinstance(values, dict)
            numbers = np.frombuffer(base64.b64decode(values["bdata"]), values["dtype"]) if packed else values
            np.testing.assert_allclose(line["y"], numbers, rtol=0, atol=5e-3)


def test_everything_is_saved_in_one_zip(page: Visitor, same_samples: Path) -> None:
    choose(page, same_samples)
    request = QUESTION | {"edits": "level=-6", "curve": "level=-6:0:2"}
    saved = ask(page, "export", **request)
    archive = zipfile.ZipFile(io.BytesIO(bytes_of(page, saved["file"]["url"])))
    assert archive.testzip() is None
    assert archive.namelist() == saved["names"]
    (told,) = json.loads(archive.read("tags.json"))
    opened_here = ask(page, "open")
    for model in opened_here["models"]:
        assert list(told["models"][model["name"]]["tags"].values()) == pytest.approx(model["probabilities"], abs=2e-6)
    rows = list(csv.DictReader(io.StringIO(archive.read("tags.csv").decode())))
    assert [row["model"] for row in rows] == [model["name"] for model in opened_here["models"]]
    explanation = json.loads(archive.read("explanation.json"))
    assert len(explanation["cells"]) == 513
    total = explanation["base_value"] + sum(scale["relative"] for scale in explanation["scales"])
    assert total == pytest.approx(explanation["logit"], abs=1e-4)
    assert {"sounds/window.wav", "sounds/evidence.wav", "what-if/what_if.json"} <= set(saved["names"])
    with wave.open(io.BytesIO(archive.read("sounds/window.wav"))) as sound:
        assert (sound.getframerate(), sound.getnframes()) == (12_000, 349_440)


def test_a_worksheet_is_handed_in_with_sound_and_weights(page: Visitor, same_samples: Path, tmp_path: Path) -> None:
    choose(page, same_samples)
    told = ask(page, "worksheet", window=0)
    assert set(told["weights"].values()) == {checkpoint.load(name).card["sha256"] for name in checkpoint.bundled()}
    with wave.open(io.BytesIO(bytes_of(page, told["clip"]["url"]))) as sound:
        assert (sound.getframerate(), sound.getnframes()) == (12_000, 349_440)
    edited = ask(page, "worksheet", window=0, edits="level=-6")
    assert edited["clip"] is None
    ratio = samples_of(page, edited["edited"]["url"]).std() / samples_of(page, told["clip"]["url"]).std()
    assert ratio == pytest.approx(10 ** (-6 / 20), abs=1e-3)
    page.get_by_role("tab", name="Lessons").click()
    page.get_by_role("button", name="Save a worksheet of what is shown").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as one page").click()
    download.value.save_as(tmp_path / "sheet.html")
    assert 100_000 < (tmp_path / "sheet.html").stat().st_size < 1_500_000
    assert "data:audio/wav;base64," in (tmp_path / "sheet.html").read_text(encoding="utf-8")
    page.get_by_role("button", name="Close").click()


def test_live_tags_are_those_that_the_server_gives(page: Visitor, context: AppContext) -> None:
    """From the first second, when the sound is repeated to a window, until its beginning moves on."""
    taggers = list(context.taggers.values())
    tagger = LiveTagger(taggers)
    sound = np.round(music(31, 12_000, 1, seed=4)[0] * 32_767).astype("<i2")
    for serial, part in enumerate(np.split(sound, 12_000 * np.array([1, 9, 26, 28, 30]))):
        samples = base64.b64encode(part.tobytes()).decode()
        here = ask(page, "live", stream="test", serial=serial, samples=samples, sample_rate=12_000)
        tagger.add(part.astype(np.float32) / 32_768)
        there = live._told(tagger.answer(), list(context.taggers))
        assert base64.b64decode(here["columns"])[:96] == base64.b64decode(there["columns"])[:96]
        assert_same(page, here | {"columns": ""}, there | {"columns": ""}, within=2e-3)
    assert ask(page, "live-end").keys() == {"request"}


def test_a_question_that_nobody_knows_is_refused_at_once(page: Visitor) -> None:
    ended = "name => Promise.race([msecnn.call(name).catch(({ message }) => message), msecnn.call('calibration')])"
    assert page.evaluate(ended, "nonsense") == "There is no question called “nonsense”."


def test_what_needs_the_full_app_says_so_with_its_command(page: Visitor, same_samples: Path) -> None:
    choose(page, same_samples)
    for name in REFUSED.keys() - {"maps", "what-if", "other"}:
        with pytest.raises(Exception, match="python -m msecnn serve"):
            ask(page, name, **QUESTION)
    for name, request in (("maps", QUESTION | {"method": "gradient"}), ("what-if", {"edits": "codec=32", "window": 0})):
        with pytest.raises(Exception, match="python -m msecnn serve"):
            ask(page, name, **request)


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


@pytest.fixture(scope="module")
def three_minutes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sounds") / "three minutes.m4a"
    path.write_bytes(encode(music(180, 44_100, 2, seed=1), 44_100, "m4a"))
    return path


def test_three_minutes_of_two_channels_have_their_timeline(page: Visitor, three_minutes: Path) -> None:
    choose(page, three_minutes)
    assert page.evaluate("() => [msecnn.state.recording.channels, msecnn.state.windows.length]") == [2, 7]
    page.click("#head-tags")
    assert page.locator(".mse-heat-row:not(.axis)").count() == 20
    figures = ask(page, "timeline", all=True)["figures"]
    assert [len(figure["data"][0]["z"]) for figure in figures] == [50, 50]


def test_without_a_network_the_page_opens_again_and_tags(visit: Callable[..., Visitor], recordings: Path) -> None:
    page = visit()
    page.evaluate("() => msecnn.kept")
    assert installability_errors(page) == []
    requests: list[str] = []
    page.context.on("request", lambda request: requests.append(request.url))
    for tab in ("why", "network", "what-if", "compare", "live", "lessons", "tags"):
        page.click(f"#head-{tab}")
    page.click("[data-example=piano]")
    page.wait_for_function("() => msecnn.state.recording.example === 'piano'")
    page.evaluate("() => msecnn.player.play()")
    page.click("details[data-control=calibration] summary")
    page.wait_for_selector(".mse-plot .main-svg")
    choose(page, recordings / "tune.mp3")
    assert [url for url in requests if not url.startswith(("blob:", "data:"))] == []
    page.context.set_offline(True)
    page.goto(f"{page.url.split('?')[0]}?lang=de")
    page.wait_for_function("() => window.msecnn?.state?.recording")
    choose(page, recordings / "tune.mp3")
    assert page.evaluate("() => self.crossOriginIsolated")  # so several threads may run
    assert page.text_content("#head-why") == "Warum dieses Tag"


def installability_errors(page: Visitor) -> list[str]:
    """What Chromium misses of a page that can be installed."""
    errors = page.context.new_cdp_session(page).send("Page.getInstallabilityErrors")["installabilityErrors"]
    return [error["errorId"] for error in errors if error["errorId"] != "in-incognito"]  # as every test's page is


def test_on_a_phone_in_german_nothing_is_wider_than_the_screen(visit: Callable[..., Visitor]) -> None:
    page = visit("?example=song&tab=why", width=390, height=800, dark=True, locale="de-DE")
    page.wait_for_selector(".mse-evidences h3:has-text('Stärkste Belege')")
    assert page.evaluate("() => document.documentElement.lang") == "de"
    assert "dark" in page.evaluate("() => document.body.className")
    for tab in page.evaluate("() => msecnn.offered.tabs"):
        page.click(f"#head-{tab}")
        assert page.evaluate("() => document.documentElement.scrollWidth") <= 390, tab
    assert page.text_content("#heading-what-if") == "Was wäre, wenn"
    assert page.locator("#about-text, .prose").first.get_attribute("lang") == "de"
    with pytest.raises(
        Exception, match=r"Zufällige Gewichte .*\. Das ganze Programm hat sie: python -m msecnn serve\."
    ):
        ask(page, "sanity")


def test_the_microphone_is_tagged_live_and_recorded(visit: Callable[..., Visitor]) -> None:
    page = visit("?tab=live", permissions=["microphone"])
    page.click("button:has-text('Start listening')")
    page.wait_for_function("() => msecnn.live.latencies.length >= 3")
    assert page.locator(".mse-live-answer .mse-tag").count() == 8
    page.click("#head-tags")  # nobody listens behind a closed tab
    page.click("button:has-text('Record')")
    page.wait_for_selector(".mse-status:has-text('0:01')")
    page.click("button:has-text('Stop and tag')")
    page.wait_for_function("() => msecnn.state.recording.name.startsWith('recording.')")


def test_the_site_can_be_installed_and_uploaded(site: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The worker keeps every file; and the command of docs/hosting.md makes a static Space of them."""
    manifest = json.loads((site / "manifest.webmanifest").read_text())
    assert {"name", "start_url", "display", "icons"} <= manifest.keys()
    worker = (site / "sw.js").read_text()
    files = {path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file()}
    assert all(f'"{name}"' in worker for name in files - {"sw.js", "README.md"})
    head = yaml.safe_load((site / "README.md").read_text(encoding="utf-8").split("---")[1])
    assert (head["sdk"], head["app_file"]) == ("static", "index.html")
    assert len(head["short_description"]) <= 60  # the Hub's limit
    assert head["custom_headers"]["cross-origin-opener-policy"] == "same-origin"
    text = (ROOT / "docs" / "hosting.md").read_text(encoding="utf-8")
    build, upload = re.search(r"^(python -m web .*)\n(hf upload .*)$", text, re.MULTILINE).groups()  # type: ignore[union-attr]
    program, *words = shlex.split(upload.replace("YOUR-NAME/YOUR-SPACE", "somebody/page"))
    assert program == "hf"
    assert words[2] == build.split()[-1]  # what was built is what goes up
    words[2] = str(site)
    with hub_stand_in(monkeypatch, str(tmp_path / "cache")) as server:
        environment = {"HF_ENDPOINT": server.address, "HF_HOME": str(tmp_path), "HF_TOKEN": "hf_nobody"}
        environment |= {"HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
        command = [sys.executable, "-m", "huggingface_hub.cli.hf", *words]
        done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        _, uploaded = server.commit("somebody/page", "main") or ("", {})
    assert uploaded.keys() == files
    assert all(content == (site / name).read_bytes() for name, content in uploaded.items())


def test_nothing_outside_is_named(site: Path) -> None:
    """No module of ours asks another host; the runtime and Plotly name some in messages, which the policy keeps in."""
    for module in [*site.glob("page/*.js"), *site.glob("shell/*.js"), *site.glob("answerer/*.js")]:
        assert "https://" not in module.read_text(encoding="utf-8").replace("http://www.w3.org", "")
    policy = (site / "index.html").read_text(encoding="utf-8")
    assert "default-src 'none'" in policy
    assert "connect-src 'self' blob:;" in policy
