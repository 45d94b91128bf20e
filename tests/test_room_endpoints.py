"""The room over HTTP: who gets in, what is refused in one sentence, who waits how long, and that news reach all."""

import ast
import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from msecnn.ui.server import room_endpoints
from msecnn.ui.server.classroom import MOST_WRONG, Classroom
from msecnn.ui.server.room_endpoints import FOLDER, KEY, MAX_BYTES, MOST_WAITING, routes

QUESTION = {"kind": "choice", "text": "Which?", "choices": ["one", "two"]}
PATHS = sorted(route.path for route in routes(Classroom()))  # type: ignore[attr-defined]


class Class:
    """A lecturer and those who ask a server that has the room's routes alone."""

    def __init__(self) -> None:
        self.classroom = Classroom()
        self.app = Starlette(routes=routes(self.classroom))

    def from_address(self, address: str = "10.0.0.1") -> httpx.AsyncClient:
        transport = httpx.ASGITransport(self.app, client=(address, 5))
        return httpx.AsyncClient(transport=transport, base_url="http://test", timeout=30)

    async def lead(self, do: str, **fields: Any) -> httpx.Response:
        async with self.from_address("10.0.0.254") as client:
            headers = {KEY: self.classroom.secret}
            return await client.post(f"/{FOLDER}/lead", json={"do": do, **fields}, headers=headers)

    async def join(self, client: httpx.AsyncClient) -> dict[str, str]:
        """The headers by which a phone is known."""
        answer = await client.post(f"/{FOLDER}/join", json={"code": self.classroom.open().code})
        assert answer.status_code == 200
        return {KEY: answer.json()["phone"]}


@asynccontextmanager
async def taught() -> AsyncIterator[tuple[Class, httpx.AsyncClient, dict[str, str]]]:
    """A class with one phone, and what that phone knows."""
    room = Class()
    assert (await room.lead("open")).status_code == 200
    async with room.from_address() as client:
        yield room, client, await room.join(client)


def sentence(answer: httpx.Response, status: int) -> str:
    """What was said to somebody who was refused."""
    assert answer.status_code == status
    assert list(answer.json()) == ["error"]
    told = str(answer.json()["error"])
    assert 10 < len(told) < 250
    assert told.endswith(".")
    return told


def test_news_reach_those_who_wait_and_those_who_come_late() -> None:
    async def run() -> None:
        async with taught() as (room, client, key):
            known = (await client.get(f"/{FOLDER}/state", headers=key)).json()
            waits = asyncio.create_task(client.get(f"/{FOLDER}/state?version={known['version']}", headers=key))
            await asyncio.sleep(0.05)
            assert not waits.done()
            await room.lead("view", search="?example=piano&tab=why", seconds=3.5)
            told = (await waits).json()
            assert told["view"] == {"search": "?example=piano&tab=why", "seconds": 3.5}
            await room.lead("ask", question=QUESTION)
            await room.lead("stop")
            slept = (await client.get(f"/{FOLDER}/state?version={told['version']}", headers=key)).json()
            assert slept["question"]["open"] is False

    asyncio.run(run())


def test_the_lecturer_is_told_of_answers_and_phones_are_not_woken_by_them() -> None:
    async def run() -> None:
        async with taught() as (room, client, key):
            state = (await room.lead("ask", question=QUESTION)).json()
            version = state["version"]
            sleeps = asyncio.create_task(client.get(f"/{FOLDER}/state?version={version}", headers=key))
            lead = {KEY: room.classroom.secret}
            query = f"version={version}&tally={state['tally']}"
            waits = asyncio.create_task(client.get(f"/{FOLDER}/lead-state?{query}", headers=lead))
            await asyncio.sleep(0.05)
            sent = {"question": state["question"]["serial"], "answer": 1}
            assert (await client.post(f"/{FOLDER}/answer", json=sent, headers=key)).json()["mine"] == 1
            assert (await waits).json()["question"]["counts"] == [0, 1]
            assert not sleeps.done()
            sleeps.cancel()

    asyncio.run(run())


def test_the_end_is_told_to_all_who_wait() -> None:
    async def run() -> None:
        async with taught() as (room, client, key):
            version = (await client.get(f"/{FOLDER}/state", headers=key)).json()["version"]
            waits = asyncio.create_task(client.get(f"/{FOLDER}/state?version={version}", headers=key))
            await asyncio.sleep(0.05)
            assert (await room.lead("close")).status_code == 200
            assert "ended" in sentence(await waits, 410)
            assert "ended" in sentence(await room.lead("stop"), 410)

    asyncio.run(run())


def test_a_server_that_stops_tells_them_too() -> None:
    """It is told to stop in another thread than the one that answers."""

    async def run() -> None:
        async with taught() as (room, client, key):
            version = (await client.get(f"/{FOLDER}/state", headers=key)).json()["version"]
            waits = asyncio.create_task(client.get(f"/{FOLDER}/state?version={version}", headers=key))
            await asyncio.sleep(0.05)
            await asyncio.to_thread(room.classroom.close)
            sentence(await waits, 410)

    asyncio.run(run())


def test_a_wait_ends_and_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room_endpoints, "WAIT_S", 0.3)

    async def run() -> None:
        async with taught() as (_, client, key):
            version = (await client.get(f"/{FOLDER}/state", headers=key)).json()["version"]
            path = f"/{FOLDER}/state?version={version}"
            answers = await asyncio.gather(*(client.get(path, headers=key) for _ in range(MOST_WAITING + 3)))
            assert sorted(answer.status_code for answer in answers) == [200] * MOST_WAITING + [429] * 3
            assert (await client.get(path, headers=key)).status_code == 200, "the places are free again"

    asyncio.run(run())


def test_who_has_left_waits_no_longer() -> None:
    async def run() -> None:
        endpoints_room = Class()
        await endpoints_room.lead("open")
        async with endpoints_room.from_address() as client:
            key = await endpoints_room.join(client)
            version = (await client.get(f"/{FOLDER}/state", headers=key)).json()["version"]
        headers = [(KEY.lower().encode(), key[KEY].encode())]
        scope = {"type": "http", "method": "GET", "path": f"/{FOLDER}/state", "headers": headers,
                 "query_string": f"version={version}".encode(), "client": ("10.0.0.1", 5), "root_path": ""}  # fmt: skip
        messages = iter([{"type": "http.request"}, {"type": "http.disconnect"}])
        began = time.monotonic()

        async def receive() -> Any:
            return next(messages, {"type": "http.disconnect"})

        async def send(_: Any) -> None:
            pass

        await endpoints_room.app(scope, receive, send)
        assert time.monotonic() - began < room_endpoints.WAIT_S / 2

    asyncio.run(run())


@pytest.mark.parametrize("path", [path for path in PATHS if "lead" in path])
def test_only_the_lecturer_steers(path: str) -> None:
    async def run() -> None:
        async with taught() as (room, client, key):
            for headers in (
                {},
                key,
                {KEY: room.classroom.open().code},
                {KEY: "x" * 10**4},
                {KEY: "ä".encode("latin-1")},
            ):
                method = "GET" if path.endswith("state") else "POST"
                answer = await client.request(method, path, json={"do": "close"}, headers=headers)
                assert "Only the lecturer" in sentence(answer, 403)
            assert room.classroom.open().is_open

    asyncio.run(run())


def test_a_guesser_is_stopped_and_the_class_is_not() -> None:
    async def run() -> None:
        async with taught() as (room, client, _), room.from_address("10.6.6.6") as guesser:
            for number in range(MOST_WRONG):
                sentence(await guesser.post(f"/{FOLDER}/join", json={"code": f"{number:05d}"}), 404)
            told = await guesser.post(f"/{FOLDER}/join", json={"code": room.classroom.open().code})
            assert "wait a minute" in sentence(told, 429)
            await room.join(client)

    asyncio.run(run())


BODIES = [b"", b"[]", b"5", b"{", b"\xff\xfe", b'{"code": "\\ud800"}', b"[" * 5000, b'{"a": ' + b"9" * 5000 + b"}"]


@pytest.mark.parametrize("path", [path for path in PATHS if not path.endswith(("state", "/room"))])
def test_what_is_no_request_gets_a_sentence(path: str) -> None:
    async def run() -> None:
        async with taught() as (room, client, key):
            headers = {KEY: room.classroom.secret} if "lead" in path else key
            for body in BODIES:
                sentence(await client.post(path, content=body, headers=headers), 400)
            huge = json.dumps({"answer": "x" * MAX_BYTES}).encode()
            assert "bytes" in sentence(await client.post(path, content=huge, headers=headers), 413)

    asyncio.run(run())


VIEWS: list[dict[str, Any]] = [{"search": search} for search in ("x", 5, "?" + "x" * 2000)]
VIEWS += [{"search": "?a", "seconds": seconds} for seconds in (-1, "3", True, 1e300, None)]


def test_wrong_steps_of_the_lecturer_change_nothing() -> None:
    async def run() -> None:
        async with taught() as (room, client, key):
            before = (await client.get(f"/{FOLDER}/state", headers=key)).json()
            for view in VIEWS:
                sentence(await room.lead("view", **view), 400)
            for do in ("", "explode", None, 5, ["ask"]):
                sentence(await room.lead(do), 400)  # type: ignore[arg-type]
            sentence(await room.lead("ask", question={"kind": "choice"}), 400)
            sentence(await room.lead("ask"), 400)
            for do in ("stop", "reveal", "clear"):
                sentence(await room.lead(do), 409)
            assert (await client.get(f"/{FOLDER}/state", headers=key)).json() == before

    asyncio.run(run())


def test_the_short_address_leads_to_the_form_for_the_code_behind_any_path() -> None:
    async def run() -> None:
        room = Class()
        async with room.from_address() as client:
            answer = await client.get("/room")
        assert (answer.status_code, answer.headers["location"]) == (303, "./?room=")

    asyncio.run(run())


def test_a_picture_leads_to_the_room() -> None:
    async def run() -> None:
        room = Class()
        told = (await room.lead("open", base="https://tags.example.org/page/")).json()
        assert told["addresses"][0]["base"] == "https://tags.example.org/page/"
        from msecnn.ui.server.room_link import qr_rows

        assert told["addresses"][0]["qr"] == qr_rows(f"https://tags.example.org/page/?room={told['code']}")
        assert (await room.lead("open", base={"no": "address"})).status_code == 200

    asyncio.run(run())


def test_nothing_of_the_room_is_written() -> None:
    """The modules that know of it open no file and keep no log."""
    server = Path(room_endpoints.__file__).parent
    for path in [*server.glob("room*.py"), server / "classroom.py"]:
        nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
        imported = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
        imported |= {str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)}
        assert imported.isdisjoint({"logging", "msecnn.files", "msecnn.json_lines", "os", "pathlib", "tempfile"})
        called = {node.func.id for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
        assert called.isdisjoint({"open", "print"})
