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
from msecnn.onnx_export import export_onnx
from msecnn.plots.colours import css_variables
from msecnn.plots.html import plotly_script
from msecnn.ui.page import STYLES, TITLE, offered
from msecnn.ui.server.context import AppContext
from msecnn.ui.server.static_modules import STATIC
from web.knowledge import EXAMPLES, Weights, examples, knowledge
from web.layout import LEFT_OUT, Layout

ROOT = Path(__file__).resolve().parent
RUNTIME = ROOT.parent / "node_modules" / "onnxruntime-web" / "dist"
#: Of ONNX Runtime: WebAssembly on the processor alone.
RUNTIME_FILES = ("ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm")
#: Longest recording, minutes: decoded, ten minutes of two channels take 200 MB of a phone's memory.
MAX_MINUTES = 10.0
#: What a lesson may not look at or ask for here.
NOT_HERE = {"listen", "check", "sanity", "strips"}
#: Edits that `answerer/edits.js` makes.
EDITS_HERE = {"remove", "keep", "level", "low_cut", "high_cut", "reverse"}
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
ICON = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64">
<rect width="64" height="64" rx="12" fill="#b8500a"/><g fill="#fff">{bars}</g></svg>
"""
BARS = (9, 17, 24, 13, 20, 6)
#: For a static Space: `hf upload NAME FOLDER . --repo-type space`.
SPACE = f"""---
title: MsE-CNN in the browser
emoji: 🎼
colorFrom: yellow
colorTo: red
sdk: static
app_file: index.html
license: cc-by-nc-sa-4.0
short_description: {DESCRIPTION[:60]}
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
        _write(site, AppContext.load(max_minutes=MAX_MINUTES), runtime)
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
    (site / "icon.svg").write_text(_icon(), encoding="utf-8")
    (site / "manifest.webmanifest").write_text(json.dumps(_manifest()), encoding="utf-8")
    (site / "sw.js").write_text(_service_worker(site), encoding="utf-8")
    (site / "README.md").write_text(SPACE, encoding="utf-8")


def _write_data(data: Path, context: AppContext) -> None:
    export_onnx([tagger.checkpoint for tagger in context.taggers.values()], data / "networks.onnx", with_maps=True)
    weights = Weights()
    (data / "knowledge.json").write_text(json.dumps(knowledge(context, weights), ensure_ascii=False), encoding="utf-8")
    (data / "weights.bin").write_bytes(weights.to_bytes())
    (data / "plotly.js").write_text(plotly_script(), encoding="utf-8")
    for example in context.examples.values():
        shutil.copyfile(example.path, data.parent / EXAMPLES / example.path.name)


def _index(site: Path, context: AppContext) -> str:
    layout = Layout(context)
    told = {"offered": _offered(context), "site": {"endpoints": layout.endpoints, "examples": examples(context)}}
    modules = [*sorted(site.glob("shell/*.js")), *sorted(site.glob("page/*.js"))]
    preloads = "\n".join(f'<link rel="modulepreload" href="{path.relative_to(site).as_posix()}">' for path in modules)
    return INDEX.format(
        policy=POLICY,
        description=DESCRIPTION,
        title=escape(TITLE),
        icon=f"data:image/svg+xml,{quote(_icon())}",  # a browser asks for a file again whenever the address changes
        offered=json.dumps(told, ensure_ascii=False).replace("</", "<\\/"),
        preloads=preloads,
        body=layout.html,
    )


def _icon() -> str:
    bars = "".join(
        f'<rect x="{9 + 8 * i}" y="{32 - 0.9 * tall:g}" width="5.5" height="{1.8 * tall:g}" rx="2.7"/>'
        for i, tall in enumerate(BARS)
    )
    return ICON.format(bars=bars)


def _offered(context: AppContext) -> dict[str, Any]:
    """What the page with a server tells its modules, but for what only that has."""
    told = offered(context)
    lessons = [lesson for lesson in told["lessons"] if not any(map(_needs_more, lesson["steps"]))]
    edits = told["edits"] | {"kinds": [kind for kind in told["edits"]["kinds"] if kind["name"] in EDITS_HERE]}
    return told | {
        "server": None,
        "deleted_within_h": None,
        "plotly": "data/plotly.js",
        "lessons": lessons,
        "edits": edits,
        "tabs": [tab for tab in told["tabs"] if tab not in LEFT_OUT],
        "locales": {},
    }


def _needs_more(step: dict[str, Any]) -> bool:
    show = step["show"]
    return show.get("look") in NOT_HERE or "why" in show or "random" in show.get("network", {})


def _manifest() -> dict[str, Any]:
    return {
        "name": "MsE-CNN: music tags, and why",
        "short_name": "MsE-CNN",
        "description": DESCRIPTION,
        "start_url": "./",
        "scope": "./",
        "display": "standalone",
        "background_color": "#faf8f5",
        "theme_color": "#b8500a",
        "icons": [{"src": "icon.svg", "sizes": "any", "type": "image/svg+xml", "purpose": "any"}],
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
