"""What comes in and goes out over HTTP: headers, foreign origins, slow and manifold uploads, an address's share."""

import asyncio
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from starlette.exceptions import HTTPException
from starlette.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send

from msecnn.ui.server import body_limits, fair_queue, http_guard
from msecnn.ui.server.addresses import sharer
from msecnn.ui.server.body_limits import BodyLimits, UploadLimits
from msecnn.ui.server.listeners import Listeners
from msecnn.ui.server.security_headers import FRAMES, SecurityHeaders

UPLOAD = "/gradio_api/upload"
LIMITS = UploadLimits(max_file_bytes=1000, max_address_bytes=5000)


async def swallow(scope: Scope, receive: Receive, send: Send) -> None:
    """Reads all of a request, as Gradio does, and answers with how much it was."""
    n_bytes, more = 0, True
    while more:
        message = await receive()
        n_bytes, more = n_bytes + len(message.get("body", b"")), message.get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]})
    await send({"type": "http.response.body", "body": str(n_bytes).encode()})


def request(app: Any, body: Iterable[bytes], *, path: str = UPLOAD, address: str = "10.0.0.1", **headers: str) -> int:
    """The status of the answer to a request whose pieces come one by one; a piece that is None stalls for ever."""
    pieces = [*body]
    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "client": (address, 1),
        "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
    }
    answers: list[Message] = []

    async def receive() -> Message:
        piece = pieces.pop(0) if pieces else None
        if piece is None:
            await asyncio.sleep(3600)
        return {"type": "http.request", "body": piece, "more_body": bool(pieces)}

    async def send(message: Message) -> None:
        answers.append(message)

    try:
        asyncio.run(app(scope, receive, send))
    except HTTPException as error:
        return error.status_code
    return int(answers[0]["status"])


def form(n_files: int) -> bytes:
    part = b'--BOUND\r\nContent-Disposition: form-data; name="files"; filename="a"\r\n\r\nx\r\n'
    return n_files * part + b"--BOUND--\r\n"


FORM = {"content_type": "multipart/form-data; boundary=BOUND"}


def limited() -> BodyLimits:
    return BodyLimits(swallow, UPLOAD, LIMITS)


class TestUploads:
    @pytest.mark.parametrize(("n_files", "status"), [(1, 200), (8, 200), (9, 413), (1000, 413)])
    @pytest.mark.parametrize("step", [7, 10**6])
    def test_so_many_files_in_one_upload(self, n_files: int, status: int, step: int) -> None:
        """However the boundaries lie across the pieces that come."""
        body = form(n_files)
        app = BodyLimits(swallow, UPLOAD, UploadLimits(10**6, 10**7))
        assert request(app, [body[at : at + step] for at in range(0, len(body), step)], **FORM) == status

    def test_one_that_stalls_is_ended(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(body_limits, "SILENCE_S", 0.05)
        begun = time.monotonic()
        assert request(limited(), [b"x", None], **FORM) == 408  # type: ignore[list-item]
        assert time.monotonic() - begun < 5

    def test_one_that_creeps_is_ended(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(body_limits, "SILENCE_S", -1.0)
        monkeypatch.setattr(body_limits, "_within", lambda receive, _: receive())
        assert request(limited(), [b"x"] * 100, **FORM) == 408
        assert request(limited(), [bytes(10_000)], **FORM) == 429  # fast enough, but more than an address may bring

    def test_an_address_has_a_share_and_others_theirs(self) -> None:
        app = limited()
        statuses = [request(app, [bytes(900)], **FORM) for _ in range(8)]
        assert statuses == 5 * [200] + 3 * [429]
        assert request(app, [bytes(900)], address="10.0.0.2", **FORM) == 200

    def test_the_share_comes_back(self, monkeypatch: pytest.MonkeyPatch) -> None:
        app = limited()
        assert request(app, [bytes(6000)], **FORM) == 429
        assert request(app, [b"x"], **FORM) == 429
        monkeypatch.setattr(body_limits, "COUNTED_S", -1.0)
        assert request(app, [b"x"], **FORM) == 200
        assert len(app._brought) == 1

    def test_what_says_that_it_is_too_large_is_not_read(self) -> None:
        assert request(limited(), [None], content_length="8001", **FORM) == 413  # type: ignore[list-item]


class TestQuestions:
    PATH = "/gradio_api/queue/join"

    def test_one_that_stalls_is_ended(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(body_limits, "QUESTION_S", 0.05)
        assert request(limited(), [b"x", None], path=self.PATH) == 408  # type: ignore[list-item]

    def test_one_that_is_too_long_is_cut_off(self) -> None:
        assert request(limited(), [bytes(2**22)] * 3, path=self.PATH) == 413
        assert request(limited(), [bytes(2**22)], path=self.PATH) == 200

    def test_who_waits_for_an_answer_is_not_slow(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The whole question has come: what is received now is the end of the connection, minutes later."""
        monkeypatch.setattr(body_limits, "QUESTION_S", 0.05)

        async def wait(scope: Scope, receive: Receive, send: Send) -> None:
            await receive()
            await asyncio.wait_for(receive(), 0.3)

        with pytest.raises(TimeoutError):
            request(BodyLimits(wait, UPLOAD, LIMITS), [b"x"], path=self.PATH)


@pytest.fixture
def client() -> TestClient:
    return TestClient(SecurityHeaders(swallow, http_guard.FILE), base_url="http://tags.example.org")


class TestHeaders:
    @pytest.mark.parametrize("path", ["/", "/gradio_api/file=/uploads/a.html", "/config"])
    def test_nothing_is_guessed_and_only_hugging_face_frames_the_page(self, client: TestClient, path: str) -> None:
        headers = client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert f"frame-ancestors {FRAMES}" in headers["content-security-policy"]
        assert "x-frame-options" not in headers  # it knows no list, and would shut Hugging Face out

    def test_an_upload_runs_nothing_whatever_it_is(self, client: TestClient) -> None:
        policy = client.get("/gradio_api/file=/uploads/a.html").headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "sandbox;" in policy

    def test_a_refusal_has_them_too(self, client: TestClient) -> None:
        answer = client.post("/", headers={"Origin": "https://evil.example", "Cookie": "a=b"})
        assert answer.status_code == 403
        assert answer.headers["x-content-type-options"] == "nosniff"

    @pytest.mark.parametrize("secret", ["Cookie", "Authorization"])
    @pytest.mark.parametrize(
        ("origin", "status"),
        [
            ("https://evil.example", 403),
            ("null", 403),
            ("https://tags.example.org.evil.example", 403),
            ("https://tags.example.org", 200),
            ("http://tags.example.org:8080", 200),
            (None, 200),
        ],
    )
    def test_other_sites_do_not_act_in_a_visitor_s_name(
        self, client: TestClient, secret: str, origin: str | None, status: int
    ) -> None:
        headers = {secret: "x"} | ({"Origin": origin} if origin else {})
        assert client.post("/gradio_api/queue/join", headers=headers).status_code == status

    def test_programs_without_credentials_may_come_from_anywhere(self, client: TestClient) -> None:
        assert client.post("/", headers={"Origin": "https://notebook.example"}).status_code == 200


def test_every_guard_stands_in_the_page_s_way() -> None:
    stack = http_guard.middleware(Listeners(lambda *_: None), LIMITS)
    names = [getattr(one.cls, "__name__", "") for one in stack]
    assert names == ["SecurityHeaders", "ClosedRoutes", "BodyLimits", "Streams"]


class TestAddresses:
    @pytest.mark.parametrize(
        ("address", "shared"),
        [
            ("192.0.2.7", "192.0.2.7"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
            ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("", ""),
            ("testclient", "testclient"),
        ],
    )
    def test_a_network_of_ipv6_is_one_visitor(self, address: str, shared: str) -> None:
        assert sharer(address) == shared

    @given(st.text(max_size=40) | st.ip_addresses().map(str))
    def test_any_text_is_answered(self, address: str) -> None:
        assert isinstance(sharer(address), str)


def test_a_proxy_s_word_for_the_address_is_in_every_sample() -> None:
    """It must take the place of what the visitor's own request says: else each request comes from a new address."""
    root = Path(__file__).resolve().parents[1]
    for sample in ("container/nginx.conf", "docs/hosting.md"):
        text = (root / sample).read_text(encoding="utf-8")
        assert "proxy_set_header X-Forwarded-For $remote_addr;" in text, sample
        for header in ("Forwarded", "X-Forwarded-Host", "X-Real-IP"):
            assert f'proxy_set_header {header} "";' in text, sample
        assert "client_body_timeout" in text, sample
    # In the container the proxy is another machine, whose word is taken where this says so.
    page = yaml.safe_load((root / "container" / "compose.yaml").read_text())["services"]["page"]
    assert page["environment"]["FORWARDED_ALLOW_IPS"] == "*"
    assert "ports" not in page  # nobody but the proxy reaches it


def test_turns_of_one_network_are_shared() -> None:
    visitors = [fair_queue.Visitor(sharer(f"2001:db8::{number:x}"), f"s{number}") for number in range(1, 40)]
    assert len({visitor.address for visitor in visitors}) == 1
