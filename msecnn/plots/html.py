"""Plotly figures inside an HTML file that asks nothing of the network: the script travels in the file, compressed."""

import base64
import gzip
from functools import cache

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


def div(figure: go.Figure) -> str:
    """A figure's place in a page that ends with `script()`."""
    plain = plotly.io.to_json(figure.update_layout(template="plotly_white"), pretty=False)
    with_config = plain[:-1] + f',"config":{plotly.io.json.to_json_plotly(CONFIG)}}}'
    height = figure.layout.height or 450
    safe = with_config.replace("</", "<\\/")
    return f'<div data-figure style="height:{height}px"><script type="application/json">{safe}</script></div>'


@cache
def script() -> str:
    """Plotly itself (1.9 MB as it travels), and what draws every `div` before it."""
    packed = base64.b64encode(gzip.compress(get_plotlyjs().encode(), 9, mtime=0)).decode()
    return f'<script type="text/plain" id="plotly-gzip">{packed}</script><script>{_LOADER}</script>'
