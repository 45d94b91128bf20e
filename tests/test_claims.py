"""What the page says of its numbers is what was measured: agreement with teachers, not truth."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = sorted((ROOT / "msecnn" / "ui" / "static").rglob("*.js"))


def words(*paths: Path) -> str:
    return " ".join(" ".join(path.read_text(encoding="utf-8").split()) for path in paths)


def test_no_probability_is_said_to_have_come_true() -> None:
    page = words(*SCRIPTS, ROOT / "assets" / "about.md", ROOT / "docs" / "models.md")
    for claim in ("came true", "held back", "true, on average", "What a probability is worth"):
        assert claim not in page
    assert "predicted → / teachers' mean ↑" in page


def test_the_page_says_from_what_the_networks_learned() -> None:
    assert "learned from three other networks" in words(*SCRIPTS), "on the first screen"
    assert "They were not trained on MagnaTagATune" in words(ROOT / "assets" / "about.md")
