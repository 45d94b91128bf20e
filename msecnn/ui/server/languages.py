"""The languages of the page: which there are, how a visitor's is chosen, and where its texts are served.

English is written in the modules and is the key; `assets/locales` has a file for each other language.
"""

import hashlib
import json
from functools import cache
from pathlib import Path

import gradio as gr
from gradio.i18n import I18nData
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import FileResponse
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from msecnn.ui.server.context import ASSETS
from msecnn.ui.server.static_modules import KEPT

#: The language in which the modules are written.
SOURCE = "en"
LOCALES = ASSETS / "locales"


#: Key of what is said about the networks, which is a page of its own in each language.
ABOUT = "about"


@cache
def catalogue(language: str) -> dict[str, dict[str, str]]:
    """A language's texts by the English ones: of the "page", and of Gradio's "controls"."""
    texts: dict[str, dict[str, str]] = json.loads(_file(language).read_text(encoding="utf-8"))
    return texts


def words(text: str) -> I18nData:
    """A text for one of Gradio's own components, which the browser shows in its language."""
    return I18nData(text)


def gradio_texts() -> gr.I18n:
    """Texts of Gradio's own components in all languages."""
    return gr.I18n(**{name: catalogue(name)["controls"] | {ABOUT: about(name)} for name in languages()})


def about(language: str) -> str:
    """What is said about the networks in a language, as Markdown."""
    path = ASSETS / "about.md" if language == SOURCE else LOCALES / f"about.{language}.md"
    return path.read_text(encoding="utf-8")


@cache
def languages() -> tuple[str, ...]:
    """English first."""
    return (SOURCE, *sorted({path.stem for path in LOCALES.glob("*.json")} - {SOURCE, "sentences"}))


def locale_paths() -> dict[str, str]:
    """Where each language but English is served, relative to the page; the address changes with the content."""
    return {language: f"msecnn/{_digest(language)}-{language}.json" for language in languages()[1:]}


def locale_routes() -> list[BaseRoute]:
    return [Route(f"/{path}", _serve, methods=["GET"]) for path in locale_paths().values()]


def _digest(language: str) -> str:
    return hashlib.sha256(_file(language).read_bytes()).hexdigest()[:16]


def _file(language: str) -> Path:
    return LOCALES / f"{language}.json"


def _serve(request: Request) -> FileResponse:
    language = request.url.path.removesuffix(".json").rpartition("-")[2]
    return FileResponse(_file(language), media_type="application/json", headers=KEPT)


def language_script() -> str:
    """JavaScript that chooses the language: the address's, the one kept, the browser's.

    Gradio takes the browser's for its own texts, so it is told what was chosen.
    """
    return f"""
{{
  const kept = () => {{ try {{ return localStorage.getItem("msecnn-language"); }} catch {{ return null; }} }};
  const asked = [new URLSearchParams(location.search).get("lang"), kept(), ...navigator.languages];
  const language = asked.map((name) => name?.slice(0, 2)).find((name) => {list(languages())}.includes(name));
  document.documentElement.lang = language ?? "{SOURCE}";
  for (const [name, value] of [["language", language], ["languages", [language]]]) {{
    if (language) Object.defineProperty(navigator, name, {{ get: () => value }});
  }}
}}
"""


class LanguageFirst:
    """Puts that script before all others of a page: Gradio reads the language before it takes what `head` gives it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != "/" or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        start: Message = {}
        body = b""

        async def put_script(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start":
                start = message
                return
            body += message.get("body", b"")
            if message.get("more_body"):
                return
            script = f"<head><script>{language_script()}</script>".encode()
            whole = body.replace(b"<head>", script, 1)
            MutableHeaders(scope=start)["Content-Length"] = str(len(whole))
            await send(start)
            await send({"type": "http.response.body", "body": whole})

        await self._app(scope, receive, put_script)
