"""What a browser is told to refuse: guessing of types, strange frames, sources elsewhere; and whom the page refuses."""

from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: Who may show the page in a frame: itself, and Hugging Face, where a Space is such a frame.
FRAMES = "'self' https://huggingface.co https://*.hf.space"
#: Gradio's page is made of inline scripts, and builds functions from text; everything comes from this server.
PAGE_POLICY = (
    "default-src 'self' data: blob:; script-src 'self' blob: 'unsafe-inline' 'unsafe-eval'; "
    "style-src 'self' 'unsafe-inline'; object-src 'none'; base-uri 'self'; form-action 'self'; "
    f"frame-ancestors {FRAMES}"
)
#: A file that was uploaded or made is no page: nothing in it runs, whatever it is opened as.
FILE_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; media-src 'self' data:; sandbox; "
    f"frame-ancestors {FRAMES}"
)


class SecurityHeaders:
    """Puts the headers on every answer, and answers 403 to other sites' pages that come with somebody's credentials.

    Args:
        files: how the path of a file begins that a visitor brought or had made.
    """

    def __init__(self, app: ASGIApp, files: str) -> None:
        self._app, self._files = app, files

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        policy = FILE_POLICY if scope["path"].startswith(self._files) else PAGE_POLICY

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["X-Content-Type-Options"] = "nosniff"
                headers["Referrer-Policy"] = "same-origin"
                headers["Content-Security-Policy"] = policy
            await send(message)

        if scope["type"] == "http" and _is_foreign(Headers(scope=scope)):
            refusal = PlainTextResponse("This page answers no other site in your name.", status_code=403)
            await refusal(scope, receive, send_with_headers)
        else:
            await self._app(scope, receive, send_with_headers)


def _is_foreign(headers: Headers) -> bool:
    """Whether another site's page sends this with cookies or a password; forwarded names are not believed here."""
    origin = headers.get("origin")
    if origin is None or not ("cookie" in headers or "authorization" in headers):
        return False
    return urlsplit(origin).hostname != urlsplit(f"//{headers.get('host', '')}").hostname
