"""Every tab, light and dark, wide and narrow, has no serious or critical finding of axe-core (WCAG 2.1 A and AA)."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.browser

Visitor = Any
AXE = Path(__file__).resolve().parents[2] / "node_modules/axe-core/axe.min.js"
#: Each tab, and what is there once it is drawn.
TABS = {
    "tags": ".mse-tag",
    "why": ".mse-waterfall",
    "network": ".mse-leans",
    "what-if": ".mse-edits .mse-what-if-table",
    "compare": ".mse-pair.total",
    "live": ".mse-rolling",
    "lessons": ".mse-lesson-card",
}
FINDINGS = """axe.run(document, { resultTypes: ["violations"], runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"] })
    .then(({ violations }) => violations.filter(({ impact }) => ["serious", "critical"].includes(impact))
        .map(({ id, nodes }) => [id, nodes.map(({ target }) => target.join())]))"""
#: Of axe's rules without an impact on WCAG's A and AA: a control's name holds what is written on it, as who speaks to
#: the page says it; headings leave out no level; landmarks can be told apart.
RULES = ("label-content-name-mismatch", "heading-order", "landmark-unique", "landmark-no-duplicate-main")
ALL_FINDINGS = """(rules) => axe.run(document, { resultTypes: ["violations"],
        runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"],
        rules: Object.fromEntries(rules.map((id) => [id, { enabled: true }])) })
    .then(({ violations }) => violations
        .filter(({ id, impact }) => rules.includes(id) || ["serious", "critical"].includes(impact))
        .map(({ id, nodes }) => [id, nodes.map(({ target, html }) => [target.join(), html.slice(0, 200)])]))"""


@pytest.mark.skipif(not AXE.exists(), reason="npm install brings axe-core")
@pytest.mark.parametrize("dark", [False, True])
def test_axe_finds_nothing_serious(arrive: Callable[..., Visitor], dark: bool) -> None:
    page = arrive("?example=plucked&second=piano&tag=guitar&model=msecnn&edits=telephone", dark=dark, bypass_csp=True)
    page.wait_for_selector(".mse-tag")
    page.evaluate(AXE.read_text(encoding="utf-8"))
    for tab, drawn in TABS.items():
        page.evaluate("(tag) => msecnn.showTab(tag)", tab)
        page.wait_for_selector(drawn)
        for width in (1440,) if dark else (390, 1440):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate(ALL_FINDINGS, RULES) == [], (tab, width)
    page.evaluate("msecnn.player.play()")
    page.evaluate("scrollTo(0, 5000)")
    assert page.evaluate(FINDINGS) == [], "with the small player"
