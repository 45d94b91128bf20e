"""Nothing but the page comes out of the page: no file of the server, no other visitor's, no answer from elsewhere."""

import http.client
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from audio_files import encode, music
from corrupt_audio import wav_header
from gradio.utils import get_upload_folder
from running_page import ROOT, RunningPage, Visitor

#: What a file of the server says, and must not reach anybody.
SECRET = "correct horse battery staple"


@pytest.fixture(scope="module")
def page() -> Iterator[RunningPage]:
    with RunningPage("--max-megabytes", "3") as page:
        yield page


@pytest.fixture(scope="module")
def secret(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("private") / "secret.txt"
    path.write_text(SECRET)
    return path


@pytest.fixture(scope="module")
def tune(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recordings") / "tune.flac"
    path.write_bytes(encode(music(3.0, 16_000, 1), 16_000, "flac"))
    return path


@pytest.fixture
def canary() -> Iterator[tuple[str, list[str]]]:
    """A server inside the host's network, and what it was asked for."""
    heard: list[str] = []

    class Inside(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            heard.append(self.path)
            self.send_response(200)
            self.end_headers()

        do_HEAD = do_GET

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Inside)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/", heard
    server.shutdown()


def get(page: RunningPage, path: str) -> tuple[int, bytes]:
    """As an attacker does it: the path goes out as it is, which no well-behaved client would send."""
    connection = http.client.HTTPConnection("127.0.0.1", page.port, timeout=60)
    connection.putrequest("GET", path)
    connection.endheaders()
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, content


def tag(page: RunningPage, file: Any, model: Any = "msecnn") -> str:
    """What a program hears that gives /tag this in place of an uploaded file."""
    address = f"{page.address}gradio_api/call/tag"
    started = httpx.post(address, json={"data": [file, [model]]}, timeout=60)
    if started.status_code != 200:
        return started.text
    return httpx.get(f"{address}/{started.json()['event_id']}", timeout=120).text


def file_data(path: str, **others: object) -> dict[str, Any]:
    return {"path": path, "meta": {"_type": "gradio.FileData"}, **others}


PATHS = [
    "/gradio_api/file={path}",
    "/gradio_api/file=%2F{path}",
    "/gradio_api/file={uploads}/../..{path}",
    "/gradio_api/file={uploads}/%2e%2e/%2e%2e{path}",
    "/gradio_api/file=file://{path}",
    "/gradio_api/file//{path}",
    "/gradio_api/file={path}%00.wav",
    "/file={path}",
    "/static/../../../../../../../..{path}",
    "/assets/..%2f..%2f..%2f..%2f..%2f..%2f..%2f..{path}",
    "/svelte/../../../../../../../..{path}",
    "/gradio_api/custom_component/x/client/../../../../../../..{path}",
    "/gradio_api/stream/..%2f..{path}/0/0/playlist.m3u8",
]


@pytest.mark.parametrize("attempt", PATHS)
def test_no_path_leads_to_a_file_of_the_server(page: RunningPage, secret: Path, attempt: str) -> None:
    status, content = get(page, attempt.format(path=secret, uploads=get_upload_folder()))
    assert 400 <= status < 500
    assert SECRET.encode() not in content


@pytest.mark.parametrize(
    "path", ["pyproject.toml", "msecnn/ui/page.py", "checkpoints/msecnn/model.safetensors", ".git/config"]
)
def test_the_program_itself_is_not_served(page: RunningPage, path: str) -> None:
    for name in (path, ROOT / path):
        assert get(page, f"/gradio_api/file={name}")[0] == 403


def test_a_link_out_of_the_upload_folder_leads_nowhere(page: RunningPage, secret: Path) -> None:
    link = Path(get_upload_folder()) / f"link-{secret.parent.name}.txt"
    link.symlink_to(secret)
    try:
        status, content = get(page, f"/gradio_api/file={link}")
        assert status == 403
        assert SECRET.encode() not in content
        assert "error" in tag(page, file_data(str(link)))
        answer = Visitor(page.address).ask("open", path=str(link), name="x")
        assert "error" in answer
        assert "models" not in answer
    finally:
        link.unlink()


@pytest.mark.parametrize("others", [{}, {"is_stream": True}, {"url": "/gradio_api/file=/etc/hostname"}])
def test_a_path_in_place_of_an_upload_is_refused(page: RunningPage, tune: Path, others: dict[str, Any]) -> None:
    """The file is a recording, so that only the refusal can keep it from being tagged."""
    for path in (str(tune), f"{get_upload_folder()}/../..{tune}"):
        answer = tag(page, file_data(path, **others))
        assert "event: error" in answer
        assert "tags" not in answer


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "../../etc/passwd", "http://127.0.0.1/", "", "\x00", "/dev/zero", 7, [], {}]
)
def test_the_page_opens_uploads_only(page: RunningPage, path: object) -> None:
    answer = Visitor(page.address).ask("open", path=path, name="x")
    assert "error" in answer
    assert "models" not in answer


ADDRESSES = (
    "http://127.0.0.1:{port}/",
    "http://localhost:{port}/",
    "http://[::ffff:127.0.0.1]:{port}/",
    "http://2130706433:{port}/",
    "http://0x7f.1:{port}/",
    "HTTP://127.1:{port}/",
)


@pytest.mark.parametrize("address", ADDRESSES)
def test_no_address_is_asked(page: RunningPage, canary: tuple[str, list[str]], address: str) -> None:
    inside, heard = canary
    target = address.format(port=inside.rstrip("/").rpartition(":")[2])
    refused = tag(page, file_data(f"{target}song.wav"))
    assert "fetches nothing" in refused or "event: error" in refused
    tag(page, file_data(f"{target}song.wav", url=f"{target}song.wav", is_stream=True))
    tag(page, None, file_data(f"{target}song.wav"))
    for way in ("file=", "proxy=", "file/"):
        assert get(page, f"/gradio_api/{way}{target}")[0] in (403, 404)
    assert heard == []


def test_the_canary_sings(canary: tuple[str, list[str]]) -> None:
    address, heard = canary
    httpx.get(address)
    assert heard == ["/"]


@pytest.mark.parametrize(
    "path", ["/gradio_api/process_recording", "/gradio_api/vibe-edit", "/gradio_api/run-history/connect"]
)
def test_the_makers_tools_are_shut(page: RunningPage, path: str) -> None:
    assert httpx.post(f"{page.address.rstrip('/')}{path}", files={"video": b"x"}).status_code == 404


@pytest.mark.parametrize(
    "path", ["/monitoring", "/monitoring/summary", "/gradio_api/runs", "/gradio_api/deep_link?session_hash=x"]
)
def test_nobody_is_watched(page: RunningPage, path: str) -> None:
    assert get(page, path)[0] == 404


def test_one_visitor_does_not_see_what_another_opened(page: RunningPage, tune: Path) -> None:
    first, second = Visitor(page.address), Visitor(page.address)
    assert "error" not in first.ask("open", path=first.upload(tune), name="tune")
    assert "picture" in first.ask("window", window=0)
    assert "no longer holds" in second.ask("window", window=0)["error"]
    assert "no longer holds" in second.ask("why", model="msecnn", tag="piano", window=0)["error"]


def test_an_upload_lies_where_nobody_can_guess(page: RunningPage, tune: Path) -> None:
    """Its folder is called by the SHA-256 of a seed of the server's and the content, and folders are not listed."""
    place = Path(Visitor(page.address).upload(tune))
    assert len(place.parent.name) == 64
    assert get(page, f"/gradio_api/file={place}")[0] == 200
    for folder in (place.parent, place.parent.parent):
        assert get(page, f"/gradio_api/file={folder}")[0] == 403
        assert get(page, f"/gradio_api/file={folder}/")[0] == 403


@pytest.mark.parametrize(
    "name", ["../../../evil.wav", "/etc/evil.wav", "..", "a/../../b.wav", "evil\n\x00.wav", "a" * 300 + ".wav"]
)
def test_an_upload_s_name_does_not_choose_its_place(page: RunningPage, tune: Path, name: str) -> None:
    usual = Path(Visitor(page.address).upload(tune)).parent.parent
    assert usual.is_relative_to(get_upload_folder())
    files = {"files": (name, tune.read_bytes())}
    answer = httpx.post(f"{page.address}gradio_api/upload", files=files)
    assert answer.status_code < 500
    for place in answer.json() if answer.status_code == 200 else ():
        assert Path(place).resolve().parent.parent == usual.resolve()


def test_too_large_an_upload_is_refused_while_it_comes(page: RunningPage) -> None:
    answer = httpx.post(f"{page.address}gradio_api/upload", files={"files": ("a.wav", bytes(4 * 2**20))})
    assert answer.status_code == 413


def test_an_endless_question_is_cut_off(page: RunningPage) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(200):
            yield bytes(2**16)

    for content in (bytes(9 * 2**20), endless()):
        assert httpx.post(f"{page.address}gradio_api/queue/join", content=content).status_code == 413


def test_a_wav_header_that_lies_about_hours_is_believed_in_nothing(page: RunningPage, tmp_path: Path) -> None:
    short = wav_header(2**31 - 1, sample_rate=8_000, n_channels=1, n_bits=8) + bytes(1000)
    (tmp_path / "liar.wav").write_bytes(short)
    visitor = Visitor(page.address)
    answer = visitor.ask("open", path=visitor.upload(tmp_path / "liar.wav"), name="liar")
    assert "error" in answer or answer["recording"]["duration_s"] < 1
