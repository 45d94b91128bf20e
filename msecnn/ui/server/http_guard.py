"""Doors that Gradio keeps open and this page does not need, shut: nobody makes this server ask another for him."""

import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

import gradio as gr
from gradio import processing_utils
from gradio.utils import get_upload_folder, is_in_or_equal
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: Fetching addresses for visitors, running FFmpeg for them, keeping their views on the disk, the makers' tools.
CLOSED = re.compile(
    r"/+(gradio_api/+)?(file=\s*[a-z][a-z0-9+.-]*:|proxy=|process_recording|deep_link|runs|run-history|vibe-|monitoring)",
    re.IGNORECASE,
)
#: Where recordings come in, for which `launch(max_file_size=…)` has the limit, and what any other question may weigh.
UPLOAD, MAX_QUESTION_BYTES = "/gradio_api/upload", 2**23
FILE = "/gradio_api/file="


def middleware() -> list[Middleware]:
    """For `launch(app_kwargs={"middleware": …})`; addresses given in place of files are refused from now on."""
    processing_utils.async_ssrf_protected_download = _uploaded
    return [Middleware(Doors)]


async def _uploaded(url: str, cache_dir: str) -> str:
    """The uploaded file that an address of ours names, without asking for it; any other address is refused.

    It stands in for Gradio's download of addresses that come in place of files.
    """
    path = unquote(urlparse(url).path.partition(FILE)[2])
    if not path or not is_in_or_equal(path, get_upload_folder()) or not Path(path).is_file():
        raise gr.Error(
            "Give a file that was uploaded here: this server fetches nothing from an address.", print_exception=False
        )
    return path


class Doors:
    """Answers 404 where a door is shut, and 413 to questions of more than `MAX_QUESTION_BYTES`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif CLOSED.match(scope["path"]):
            await PlainTextResponse("There is nothing here.", status_code=404)(scope, receive, send)
        elif scope["path"].rstrip("/") == UPLOAD:
            await self._app(scope, receive, send)
        elif _declared_bytes(scope) > MAX_QUESTION_BYTES:
            await PlainTextResponse("The question is too long.", status_code=413)(scope, receive, send)
        else:
            await self._app(scope, _counted(receive), send)


def _declared_bytes(scope: Scope) -> int:
    length: Any = dict(scope["headers"]).get(b"content-length", b"0")
    return int(length) if length.isdigit() else 0


def _counted(receive: Receive) -> Receive:
    """Stops reading a question whose length was not declared, or was a lie."""
    n_bytes = 0

    async def counting() -> Message:
        nonlocal n_bytes
        message = await receive()
        n_bytes += len(message.get("body", b""))
        if n_bytes > MAX_QUESTION_BYTES:
            raise HTTPException(413, "The question is too long.")
        return message

    return counting
