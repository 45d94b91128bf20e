"""What may come in: how large, how slow and how many files a request may be, and how much an address may bring."""

import asyncio
import time
from collections import deque
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from msecnn.ui.server.addresses import sharer

#: Bytes of a question that is no upload, and seconds that it may take to come.
MAX_QUESTION_BYTES, QUESTION_S = 2**23, 60.0
#: An upload ends that brings nothing for so long, or on average fewer bytes a second once it has had so long.
SILENCE_S, MIN_BYTES_PER_S = 30.0, 8_000
#: Files in one upload: the page and Gradio's clients send one.
MAX_FILES = 8
#: Seconds that an upload counts against its address; by then its file is gone, or held as somebody's open recording.
COUNTED_S = 3600.0
MANY = "Much was uploaded from your address: try again in an hour."


@dataclass(frozen=True)
class UploadLimits:
    """The bytes of one file, and all that one address may bring in an hour: a class may come from one address."""

    max_file_bytes: int
    max_address_bytes: int


class BodyLimits:
    """Answers 413 to what is too large, 408 to what is too slow, 429 to an address that has brought its share.

    Args:
        upload: the path where recordings come in.
    """

    def __init__(self, app: ASGIApp, upload: str, limits: UploadLimits) -> None:
        self._app, self._upload, self._limits = app, upload, limits
        self._brought: dict[str, deque[tuple[float, int]]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif scope["path"].rstrip("/") == self._upload:
            await self._take_upload(scope, receive, send)
        elif _declared_bytes(scope) > MAX_QUESTION_BYTES:
            await PlainTextResponse("The question is too long.", status_code=413)(scope, receive, send)
        else:
            await self._app(scope, _Question(receive), send)

    async def _take_upload(self, scope: Scope, receive: Receive, send: Send) -> None:
        address = sharer(scope["client"][0] if scope["client"] else "")
        left = self._limits.max_address_bytes - self._brought_bytes(address)
        if left <= 0:
            await PlainTextResponse(MANY, status_code=429)(scope, receive, send)
            return
        if _declared_bytes(scope) > MAX_FILES * self._limits.max_file_bytes:
            await PlainTextResponse("The upload is too large.", status_code=413)(scope, receive, send)
            return
        upload = _Upload(receive, _boundary(scope), left)
        try:
            await self._app(scope, upload, send)
        finally:
            self._brought.setdefault(address, deque()).append((time.monotonic(), upload.n_bytes))

    def _brought_bytes(self, address: str) -> int:
        """What an address has brought in the last hour; nothing is kept of those who brought nothing since."""
        for name, uploads in [*self._brought.items()]:
            while uploads and time.monotonic() - uploads[0][0] > COUNTED_S:
                uploads.popleft()
            if not uploads:
                del self._brought[name]
        return sum(n_bytes for _, n_bytes in self._brought.get(address, ()))


class _Question:
    """Stops reading a question whose length was not declared or was a lie, or that never ends."""

    def __init__(self, receive: Receive) -> None:
        self._receive, self._n_bytes, self._ended = receive, 0, False
        self._deadline = time.monotonic() + QUESTION_S

    async def __call__(self) -> Message:
        if self._ended:  # what comes now is the end of the connection, for which an answer may wait long
            return await self._receive()
        message = await _within(self._receive, self._deadline - time.monotonic())
        self._n_bytes += len(message.get("body", b""))
        self._ended = not message.get("more_body", False)
        if self._n_bytes > MAX_QUESTION_BYTES:
            raise HTTPException(413, "The question is too long.")
        return message


class _Upload:
    """Stops reading an upload that stalls or creeps, holds too many files, or is more than its address may bring."""

    def __init__(self, receive: Receive, boundary: bytes, max_bytes: int) -> None:
        self._receive, self._boundary, self._max_bytes = receive, boundary, max_bytes
        self._begun, self._tail, self._n_parts, self._ended = time.monotonic(), b"", 0, False
        self.n_bytes = 0

    async def __call__(self) -> Message:
        if self._ended:
            return await self._receive()
        message = await _within(self._receive, SILENCE_S)
        body = message.get("body", b"")
        self.n_bytes += len(body)
        self._ended = not message.get("more_body", False)
        if self.n_bytes > self._max_bytes:
            raise HTTPException(429, MANY)
        if self.n_bytes < MIN_BYTES_PER_S * (time.monotonic() - self._begun - SILENCE_S):
            raise HTTPException(408, "The upload is too slow.")
        self._count_parts(body)
        return message

    def _count_parts(self, body: bytes) -> None:
        if not self._boundary:
            return
        # A boundary may lie across two pieces: so much is seen twice as cannot hold a whole one.
        seen = self._tail + body
        self._n_parts += seen.count(self._boundary)
        self._tail = seen[len(seen) - len(self._boundary) + 1 :] if len(self._boundary) > 1 else b""
        if self._n_parts > MAX_FILES + 1:  # the last boundary ends the body
            raise HTTPException(413, f"One upload may hold up to {MAX_FILES} files.")


async def _within(receive: Receive, seconds: float) -> Message:
    try:
        return await asyncio.wait_for(receive(), max(0.0, seconds))
    except TimeoutError:
        raise HTTPException(408, "The request came too slowly.") from None


def _declared_bytes(scope: Scope) -> int:
    length = Headers(scope=scope).get("content-length", "0")
    return int(length) if length.isdecimal() and len(length) < 20 else 0


def _boundary(scope: Scope) -> bytes:
    """What stands between two parts of a form (RFC 2046), b"" where it is not said."""
    _, _, parameter = Headers(scope=scope).get("content-type", "").partition("boundary=")
    name = parameter.partition(";")[0].strip().strip('"')
    return b"--" + name.encode("latin-1", "replace") if name else b""
