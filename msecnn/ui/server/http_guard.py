"""All that has to be known of Gradio's own HTTP interface, and what of it is closed.

Gradio has no switch for these: the routes below, the stream in which answers go out, and the download of addresses that
are given in place of files. `tests/test_security.py` fails where Gradio renames one of them.
"""

import re
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlparse

import gradio as gr
from gradio import processing_utils
from gradio.utils import get_upload_folder, is_in_or_equal
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from msecnn.ui.server.body_limits import BodyLimits, UploadLimits
from msecnn.ui.server.listeners import Listeners
from msecnn.ui.server.mailboxes import Mailboxes
from msecnn.ui.server.security_headers import SecurityHeaders

#: Fetching addresses for visitors, running FFmpeg for them, keeping their views on the disk, the makers' tools.
CLOSED = re.compile(
    r"/+(gradio_api/+)?(file=\s*[a-z][a-z0-9+.-]*:|proxy=|process_recording|deep_link|runs|run-history|vibe-|monitoring)",
    re.IGNORECASE,
)
UPLOAD, FILE = "/gradio_api/upload", "/gradio_api/file="
#: Where answers go out: the page's stream, which names its session, and the one of a question asked by name.
STREAM, NAMED_STREAM = "/gradio_api/queue/data", re.compile(r"/gradio_api/call/(?:v2/)?[^/]+/([^/]+)")


def middleware(listeners: Listeners, limits: UploadLimits) -> list[Middleware]:
    """For `launch(app_kwargs={"middleware": …})`; addresses given in place of files are refused from now on."""
    processing_utils.async_ssrf_protected_download = _uploaded
    return [
        Middleware(SecurityHeaders, files=FILE),
        Middleware(ClosedRoutes),
        Middleware(BodyLimits, upload=UPLOAD, limits=limits),
        Middleware(Streams, listeners=listeners),
    ]


def guard_queue(blocks: gr.Blocks, listeners: Listeners) -> None:
    """What waits to be said to those who listen stays, however many sessions ask; see `mailboxes`."""
    queue = blocks._queue
    assert not queue.pending_messages_per_session, "the queue runs already"
    queue.pending_messages_per_session = Mailboxes(listeners.listens)  # type: ignore[assignment]


def uploaded_file(path: str) -> Path | None:
    """A file that was uploaded here or made here; None for any other path, whatever it is."""
    try:
        inside = bool(path) and is_in_or_equal(path, get_upload_folder()) and Path(path).is_file()
    except (OSError, ValueError):  # too long, or with a NUL in it
        return None
    return Path(path) if inside else None


async def _uploaded(url: str, cache_dir: str) -> str:
    """The uploaded file that an address of ours names, without asking for it; any other address is refused.

    It stands in for Gradio's download of addresses that come in place of files.
    """
    path = uploaded_file(unquote(urlparse(url).path.partition(FILE)[2]))
    if path is None:
        raise gr.Error(
            "Give a file that was uploaded here: this server fetches nothing from an address.", print_exception=False
        )
    return str(path)


class ClosedRoutes:
    """Answers 404 where a route is closed."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and CLOSED.match(scope["path"]):
            await PlainTextResponse("There is nothing here.", status_code=404)(scope, receive, send)
        else:
            await self._app(scope, receive, send)


class Streams:
    """Tells whose stream of answers is open: when the last one of a session has ended, nobody waits for its answers."""

    def __init__(self, app: ASGIApp, listeners: Listeners) -> None:
        self._app, self._listeners = app, listeners

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        session = _listening(scope) if scope["type"] == "http" and scope["method"] == "GET" else None
        if session is None:
            await self._app(scope, receive, send)
            return
        self._listeners.opened(session)
        try:
            await self._app(scope, receive, send)
        finally:
            self._listeners.ended(session)


def _listening(scope: Scope) -> str | None:
    """The session whose answers go out by this request: a question asked by name is a session of its own."""
    if scope["path"] == STREAM:
        return parse_qs(scope["query_string"].decode("latin-1")).get("session_hash", [None])[0]
    named = NAMED_STREAM.fullmatch(scope["path"])
    return named[1] if named else None
