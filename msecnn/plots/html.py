"""Plotly figures for a browser: in the page's answers, or in a file whose script travels with it, compressed."""

import base64
import gzip
import json
from functools import cache
from html import escape
from typing import Any

import plotly
import plotly.graph_objects as go
import plotly.io
from plotly.offline import get_plotlyjs

CONFIG = {"displaylogo": False, "responsive": True, "toImageButtonOptions": {"format": "png", "scale": 2}}
_LOADER = """
(async () => {
  const packed = Uint8Array.from(atob(document.getElementById("plotly-gzip").textContent), (c) => c.charCodeAt(0));
  const text = await new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
  const script = document.createElement("script");
  script.textContent = text;
  document.head.append(script);
  for (const place of document.querySelectorAll("[data-figure]")) {
    const { data, layout, config } = JSON.parse(place.querySelector("script").textContent);
    place.replaceChildren();
    Plotly.newPlot(place, data, layout, config);
  }
})();
"""


def plotly_script() -> str:
    """Plotly's own JavaScript."""
    script: str = get_plotlyjs()
    return script


def plotly_version() -> str:
    """Of the package that brings the script."""
    return str(plotly.__version__)


def browser_figure(figure: go.Figure, *, label: str) -> dict[str, Any]:
    """A figure's data and layout for the page, which adds its own colours, title and width.

    Args:
        label: what the figure shows, as a sentence, for whoever cannot see it.
    """
    bare = go.Figure(figure).update_layout(template="none", width=None, title=None)
    written: dict[str, Any] = json.loads(plotly.io.to_json(bare, validate=False, pretty=False))
    written["layout"].pop("template", None)
    return written | {"label": label}


def div(figure: go.Figure, *, label: str) -> str:
    """A figure's place in a page that ends with `script()`; as wide as the page lets it be.

    Args:
        label: what the figure shows, for whoever cannot see it.
    """
    plain = plotly.io.to_json(go.Figure(figure).update_layout(template="plotly_white", width=None), pretty=False)
    with_config = plain[:-1] + f',"config":{plotly.io.json.to_json_plotly(CONFIG)}}}'
    height = figure.layout.height or 450
    safe = with_config.replace("</", "<\\/")
    named = f'<div data-figure role="figure" aria-label="{escape(label)}" style="height:{height}px">'
    return f'{named}<script type="application/json">{safe}</script></div>'


@cache
def script() -> str:
    """Plotly itself (1.9 MB as it travels), and what draws every `div` before it."""
    packed = base64.b64encode(gzip.compress(plotly_script().encode(), 9, mtime=0)).decode()
    return f'<script type="text/plain" id="plotly-gzip">{packed}</script><script>{_LOADER}</script>'
