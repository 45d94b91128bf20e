"""The languages of the page: which there are, how a visitor's is chosen, and where its texts are served.

English is written in the modules and is the key; `assets/locales` has a file for each other language.
"""

import hashlib
import json
from functools import cache
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse
from starlette.routing import BaseRoute, Route

from msecnn.ui.server.context import ASSETS
from msecnn.ui.server.static_modules import KEPT

#: The language in which the modules are written.
SOURCE = "en"
LOCALES = ASSETS / "locales"


@cache
def catalogue(language: str) -> dict[str, str]:
    """A language's texts by the English ones; of English itself all that there are."""
    texts: dict[str, str] = json.loads((LOCALES / f"{language}.json").read_text(encoding="utf-8"))
    return texts


@cache
def languages() -> tuple[str, ...]:
    """English first."""
    return (SOURCE, *sorted({path.stem for path in LOCALES.glob("*.json")} - {SOURCE}))


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
    """JavaScript that chooses the language before anything is drawn: the address's, the one kept, the browser's.

    Gradio takes the browser's for its own texts, so it is told what was chosen.
    """
    return f"""
{{
  const kept = () => {{ try {{ return localStorage.getItem("msecnn-language"); }} catch {{ return null; }} }};
  const asked = [new URLSearchParams(location.search).get("lang"), kept(), ...navigator.languages];
  const language = asked.map((name) => name?.slice(0, 2)).find((name) => {list(languages())}.includes(name));
  window.msecnn.offered.language = document.documentElement.lang = language ?? "{SOURCE}";
  for (const [name, value] of [["language", language], ["languages", [language]]]) {{
    if (language) Object.defineProperty(navigator, name, {{ get: () => value }});
  }}
}}
"""
