"""What a colour means, once for all figures: blue, orange and further hues name models; green and purple are signs."""

#: First and second model and those after: told apart by every kind of colour vision.
MODEL_COLOURS = ("#2563b8", "#d97706", "#0f766e", "#475569")
#: A contribution for a tag and one against it.
IN_FAVOUR, AGAINST = "#15803d", "#7e22ce"
#: Totals, references, and what carries no sign.
NEUTRAL = "#44403c"


def rgb(colour: str) -> tuple[float, float, float]:
    """`#rrggbb` as three numbers from 0 to 1."""
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return red, green, blue
