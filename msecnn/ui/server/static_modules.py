"""The browser's ES modules, at an address that changes with their content, so that a browser may keep them for ever."""

import hashlib
from pathlib import Path
from typing import Any

from starlette.responses import Response
from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles

STATIC = Path(__file__).resolve().parents[1] / "static"
#: One year, the longest that HTTP caches promise.
KEPT_S = 31_536_000


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
    """For `launch(app_kwargs={"routes": …})`."""
    return [Mount(f"/{module_folder()}".rstrip("/"), app=_Modules(directory=STATIC))]


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


class _Modules(StaticFiles):
    """Says how long a file may be kept, and that a script is a script, whatever this machine's registry says."""

    def file_response(self, full_path: Any, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(full_path, *args, **kwargs)
        response.headers["Cache-Control"] = f"public, max-age={KEPT_S}, immutable"
        if str(full_path).endswith(".js"):
            response.headers["Content-Type"] = "text/javascript; charset=utf-8"
        return response
