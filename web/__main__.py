"""Builds the page without a server: networks, knowledge, the page's modules and ONNX Runtime, as plain files."""

import argparse
import hashlib
import json
import shutil
import sys
import tempfile
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

from msecnn.errors import MsecnnError
from msecnn.explain import DEFAULT_METHOD
from msecnn.onnx_export import export_onnx
from msecnn.plots.colours import css_variables
from msecnn.plots.html import plotly_script
from msecnn.ui.page import STYLES, TITLE, offered
from msecnn.ui.server.context import AppContext
from msecnn.ui.server.languages import LOCALES, languages
from msecnn.ui.server.static_modules import STATIC
from web import icons
from web.knowledge import EXAMPLES, Weights, edits, examples, knowledge
from web.layout import LEFT_OUT, Layout

ROOT = Path(__file__).resolve().parent
RUNTIME = ROOT.parent / "node_modules" / "onnxruntime-web" / "dist"
#: Of ONNX Runtime: WebAssembly on the processor alone.
RUNTIME_FILES = ("ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm")
#: Longest recording, minutes: decoded, ten minutes of two channels take 200 MB of a phone's memory.
MAX_MINUTES = 10.0
#: Pieces of the microphone's sound a second; what answers them is in the same machine.
PIECES_A_SECOND = 10
#: What a lesson may not look at or ask for here.
NOT_HERE = {"check", "sanity"}
POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval' blob:; worker-src 'self' blob:; style-src 'self' "
    "'unsafe-inline'; img-src 'self' data: blob:; media-src 'self' blob:; connect-src 'self' blob:; "
    "manifest-src 'self'; base-uri 'self'; form-action 'none'"
)
DESCRIPTION = "Two neural networks tag your music in this browser, and show what made them decide."
INDEX = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="description" content="{description}">
<meta name="theme-color" content="#b8500a">
<title>{title}</title>
<link rel="manifest" href="manifest.webmanifest">
<link rel="apple-touch-icon" href="apple-touch-icon.png">
<link rel="icon" href="{icon}" type="image/svg+xml">
<link rel="stylesheet" href="page.css">
<script type="application/json" id="offered">{offered}</script>
{preloads}
<script type="module" src="shell/begin.js"></script>
</head>
<body>
<div class="gradio-container"><main class="fillable app">
{body}
</main></div>
<noscript>This page runs two neural networks in the browser, which needs JavaScript.</noscript>
</body>
</html>
"""
#: Icons by name: their size in pixels, whether their corners are round, and what a manifest calls their purpose.
ICONS = {
    "icon-192.png": (192, True, "any"),
    "icon-512.png": (512, True, "any"),
    "icon-maskable.png": (512, False, "maskable"),
    "apple-touch-icon.png": (180, False, None),
}
#: For a static Space, see docs/hosting.md; the headers let the page use several threads from the first visit on.
SPACE = f"""---
title: MsE-CNN in the browser
emoji: 🎼
colorFrom: yellow
colorTo: red
sdk: static
app_file: index.html
license: cc-by-nc-sa-4.0
short_description: Hear, see and question a music tagger, in the browser
custom_headers:
  cross-origin-opener-policy: same-origin
  cross-origin-embedder-policy: require-corp
  cross-origin-resource-policy: cross-origin
---

{DESCRIPTION}
"""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m web", description=__doc__)
    parser.add_argument(
        "--out", type=Path, required=True, metavar="FOLDER", help="a new folder, or one of an earlier build"
    )
    parser.add_argument("--runtime", type=Path, default=RUNTIME, metavar="DIR", help="of onnxruntime-web's files")
    args = parser.parse_args()
    try:
        build(args.out, runtime=args.runtime)
    except MsecnnError as error:
        print(f"python -m web: {error}", file=sys.stderr)
        return 1
    total = sum(path.stat().st_size for path in args.out.rglob("*") if path.is_file())
    print(f"{args.out}: {total / 1e6:.1f} MB. To look at it: python -m http.server --directory {args.out}")
    return 0


def build(out: Path, *, runtime: Path = RUNTIME) -> None:
    """Writes the whole site; an earlier build in its place goes only when the new one is complete.

    Raises:
        MsecnnError: the runtime's files are not there, or the folder holds something else.
    """
    if missing := [name for name in RUNTIME_FILES if not (runtime / name).is_file()]:
        raise MsecnnError(f"{runtime} has no {missing[0]}: npm ci fetches onnxruntime-web.")
    if out.exists() and any(out.iterdir()) and not (out / "sw.js").is_file():
        raise MsecnnError(f"{out} holds something else than an earlier build: name a new folder.")
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".web-") as folder:
        site = Path(folder) / "site"
        _write(site, AppContext.load(table_1=False, max_minutes=MAX_MINUTES), runtime)
        if out.exists():
            shutil.rmtree(out)
        site.rename(out)


def _write(site: Path, context: AppContext, runtime: Path) -> None:
    for name in ("data", "page", "shell", "answerer", "runtime", EXAMPLES):
        (site / name).mkdir(parents=True, exist_ok=True)
    _write_data(site / "data", context)
    for name, source in {"page": STATIC, "shell": ROOT / "shell", "answerer": ROOT / "answerer"}.items():
        for module in sorted(source.glob("*.js")):
            if module.name != "sw.js":
                shutil.copyfile(module, site / name / module.name)
    for name in RUNTIME_FILES:
        shutil.copyfile(runtime / name, site / "runtime" / name)
    styles = (*(STATIC / name for name in STYLES), ROOT / "site.css")
    css = "\n".join([css_variables(), *(path.read_text(encoding="utf-8") for path in styles)])
    (site / "page.css").write_text(css, encoding="utf-8")
    (site / "index.html").write_text(_index(site, context), encoding="utf-8")
    (site / "icon.svg").write_text(icons.svg(), encoding="utf-8")
    for name, (size, rounded, _) in ICONS.items():
        (site / name).write_bytes(icons.png(size, rounded=rounded))
    (site / "manifest.webmanifest").write_text(json.dumps(_manifest()), encoding="utf-8")
    (site / "sw.js").write_text(_service_worker(site), encoding="utf-8")
    (site / "README.md").write_text(SPACE, encoding="utf-8")


def _write_data(data: Path, context: AppContext) -> None:
    graph, weights = data / "networks.onnx", Weights()
    export_onnx([tagger.checkpoint for tagger in context.taggers.values()], graph, with_maps=True)
    told = json.dumps(knowledge(context, weights, graph.read_bytes()), ensure_ascii=False)
    (data / "knowledge.json").write_text(told, encoding="utf-8")
    (data / "weights.bin").write_bytes(weights.to_bytes())
    (data / "plotly.js").write_text(plotly_script(), encoding="utf-8")
    for language in languages()[1:]:
        shutil.copyfile(LOCALES / f"{language}.json", data / f"{language}.json")
    for example in context.examples.values():
        shutil.copyfile(example.path, data.parent / EXAMPLES / example.path.name)


def _index(site: Path, context: AppContext) -> str:
    layout = Layout(context)
    site_told = {"examples": examples(context), "languages": languages()}
    told = {"offered": _offered(context) | {"endpoints": layout.endpoints}, "site": site_told}
    modules = [*sorted(site.glob("shell/*.js")), *sorted(site.glob("page/*.js"))]
    preloads = "\n".join(f'<link rel="modulepreload" href="{path.relative_to(site).as_posix()}">' for path in modules)
    return INDEX.format(
        policy=POLICY,
        description=DESCRIPTION,
        title=escape(TITLE),
        icon=f"data:image/svg+xml,{quote(icons.svg())}",  # a browser asks for a file again whenever the address changes
        offered=json.dumps(told, ensure_ascii=False).replace("</", "<\\/"),
        preloads=preloads,
        body=layout.html,
    )


def _offered(context: AppContext) -> dict[str, Any]:
    """What the page with a server tells its modules, but for what only that has."""
    told = offered(context)
    lessons = [lesson for lesson in told["lessons"] if not any(map(_needs_more, lesson["steps"]))]
    methods = [method for method in told["explanation"]["methods"] if method["name"] == DEFAULT_METHOD]
    return told | {
        "server": None,
        "deleted_within_h": None,
        "plotly": "data/plotly.js",
        "lessons": lessons,
        "edits": told["edits"] | {"kinds": edits(), "cut": False},
        "live": told["live"] | {"pieces_a_second": PIECES_A_SECOND},
        "explanation": told["explanation"] | {"methods": methods},
        "tabs": [tab for tab in told["tabs"] if tab not in LEFT_OUT],
        "locales": {language: f"data/{language}.json" for language in languages()[1:]},
    }


def _needs_more(step: dict[str, Any]) -> bool:
    show = step["show"]
    other_map = show.get("why", {}).get("method", DEFAULT_METHOD) != DEFAULT_METHOD
    return show.get("look") in NOT_HERE or other_map or "random" in show.get("network", {})


def _manifest() -> dict[str, Any]:
    return {
        "name": "MsE-CNN: music tags, and why",
        "short_name": "MsE-CNN",
        "description": DESCRIPTION,
        "start_url": "./",
        "scope": "./",
        "display": "standalone",
        "background_color": "#faf8f5",
        "theme_color": icons.COLOUR,
        "icons": [
            {"src": "icon.svg", "sizes": "any", "type": "image/svg+xml", "purpose": "any"},
            *(
                {"src": name, "sizes": f"{size}x{size}", "type": "image/png", "purpose": purpose}
                for name, (size, _, purpose) in ICONS.items()
                if purpose
            ),
        ],
    }


def _service_worker(site: Path) -> str:
    """With the names of all files, under a version that changes with any of them."""
    files = sorted(path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file())
    digest = hashlib.sha256()
    for name in files:
        digest.update(name.encode() + b"\0" + hashlib.sha256((site / name).read_bytes()).digest())
    source = (ROOT / "shell" / "sw.js").read_text(encoding="utf-8")
    return source.replace("@VERSION@", digest.hexdigest()[:16]).replace("@FILES@", json.dumps(["./", *files]))


if __name__ == "__main__":
    sys.exit(main())
