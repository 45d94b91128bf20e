"""What the page's server holds of its visitors: recordings, files, its folder; and what any request may contain."""

import asyncio
import io
import json
import signal
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import numpy as np
import pytest
from audio_files import encode, music
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from running_page import ROOT, RunningPage, Visitor

from msecnn.checkpoint import Checkpoint
from msecnn.frontend import MelConfig
from msecnn.models.fcn import FCN5
from msecnn.models.msecnn import MsECNN
from msecnn.plots.static import image
from msecnn.plots.tags import tag_bars
from msecnn.tagger import Tagger, TagPrediction
from msecnn.ui import export, faithfulness_check, upload
from msecnn.ui import page as ui_page
from msecnn.ui.server import fair_queue, listeners, made_files, served_files, session_store, upload_folder
from msecnn.ui.server.context import AppContext
from msecnn.ui.server.dispatch import OUR_FAULT, Answer, Endpoint
from msecnn.ui.server.made_files import MadeFiles
from msecnn.ui.server.rpc import Page
from msecnn.ui.server.session import Session
from msecnn.ui.server.session_store import SessionStore
from msecnn.ui.server.upload_folder import UploadFolder
from msecnn.ui.server.visitors import Visitors

HOSTILE = "$$$ money $$$ {^_\\frac.mp3"


def prediction(n_windows: int) -> TagPrediction:
    return TagPrediction(
        model="toy",
        tags=("a",),
        probabilities=np.zeros(1),
        window_probabilities=np.zeros((n_windows, 1)),
        window_logits=np.zeros((n_windows, 1)),
        window_starts_s=np.zeros(n_windows),
        window_s=1.0,
        features={},
        mel=np.zeros((n_windows, 8, 16), np.float32),
        duration_s=1.0,
        notes=(),
        untrained=False,
    )


def session(path: str = "/nowhere", n_windows: int = 1) -> Session:
    said = prediction(n_windows)
    return Session(Path(path), "a name", None, {"toy": said}, said)


def who(number: int, address: str = "10.0.0.1") -> fair_queue.Visitor:
    return fair_queue.Visitor(address, f"session-{number}")


class TestSessionStore:
    def test_it_counts_bytes_and_shared_spectrograms_once(self) -> None:
        assert session(n_windows=3).n_bytes == 3 * (8 * 16 * 4 + 8 + 8)

    def test_the_largest_holder_gives_up_his_oldest(self) -> None:
        store = SessionStore(6 * session().n_bytes, 10**9)
        for number in (1, 2):
            store.put(who(number), "first", session())
        for number in range(10, 30):
            store.put(who(number, "10.6.6.6"), "first", session())
        assert store.get(who(1), "first") is not None
        assert store.get(who(2), "first") is not None
        assert store.get(who(29, "10.6.6.6"), "first") is not None
        assert store.get(who(10, "10.6.6.6"), "first") is None
        assert store.n_bytes <= store.max_bytes

    def test_a_recording_larger_than_all_that_may_be_held_is_held_alone(self) -> None:
        store = SessionStore(1, 10**9)
        store.put(who(1), "first", session())
        store.put(who(2), "first", session(n_windows=5))
        assert store.get(who(1), "first") is None
        assert store.get(who(2), "first") is not None

    def test_age_counts_from_the_last_use(self) -> None:
        store = SessionStore(10**9, 10**9)
        store.put(who(1), "first", session())
        store.expire(time.monotonic() + session_store.HELD_S - 1)
        assert store.get(who(1), "first") is not None
        store.expire(time.monotonic() + session_store.HELD_S + 1)
        assert store.get(who(1), "first") is None

    def test_slots_are_apart(self) -> None:
        store = SessionStore(10**9, 10**9)
        first, second = session("/a"), session("/b")
        store.put(who(1), "first", first)
        store.put(who(1), "second", second)
        assert store.get(who(1), "first") is first
        assert store.get(who(1), "second") is second


class TestMadeFiles:
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))

    @staticmethod
    def make(n_bytes: int = 10) -> dict[str, Any]:
        path = served_files.new_file("sound.wav")
        path.write_bytes(bytes(n_bytes))
        return {"sound": served_files.served(path)}

    def test_the_same_question_finds_the_same_file(self) -> None:
        made, answer = MadeFiles(), self.make()
        made.add("a", answer)
        assert made.find("a") == answer
        assert made.find("b") is None
        next(iter(made.paths)).unlink()
        assert made.find("a") is None

    def test_the_oldest_go_beyond_the_quota(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setattr(made_files, "MAX_BYTES", 25)
        made = MadeFiles()
        for number in range(5):
            made.add(number, self.make())
        assert [made.find(number) is not None for number in range(5)] == [False, False, False, True, True]
        assert len(list(tmp_path.rglob("*.wav"))) == 2

    def test_another_recording_takes_the_files_along_and_the_same_one_keeps_them(self) -> None:
        store, first = SessionStore(10**9, 10**9), session("/a")
        first.made.add("x", self.make())
        (path,) = first.made.paths
        store.put(who(1), "first", first)
        store.put(who(1), "first", session("/a"))
        assert path.is_file()
        assert store.paths() == {Path("/a"), path}
        store.put(who(1), "first", session("/b"))
        assert not path.exists()

    def test_copies_of_examples_belong_to_everybody(self) -> None:
        example = served_files.served(ROOT / "assets" / "examples" / "piano.mp3")
        made = MadeFiles()
        made.add("x", {"sound": example})
        made.clear()
        assert Path(example["path"]).is_file()


class TestUploadFolder:
    def test_what_a_killed_server_left_is_collected_and_a_living_one_s_is_not(self, tmp_path: Path) -> None:
        program = (
            "import sys, time; from pathlib import Path; from msecnn.ui.server.upload_folder import UploadFolder;"
            f"folder = UploadFolder(Path({str(tmp_path)!r})); (folder.path / 'a.wav').write_bytes(b'x');"
            "print(folder.path, flush=True); time.sleep(600)"
        )
        killed, living = (
            subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) for _ in range(2)
        )
        try:
            dead, alive = (Path(process.stdout.readline().strip()) for process in (killed, living))  # type: ignore
            killed.kill()
            killed.wait()
            assert (dead / "a.wav").exists()
            mine = UploadFolder(tmp_path)
            assert not dead.exists()
            assert (alive / "a.wav").exists()
            mine.remove()
            assert {path.name for path in tmp_path.iterdir()} == {alive.name, f"{alive.name}.lock"}
        finally:
            living.kill()
            living.wait()

    def test_a_sweep_keeps_what_is_needed_or_new(self, tmp_path: Path) -> None:
        folder = UploadFolder(tmp_path)
        for name in ("old/a.wav", "held/b.wav", "part"):
            (folder.path / name).parent.mkdir(exist_ok=True)
            (folder.path / name).write_bytes(b"x")
        later = time.time() + upload_folder.KEPT_S + 1
        folder.sweep([], now=later - 10)
        assert len([path for path in folder.path.rglob("*") if path.is_file()]) == 3
        folder.sweep([folder.path / "held" / "b.wav"], now=later)
        assert [path.name for path in folder.path.rglob("*") if path.is_file()] == ["b.wav"]
        assert not (folder.path / "old").exists()
        folder.remove()
        assert not list(tmp_path.iterdir())


def visitors_files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.suffix in (".flac", ".wav")]


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGHUP"])
def test_a_server_that_is_told_to_end_leaves_nothing(tmp_path: Path, name: str) -> None:
    (tmp_path / "tune.flac").write_bytes(encode(music(3.0, 16_000, 1), 16_000, "flac"))
    uploads = tmp_path / "uploads"
    with RunningPage(environment={"GRADIO_TEMP_DIR": str(uploads)}) as page:
        visitor = Visitor(page.address)
        assert "error" not in visitor.ask("open", path=visitor.upload(tmp_path / "tune.flac"), name="tune")
        visitor.ask("sound")
        assert len(visitors_files(uploads)) == 2
        request = {"model": "msecnn", "tag": "piano", "window": 0, "method": "occlusion"}
        visitor.send("faithfulness-check", token="under way", **request)
        assert "progress" in next(visitor.listen())
        page.process.send_signal(getattr(signal, name))
        assert page.process.wait(30) == 0
    assert not list(uploads.iterdir())


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPage]:
    uploads = str(tmp_path_factory.mktemp("uploads"))
    with RunningPage(environment={"GRADIO_TEMP_DIR": uploads}) as page:
        page.uploads = Path(uploads)  # type: ignore[attr-defined]
        yield page


def test_requests_of_others_make_nobody_s_recording_forgotten(page: RunningPage) -> None:
    """A script that calls by name is a session of its own at each call: 200 of them were all that was remembered."""
    visitor = Visitor(page.address)
    assert "error" not in visitor.ask("open", example="piano")
    with httpx.Client() as client:
        for _ in range(230):
            started = client.post(f"{page.address}gradio_api/call/models", json={"data": []}).json()
            client.get(f"{page.address}gradio_api/call/models/{started['event_id']}")
    assert "picture" in visitor.ask("window", window=0)


def test_all_results_of_a_recording_with_a_hostile_name_are_saved(page: RunningPage, tmp_path: Path) -> None:
    (tmp_path / "tune.flac").write_bytes(encode(music(32.0, 16_000, 1), 16_000, "flac"))  # two windows: a timeline
    visitor = Visitor(page.address)
    visitor.ask("open", path=visitor.upload(tmp_path / "tune.flac"), name=HOSTILE + "y" * 100_000)
    answer = visitor.ask("export", model="msecnn", tag="piano", window=0, method="gradient")
    assert {"figures/tags.png", "figures/timeline-msecnn.svg", "settings.json"} <= set(answer["names"])
    with zipfile.ZipFile(io.BytesIO(httpx.get(f"{page.address}gradio_api/file={answer['file']['path']}").content)) as z:
        name = json.loads(z.read("settings.json"))["recording"]
    assert name.startswith(HOSTILE)
    assert len(name) <= upload.LONGEST_NAME


def test_listening_again_writes_nothing_again(page: RunningPage, tmp_path: Path) -> None:
    (tmp_path / "tune.flac").write_bytes(encode(music(3.0, 16_000, 1), 16_000, "flac"))
    visitor = Visitor(page.address)
    visitor.ask("open", path=visitor.upload(tmp_path / "tune.flac"), name="tune")
    request = {"model": "msecnn", "tag": "piano", "window": 0, "what": "evidence"}
    first = [visitor.ask("sound")["sound"]["path"], visitor.ask("sonify", **request)["sound"]["path"]]
    again = [visitor.ask("sound")["sound"]["path"], visitor.ask("sonify", **request)["sound"]["path"]]
    assert first == again
    other = visitor.ask("sonify", **{**request, "what": "rest"})["sound"]["path"]
    assert other not in first
    assert httpx.get(f"{page.address}gradio_api/file={other}").status_code == 200
    visitor.ask("open", example="piano")
    assert httpx.get(f"{page.address}gradio_api/file={other}").status_code != 200


def test_one_session_cannot_fill_the_queue_and_cheap_requests_pass(page: RunningPage) -> None:
    """Slow ones beyond the bound are answered "busy" at once; meanwhile a picture comes, and later all is as before."""
    greedy, other = Visitor(page.address), Visitor(page.address)
    for visitor in (greedy, other):
        assert "error" not in visitor.ask("open", example="piano")
    request = {"model": "msecnn", "tag": "piano", "window": 0, "method": "occlusion", "baseline": "floor"}
    numbers = [str(number) for number in range(12)]
    for number in numbers:
        greedy.send("maps", id=number, token=number, **request)
    answers: dict[str, list[dict[str, Any]]] = {number: [] for number in numbers}
    with ThreadPoolExecutor(1) as pool:  # as a browser does: what nobody listens for is dropped
        heard = pool.submit(list, greedy.listen())
        begun = time.perf_counter()
        assert "picture" in other.ask("window", window=0)
        assert "error" not in other.ask("why", model="msecnn", tag="piano", window=0)
        took = time.perf_counter() - begun
        for answer in heard.result():
            answers[answer["request"]].append(answer)
    busy = [told[-1] for told in answers.values() if "busy" in told[-1]]
    assert len(busy) == 12 - 1 - 4
    assert all("waiting already" in answer["error"] for answer in busy)
    assert any(answer.get("place") for told in answers.values() for answer in told)
    assert sum("maps" in told[-1] for told in answers.values()) == 5
    assert "maps" in greedy.ask("maps", token="x", **{**request, "method": "gradient"})
    assert took < 20


def test_the_work_of_a_visitor_who_has_left_is_dropped(page: RunningPage) -> None:
    left, other = Visitor(page.address), Visitor(page.address)
    for visitor in (left, other):
        assert "error" not in visitor.ask("open", example="piano")
    request = {"model": "msecnn", "tag": "piano", "window": 0, "baseline": "floor"}
    begun = time.perf_counter()
    assert "maps" in other.ask("maps", token="alone", method="occlusion", **request)
    alone_s = max(1.0, time.perf_counter() - begun) + listeners.GRACE_S
    for number in range(5):
        left.send("faithfulness-check", id=str(number), token=f"left-{number}", method="occlusion", **request)
    answers = left.listen()
    assert "progress" in next(answers)
    answers.close()  # type: ignore[attr-defined]
    begun = time.perf_counter()
    assert "maps" in other.ask("maps", token="other", method="occlusion", **request)
    n_checks = (time.perf_counter() - begun) / alone_s
    assert n_checks < 3  # five checks, each of them longer than a map, were before it


class TestNames:
    def test_a_name_is_text_in_every_picture(self) -> None:
        figure = tag_bars(("$a$", "b_{$"), np.array([[0.4, 0.6]]), ["$x^$"], title=HOSTILE)
        assert image(figure, "png")[:4] == b"\x89PNG"

    def test_it_is_bounded_and_on_one_line(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
        (tmp_path / "a.flac").write_bytes(encode(music(3.0, 16_000, 1), 16_000, "flac"))
        context = replace(AppContext.load(), examples={})
        request = {"path": str(tmp_path / "a.flac"), "name": "x\n\x1b[31m" + "y" * 300_000}
        answer = upload.open_recording(context, None, request)
        name = answer.payload["recording"]["name"]
        assert len(name) <= 80
        assert name.isprintable()

    def test_sentences_name_the_file_as_the_visitor_does(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
        (tmp_path / "stored-as.mp3").write_text("la la la")
        context = replace(AppContext.load(), examples={})
        with pytest.raises(Exception, match=r"“Mein Lied \(1\)\.mp3” is not a recording"):
            upload.open_recording(context, None, {"path": str(tmp_path / "stored-as.mp3"), "name": "Mein Lied (1).mp3"})


def test_files_of_all_visitors_have_one_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One session has its quota; who opens many must not have as many quotas."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    store = SessionStore(10**9, 100)
    for number in range(10):
        flooder = who(number, "10.6.6.6")
        store.put(flooder, "first", session("/example"))
        store.add_made(flooder, "first", Path("/example"), "x", TestMadeFiles.make(20))
        if number == 2:
            store.put(who(99), "first", session("/mine"))
            store.add_made(who(99), "first", Path("/mine"), "x", TestMadeFiles.make(20))
    assert store.n_made_bytes == sum(path.stat().st_size for path in tmp_path.rglob("*.wav")) == 100
    assert made_by(store, 99) == 1
    assert [made_by(store, number) for number in range(10)] == 6 * [0] + 4 * [1]


def made_by(store: SessionStore, number: int) -> int:
    return len(next(held for (name, _), held in store._held.items() if name == f"session-{number}").session.made)


def test_what_was_made_for_who_has_left_is_still_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its answer reaches nobody; a file that nobody knew of would lie there for an hour, beyond any quota."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))

    begun, left, remembered = threading.Event(), threading.Event(), threading.Event()

    def slow(*_: object) -> Answer:
        begun.set()
        left.wait()
        return Answer(TestMadeFiles.make())

    visitors = Visitors()
    endpoint = Endpoint("slow", slow, visitors, lambda _: "slow", "first")
    visitors.sessions.put(who(1), "first", session("/a"))
    add_made = visitors.sessions.add_made

    def add_and_tell(*made: Any) -> None:
        add_made(*made)
        remembered.set()

    monkeypatch.setattr(visitors.sessions, "add_made", add_and_tell)

    async def leave() -> None:
        task = asyncio.ensure_future(anext(endpoint.answers(who(1), {})))
        await asyncio.to_thread(begun.wait)
        task.cancel()
        await asyncio.sleep(0)
        left.set()
        await asyncio.wait([task])
        await asyncio.to_thread(remembered.wait, 10)  # nobody else waits for the thread

    asyncio.run(leave())
    (made,) = tmp_path.rglob("*.wav")
    assert made in visitors.sessions.paths()
    visitors.sessions.put(who(1), "first", session("/b"))
    assert not made.exists()


def test_who_leaves_while_a_step_is_under_way_is_no_mistake_of_ours(caplog: pytest.LogCaptureFixture) -> None:
    """The step ends in its thread, and then what it belongs to."""
    begun, left, ended = threading.Event(), threading.Event(), threading.Event()

    def slow(*_: object) -> Iterator[Answer]:
        try:
            begun.set()
            left.wait()
            yield Answer({})
        finally:
            ended.set()

    endpoint = Endpoint("slow", slow, Visitors(), lambda _: "slow", "first")

    async def leave() -> None:
        task = asyncio.ensure_future(anext(endpoint.answers(who(1), {})))
        await asyncio.to_thread(begun.wait)
        task.cancel()
        await asyncio.wait([task])
        left.set()
        assert task.cancelled()

    asyncio.run(leave())
    assert ended.wait(10)
    assert not caplog.records


def test_what_is_made_of_a_recording_that_was_closed_meanwhile_is_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    store = SessionStore(10**9, 10**9)
    store.put(who(1), "first", session("/b"))
    store.add_made(who(1), "first", Path("/a"), "x", TestMadeFiles.make())
    assert not list(tmp_path.rglob("*.wav"))


def test_an_upload_goes_soon_after_its_recording_was_closed(tmp_path: Path) -> None:
    folder, store = UploadFolder(tmp_path), SessionStore(10**9, 10**9)
    for name in ("mine/a.wav", "shared/b.wav", "new/c.wav"):
        (folder.path / name).parent.mkdir()
        (folder.path / name).write_bytes(b"x")
    mine, shared = folder.path / "mine" / "a.wav", folder.path / "shared" / "b.wav"
    for number, path in ((1, mine), (2, shared), (3, shared)):
        store.put(who(number), "first", session(str(path)))
        store.put(who(1 if number == 1 else 2), "first", session("/example"))
    left = lambda: sorted(path.name for path in folder.path.rglob("*.wav"))  # noqa: E731
    now = time.time()
    folder.sweep(store.paths(), store.take_closed(), now=now)
    assert left() == ["a.wav", "b.wav", "c.wav"]  # another visitor may be about to open the same
    folder.sweep(store.paths(), store.take_closed(), now=now + upload_folder.CLOSED_S + 1)
    assert left() == ["b.wav", "c.wav"]
    folder.remove()


def test_a_folder_that_lost_its_lock_is_collected(tmp_path: Path) -> None:
    """A thread at work when its server ended may have written once more."""
    (tmp_path / f"{upload_folder.PREFIX}0123").mkdir()
    (tmp_path / f"{upload_folder.PREFIX}0123" / "a.wav").write_bytes(b"x")
    (tmp_path / "of-another-program").mkdir()
    upload_folder.collect(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["of-another-program"]


def test_a_later_question_takes_the_place_of_the_one_before() -> None:
    """Who clicks faster than answers come waits for his last click, and is never told that he asks too much."""
    begun: list[str] = []
    first, last = threading.Event(), threading.Event()

    def slow(_: object, request: dict[str, Any]) -> Iterator[Answer]:
        begun.append(request["id"])
        first.set()
        last.wait()
        yield Answer({"done": request["id"]})

    async def scene() -> list[list[dict[str, Any]]]:
        endpoint = Endpoint("slow", slow, Visitors(), lambda _: "slow", "first")

        async def answers(number: int) -> list[dict[str, Any]]:
            asked = {"id": f"{number}", "latest": True}
            return [payload async for payload in endpoint.answers(who(1), asked)]

        tasks = [asyncio.ensure_future(answers(0))]
        await asyncio.to_thread(first.wait)
        for number in range(1, 9):
            tasks.append(asyncio.ensure_future(answers(number)))
            await asyncio.sleep(0)
        last.set()
        told = await asyncio.gather(*tasks)
        assert not endpoint.latest
        return told

    told = asyncio.run(scene())
    assert begun == ["0", "8"]
    assert told[-1][-1]["done"] == "8"
    assert not any("done" in payload or "error" in payload for answers in told[:-1] for payload in answers)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
RIGHT = {
    "model": "msecnn", "tag": "piano", "window": 0, "level": "level1", "channel": 0, "method": "gradient",
    "example": "piano", "what": "evidence", "lesson": "mel", "checked": True,
}  # fmt: skip


class Narrow(MsECNN):
    """With two channels a level: questions are tried here, which networks of full size take minutes to answer."""

    channels = (2, 2, 2, 2, 2)


class NarrowFCN5(FCN5):
    channels = Narrow.channels


class Watched(dict[str, Any]):
    """A request that notes which of its keys are looked at."""

    def __init__(self, request: dict[str, Any]) -> None:
        super().__init__(request)
        self.keys_read: set[str] = set()

    def get(self, key: str, default: Any = None) -> Any:
        self.keys_read.add(key)
        return super().get(key, default)

    def __getitem__(self, key: str) -> Any:
        self.keys_read.add(key)
        return super().__getitem__(key)


def narrow(wide: Checkpoint) -> Checkpoint:
    """Without what lies beside the wide network's weights."""
    model = {"msecnn": Narrow, "fcn5": NarrowFCN5}[wide.model.architecture](n_tags=len(wide.tags)).eval()
    card = wide.card | {"sha256": "0" * 64}
    means = {scale: np.zeros(n) for scale, n in model.n_features.items()}
    return replace(wide, network=model, card=card, mean_features=means)


@pytest.fixture(scope="module")
def endpoints() -> dict[str, Endpoint]:
    """Those of the page, with a recording open."""
    found: dict[str, Endpoint] = {}
    loaded = AppContext.load(table_1=False)
    context = replace(
        loaded, taggers={name: Tagger(narrow(tagger.checkpoint)) for name, tagger in loaded.taggers.items()}
    )
    original = Page.endpoint

    def collect(self: Page, name: str, handler: Any, *, slot: str = "first", **_: Any) -> None:
        found[name] = Endpoint(name, partial(handler, context), Visitors(), lambda _: "light", slot)

    Page.endpoint = collect  # type: ignore[method-assign, assignment]
    try:
        ui_page.build(context)
    finally:
        Page.endpoint = original  # type: ignore[method-assign]
    opened = upload.open_recording(context, None, {"example": "piano"}).session
    assert opened is not None
    for endpoint in found.values():
        endpoint.visitors.sessions.put(who(1), endpoint.slot, opened)
    return found


def ask(endpoint: Endpoint, request: object) -> list[dict[str, Any]]:
    async def collect() -> list[dict[str, Any]]:
        return [payload async for payload in endpoint.answers(who(1), request)]

    return asyncio.run(collect())


def endpoint_names() -> list[str]:
    """All that the page has, before there is a page: those that its modules name."""
    names: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Page, "endpoint", lambda self, name, *_, **__: names.append(name))
        taggers: dict[str, Any] = {"toy": SimpleNamespace(checkpoint=SimpleNamespace(mel_config=MelConfig()))}
        ui_page.build(AppContext(taggers=taggers, examples={}, max_s=1.0, max_bytes=1))
    return names


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What is drawn and measured for a right request has tests of its own."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    monkeypatch.setattr(export, "explanation_files", lambda *_, **__: iter(()))
    monkeypatch.setattr(export, "figure_files", lambda *_: iter(()))
    monkeypatch.setattr(export, "what_if_files", lambda *_: iter(()))
    monkeypatch.setattr(faithfulness_check, "N_STEPS", 2)


@pytest.mark.parametrize("name", endpoint_names())
@settings(max_examples=4, deadline=None, suppress_health_check=[*HealthCheck])
@given(data=st.data())
def test_whatever_a_key_holds_a_request_is_answered_or_refused_in_a_sentence(
    endpoints: dict[str, Endpoint], quick: None, name: str, data: st.DataObject
) -> None:
    """Of every question every key that it reads, found by reading: a new one is tried as soon as it is there."""
    keys: set[str] = set()
    for request in ({}, RIGHT):
        watched = Watched(request)
        assert ask(endpoints[name], watched)[-1].get("error") != OUR_FAULT
        keys |= watched.keys_read
    assert "id" in keys
    for key in sorted(keys):
        wrong = {key: data.draw(ANYTHING, label=key)}
        answer = ask(endpoints[name], {**RIGHT, **wrong})[-1]
        assert answer.get("error") != OUR_FAULT, wrong
        assert len(str(answer.get("error", ""))) < 1000


@pytest.mark.parametrize("request_", [None, [], 7, "x", {"id": ["a" * 1000]}, {}])
def test_what_is_no_request_is_refused_by_every_endpoint(
    endpoints: dict[str, Endpoint], quick: None, request_: object
) -> None:
    for name, endpoint in endpoints.items():
        answer = ask(endpoint, request_)[-1]
        assert answer.get("error") != OUR_FAULT, name
        assert len(answer["request"]) <= 64


WRONG: tuple[Any, ...] = (None, 7, -1, 1e300, True, "x", "\0", "", [], [None], {}, {"path": 7}, {"path": "/etc/passwd"})


def test_wrong_types_by_name_are_refused_and_are_no_bug_of_ours(page: RunningPage, tmp_path: Path) -> None:
    """Of every named endpoint every parameter, as the page itself lists them."""
    (tmp_path / "tune.flac").write_bytes(encode(music(1.0, 16_000, 1), 16_000, "flac"))
    file = {"path": Visitor(page.address).upload(tmp_path / "tune.flac"), "meta": {"_type": "gradio.FileData"}}
    right: dict[str, Any] = {"recording": file, "models": ["msecnn"], "model": "msecnn", "tag": "piano", "window": 0}
    right["minimal"] = False
    listed = httpx.get(f"{page.address}gradio_api/info").json()["named_endpoints"]
    assert set(listed) == {"/tag", "/explain", "/models", "/what_if"}
    n_before = len(page.log)
    client = httpx.Client(base_url=f"{page.address}gradio_api/call", timeout=120)  # one reads the certificates once
    for name, endpoint in listed.items():
        if name == "/what_if":  # without a tag, whose evidence takes seconds
            right |= {"tag": "", "edits": "level=-3", "start_s": 0, "duration_s": 1, "curve": ""}
        names = [parameter["parameter_name"] for parameter in endpoint["parameters"]]
        assert "event: complete" in by_name(client, name, [right[key] for key in names])
        for at, key in enumerate(names):
            for wrong in WRONG:
                answer = by_name(client, name, [wrong if i == at else right[other] for i, other in enumerate(names)])
                assert OUR_FAULT not in answer, (name, key, wrong)
    ours = str(ROOT / "msecnn")  # Gradio checks some types before we see them, and logs its own traces
    assert not [line for line in page.log[n_before:] if ours in line]


def by_name(client: httpx.Client, name: str, data: list[Any]) -> str:
    """What a program hears that calls an endpoint."""
    started = client.post(name, json={"data": data})
    if started.status_code != 200:
        assert started.status_code < 500
        return started.text
    return client.get(f"{name}/{started.json()['event_id']}").text


def test_our_own_mistakes_are_noticed(endpoints: dict[str, Endpoint]) -> None:
    def broken(*_: object) -> Answer:
        raise TypeError("unhashable")

    assert ask(replace(endpoints["why"], handler=broken), {})[-1]["error"] == OUR_FAULT
