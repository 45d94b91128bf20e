"""What a colour means, for figures and page: blue, orange and further hues name models; green and purple are signs.

Each is dark enough for words on the light page and has a lighter one for the dark page (WCAG AA, 4.5:1).
"""

#: First and second model and those after: told apart by every kind of colour vision.
MODEL_COLOURS = ("#2563b8", "#b45309", "#0f766e", "#475569")
#: A contribution for a tag and one against it.
IN_FAVOUR, AGAINST = "#15803d", "#7e22ce"
#: Totals, references, and what carries no sign.
NEUTRAL = "#44403c"
#: Orders of cells in a check: the map's own, then those that know nothing of the network.
ORDER_COLOURS = ("#be185d", "#6b665f", "#0e7490", "#854d0e")
#: Where a signed heat map is zero.
ZERO = "#ffffff"

#: The same on a dark page.
ON_DARK = {
    "#2563b8": "#6ba5ec",
    "#b45309": "#f5a94a",
    "#0f766e": "#2dd4bf",
    "#475569": "#a9b6c8",
    "#15803d": "#4ade80",
    "#7e22ce": "#c99bfd",
    "#44403c": "#d6d3d1",
    "#be185d": "#f472b6",
    "#6b665f": "#aaa298",
    "#0e7490": "#67d5f0",
    "#854d0e": "#facc15",
    "#ffffff": "#1f1c19",
}
#: The page's CSS variables for those that it draws with itself.
CSS_VARIABLES = {
    "--mse-first": MODEL_COLOURS[0],
    "--mse-second": MODEL_COLOURS[1],
    "--mse-positive": IN_FAVOUR,
    "--mse-negative": AGAINST,
}


def css_variables() -> str:
    """CSS that sets the variables for the light and the dark page; paper is light."""
    light = " ".join(f"{name}: {colour};" for name, colour in CSS_VARIABLES.items())
    dark = " ".join(f"{name}: {ON_DARK[colour]};" for name, colour in CSS_VARIABLES.items())
    return f":root {{ {light} }}\n@media not print {{ .dark {{ {dark} }} }}"


def rgb(colour: str) -> tuple[float, float, float]:
    """`#rrggbb` as three numbers from 0 to 1."""
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return red, green, blue
