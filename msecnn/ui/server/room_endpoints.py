"""The room over HTTP: small JSON requests, and answers that wait until there is something new; no queue of Gradio's.

A phone asks for what changed since the version it knows, and is answered at once or within `WAIT_S` seconds. One that
slept asks again and has everything. The routes are there only with `--class`.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from msecnn.errors import MsecnnError
from msecnn.ui.server.addresses import sharer
from msecnn.ui.server.classroom import Classroom, Signal
from msecnn.ui.server.request_fields import shown
from msecnn.ui.server.room import Payload, Room, RoomError, View
from msecnn.ui.server.room_link import base_addresses, qr_rows
from msecnn.ui.server.room_question import Question

#: Where the routes begin, relative to the page; what people type to come to the form for the code.
FOLDER, SHORT = "msecnn/room", "room"
#: Seconds that an answer waits for news; answers that may wait for one phone at once, for a page opened twice.
WAIT_S, MOST_WAITING = 20.0, 4
#: Longest request, bytes; longest query of a view, characters; and latest second of a recording that a view names.
MAX_BYTES, LONGEST_SEARCH, LATEST_S = 16_384, 2000, 1e6
#: Seconds between two answers to the lecturer, however many phones answer: each tells of all.
LEAD_INTERVAL_S = 0.1
#: The header by which lecturer and phones are known; a page of another site cannot send it.
KEY = "Room-Key"

Handler = Callable[[Request], Awaitable[Response]]


def routes(classroom: Classroom) -> list[BaseRoute]:
    """For `launch(app_kwargs={"routes": …})`."""
    endpoints = RoomEndpoints(classroom)
    handlers: dict[str, tuple[str, Handler]] = {
        f"/{FOLDER}/join": ("POST", endpoints.join),
        f"/{FOLDER}/answer": ("POST", endpoints.answer),
        f"/{FOLDER}/state": ("GET", endpoints.state),
        f"/{FOLDER}/lead": ("POST", endpoints.lead),
        f"/{FOLDER}/lead-state": ("GET", endpoints.lead_state),
    }
    listed: list[BaseRoute] = [
        Route(path, _said(handler), methods=[method]) for path, (method, handler) in handlers.items()
    ]
    # Relative, so that it holds behind any proxy and root path.
    return [*listed, Route(f"/{SHORT}", lambda _: RedirectResponse("./?room=", 303), methods=["GET"])]


def _said(handler: Handler) -> Handler:
    """A domain error becomes its sentence."""

    @wraps(handler)
    async def answer(request: Request) -> Response:
        try:
            return await handler(request)
        except MsecnnError as error:
            return _json({"error": str(error)}, getattr(error, "status", 400))

    return answer


def _json(payload: object, status: int = 200) -> JSONResponse:
    return JSONResponse(payload, status, headers={"Cache-Control": "no-store"})


class RoomEndpoints:
    """All handlers; they run in one event loop."""

    def __init__(self, classroom: Classroom) -> None:
        self._classroom = classroom
        self._waiting = Counter[str]()

    # ---- phones
    async def join(self, request: Request) -> Response:
        fields = await _fields(request)
        token = self._classroom.join(_address(request), fields.get("code"), fields.get("phone"))
        self._classroom.tell(lecturer_only=True)
        return _json({"phone": token})

    async def answer(self, request: Request) -> Response:
        fields, token = await _fields(request), _key(request)
        self._classroom.room.answer(token, fields.get("question"), fields.get("answer"))
        self._classroom.tell(lecturer_only=True)
        return _json(self._classroom.room.state_for(token))

    async def state(self, request: Request) -> Response:
        token, version = _key(request), _version(request, "version")
        self._classroom.room.state_for(token)  # a stranger waits for nothing
        await self._news(request, token, self._classroom.changed, lambda room: room.version != version)
        return _json(self._classroom.room.state_for(token))

    # ---- the lecturer
    async def lead_state(self, request: Request) -> Response:
        self._require_lecturer(request)
        known = _version(request, "version"), _version(request, "tally")
        await self._news(request, "lecturer", self._classroom.counted, lambda room: (room.version, room.tally) != known)
        await asyncio.sleep(LEAD_INTERVAL_S)
        return _json(self._classroom.room.lead_state())

    async def lead(self, request: Request) -> Response:
        """What the lecturer does, by the name in "do"."""
        self._require_lecturer(request)
        fields = await _fields(request)
        steps = {"view": _view, "ask": _ask, "stop": _stop, "reveal": _reveal, "clear": _clear}
        name = fields.get("do")
        if name == "open":
            bases = base_addresses(str(fields.get("base") or "")[:200], request.url.port)
            joined = [{"base": base, "qr": qr_rows(f"{base}?room={self._classroom.open().code}")} for base in bases]
            return _json(self._classroom.open().lead_state() | {"addresses": joined})
        if name == "close":
            self._classroom.close()
            return _json({})
        if not isinstance(name, str) or name not in steps:
            raise RoomError(f"A lecturer's page asks for nothing called {shown(name)}.")
        room = self._classroom.room
        steps[name](room, fields)
        self._classroom.tell(lecturer_only=False)
        return _json(room.lead_state())

    def _require_lecturer(self, request: Request) -> None:
        self._classroom.require_lecturer(_address(request), _key(request))

    # ---- waiting
    async def _news(self, request: Request, who: str, signal: Signal, has_news: Callable[[Room], bool]) -> None:
        """Until there is news for somebody, the room has ended, the time is over, or nobody waits any longer."""
        if self._waiting[who] >= MOST_WAITING:
            raise RoomError("This page is open too often: close the others.", 429)
        self._waiting[who] += 1
        await request.body()  # what comes from now on is the end of the connection
        left = asyncio.ensure_future(request.receive())
        deadline = asyncio.get_running_loop().time() + WAIT_S
        try:
            while not has_news(self._classroom.room) and not left.done():
                if not await _first(signal.next(), left, deadline):
                    return
        finally:
            left.cancel()
            self._waiting[who] -= 1
            if not self._waiting[who]:
                del self._waiting[who]


async def _first(event: asyncio.Event, left: asyncio.Future[Any], deadline: float) -> bool:
    """Waits for one of both; whether it came before the deadline, which is in the event loop's time."""
    change = asyncio.ensure_future(event.wait())
    try:
        seconds = max(0.0, deadline - asyncio.get_running_loop().time())
        done, _ = await asyncio.wait({change, left}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        return bool(done)
    finally:
        change.cancel()


def _view(room: Room, fields: Payload) -> None:
    search, seconds = fields.get("search"), fields.get("seconds", 0)
    if search is not None and (not isinstance(search, str) or len(search) > LONGEST_SEARCH or search[:1] != "?"):
        raise RoomError(f"A view is the query of an address, at most {LONGEST_SEARCH} characters.")
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds <= LATEST_S:
        raise RoomError(f"A view stands at a second of the recording, not at {shown(seconds)}.")
    room.show(View(search, float(seconds)))


def _ask(room: Room, fields: Payload) -> None:
    room.ask(Question.from_request(fields.get("question")))


def _stop(room: Room, _: Payload) -> None:
    room.stop()


def _reveal(room: Room, _: Payload) -> None:
    room.reveal()


def _clear(room: Room, _: Payload) -> None:
    room.clear()


def _address(request: Request) -> str:
    return sharer(request.client.host if request.client else "")


def _key(request: Request) -> str:
    return request.headers.get(KEY, "")[:100]


def _version(request: Request, name: str) -> int:
    """The number that a page knows; -1 where it knows none."""
    text = request.query_params.get(name, "")
    return int(text) if text.isdecimal() and len(text) < 10 else -1


async def _fields(request: Request) -> Payload:
    """The object that a request brings.

    Raises:
        RoomError: it is too long, or no JSON object.
    """
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MAX_BYTES:
            raise RoomError(f"A request to the room has at most {MAX_BYTES} bytes.", 413)
    try:
        fields: Any = json.loads(body)
        json.dumps(fields, ensure_ascii=False).encode()  # half a character could not be sent on
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        raise RoomError("A request to the room is a JSON object.")
    return fields
