"""What the page says of its numbers is what was measured: agreement with teachers, not truth."""

from pathlib import Path

from msecnn.plots.tags import reliability
from msecnn.ui.tabs.tags import REFERENCE

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = sorted((ROOT / "msecnn" / "ui" / "static").rglob("*.js"))


def words(*paths: Path) -> str:
    return " ".join(" ".join(path.read_text(encoding="utf-8").split()) for path in paths)


def test_no_probability_is_said_to_have_come_true() -> None:
    package = ROOT / "msecnn"
    figures = (package / "plots" / "tags.py", package / "ui" / "tabs" / "tags.py")
    page = words(*SCRIPTS, *figures, ROOT / "assets" / "about.md", ROOT / "docs" / "models.md")
    for claim in ("came true", "held back", "true, on average", "What a probability is worth"):
        assert claim not in page
    layout = reliability({"net": [{"claimed": 0.1, "true": 0.2, "n": 7}]}, reference=REFERENCE).layout
    assert (layout.xaxis.title.text, layout.yaxis.title.text) == ("predicted", "teachers' mean")
    assert "agreement, not truth" in page


def test_the_page_says_from_what_the_networks_learned() -> None:
    assert "learned from three other networks" in words(*SCRIPTS), "on the first screen"
    assert "They were not trained on MagnaTagATune" in words(ROOT / "assets" / "about.md")
