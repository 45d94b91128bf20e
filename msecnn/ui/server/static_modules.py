"""The browser's ES modules and Plotly's script, at addresses that change with their content: kept for ever."""

import gzip
import hashlib
import secrets
from functools import cache
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from msecnn.plots.html import plotly_script, plotly_version

STATIC = Path(__file__).resolve().parents[1] / "static"
#: One year, the longest that HTTP caches promise.
KEPT_S = 31_536_000
#: Where a browser asks whether the server is still the one that it knows.
SERVER = "msecnn/server"
KEPT = {"Cache-Control": f"public, max-age={KEPT_S}, immutable"}


def module_names() -> list[str]:
    """All modules' file names, sorted."""
    return sorted(path.name for path in STATIC.glob("*.js"))


def module_folder() -> str:
    """Where the modules are served, relative to the page: so it holds behind any proxy and root path.

    An upgraded server has another folder, so no browser mixes the modules of two versions.
    """
    digest = hashlib.sha256()
    for name in module_names():
        digest.update(name.encode() + b"\0" + (STATIC / name).read_bytes())
    return f"msecnn/{digest.hexdigest()[:16]}/"


def module_routes() -> list[BaseRoute]:
    """For `launch(app_kwargs={"routes": …})`: routes for each module's name, so nothing else can be asked for.

    No `Mount` of a folder: behind a proxy that takes a root path off the address, Starlette's finds no file.
    """
    folder = module_folder()
    modules = [Route(f"/{folder}{name}", _serve, methods=["GET"]) for name in module_names()]
    others = {plotly_path(): _serve_plotly, SERVER: _tell_server}
    return [*modules, *(Route(f"/{path}", answer, methods=["GET"]) for path, answer in others.items())]


@cache
def server_name() -> str:
    """Another after each start, by which a browser knows that the server it asked is gone."""
    return secrets.token_hex(8)


def plotly_path() -> str:
    """Where Plotly's script is served, relative to the page; its address changes with its version."""
    return f"msecnn/plotly-{plotly_version()}.js"


def _tell_server(request: Request) -> PlainTextResponse:
    return PlainTextResponse(server_name(), headers={"Cache-Control": "no-store"})


def _serve(request: Request) -> FileResponse:
    # The type is said here, for a machine's registry may take a script for plain text, which no browser would run.
    return FileResponse(STATIC / Path(request.url.path).name, media_type="text/javascript", headers=KEPT)


def _serve_plotly(request: Request) -> Response:
    if "gzip" not in request.headers.get("Accept-Encoding", ""):
        return Response(plotly_script(), media_type="text/javascript", headers=KEPT)
    headers = KEPT | {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
    return Response(_packed_plotly(), media_type="text/javascript", headers=headers)


@cache
def _packed_plotly() -> bytes:
    return gzip.compress(plotly_script().encode(), 9, mtime=0)


def when_loaded(statement: str) -> str:
    """JavaScript that runs as soon as the page's modules are loaded; `app` is what app.js exports."""
    return f"window.msecnn.ready.then((app) => {statement});"


def loader() -> str:
    """JavaScript that begins to load all modules at once; `window.msecnn.ready` becomes app.js's exports.

    Without the hints a browser would learn of each module only from the one that imports it, one trip after the other.
    """
    names = ", ".join(f'"{name}"' for name in module_names())
    return f"""
{{
  const folder = new URL("./{module_folder()}", document.baseURI);
  for (const name of [{names}]) {{
    const href = new URL(name, folder).href;
    document.head.append(Object.assign(document.createElement("link"), {{ rel: "modulepreload", href }}));
  }}
  window.msecnn.ready = import(new URL("app.js", folder).href);
}}
"""
