"""The page's sign as SVG and as PNG, which phones want where a page is installed."""

import io
from collections.abc import Iterator

from PIL import Image, ImageDraw

COLOUR = "#b8500a"
#: Heights of the bars of the sign, of 64.
BARS = (9, 17, 24, 13, 20, 6)
_SVG = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64">
<rect width="64" height="64" rx="12" fill="{colour}"/><g fill="#fff">{bars}</g></svg>
"""
#: Drawn larger and then made smaller, so that edges are smooth.
_FINER = 4


def svg() -> str:
    bars = "".join(f'<rect x="{x:g}" y="{y:g}" width="5.5" height="{64 - 2 * y:g}" rx="2.7"/>' for x, y in _places())
    return _SVG.format(colour=COLOUR, bars=bars)


def png(size: int, *, rounded: bool = True) -> bytes:
    """A square of `size` pixels; without round corners for systems that cut their own."""
    unit = size * _FINER / 64
    image = Image.new("RGBA", (size * _FINER, size * _FINER))
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle((0, 0, 64 * unit - 1, 64 * unit - 1), 12 * unit if rounded else 0, fill=COLOUR)
    for x, y in _places():
        draw.rounded_rectangle((x * unit, y * unit, (x + 5.5) * unit, (64 - y) * unit), 2.7 * unit, fill="#fff")
    packed = io.BytesIO()
    image.resize((size, size), Image.Resampling.LANCZOS).save(packed, "PNG", optimize=True)
    return packed.getvalue()


def _places() -> Iterator[tuple[float, float]]:
    """Left side and top of each bar, of 64."""
    return ((9 + 8 * i, 32 - 0.9 * tall) for i, tall in enumerate(BARS))
