"""docs/models.md says what the checkpoints' cards say."""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "recipes"))

import render_cards

ROOT = render_cards.ROOT


def test_it_is_what_the_recipe_makes_of_the_cards() -> None:
    assert render_cards.PAGE.read_text(encoding="utf-8") == render_cards.render(), "run recipes/render_cards.py"


def test_what_a_card_says_stands_on_the_page(tmp_path: Path) -> None:
    """A fact that a reader must not miss reaches the page, and a line of a table stays one."""
    card = json.loads((ROOT / "checkpoints" / "msecnn" / "card.json").read_text(encoding="utf-8"))
    card |= {
        "name": "mine",
        "untrained": True,
        "limits": "one|two\nthree",
        "metrics": [{"name": "loss", "value": 0.25}],
    }
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "card.json").write_text(json.dumps(card))
    page = render_cards.render(tmp_path)
    assert "## mine" in page
    assert "random" in page
    assert "one\\|two three" in page
    assert "| loss | 0.25 |" in page
    assert card["sha256"] in page
