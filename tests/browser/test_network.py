"""Take it apart in Chromium: what the switches say is the exact split, and random weights are said to be random."""

import math
import re
from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.browser

Visitor = Any


def number(text: str) -> float:
    return float(text.replace("−", "-").replace("%", "").strip())


def network(arrive: Callable[..., Visitor], model: str = "msecnn", **options: Any) -> Visitor:
    page = arrive(f"?example=plucked&tag=guitar&model={model}&tab=network", **options)
    page.wait_for_selector(".mse-leans")
    return page


def shown(page: Visitor) -> dict[str, float]:
    """The probability of each tag as its bar gives it now."""
    rows = page.locator("#tab-network .mse-tag").evaluate_all(
        "(rows) => rows.map((row) => [row.dataset.tag, row.querySelector('.mse-numbers b').innerText])"
    )
    return {tag: number(percent) / 100 for tag, percent in rows}


def split(page: Visitor, tag: str) -> list[float]:
    """A row of the table: base, one term for each scale, and the logit."""
    row = page.locator(f".mse-leans tr:has(th button:text-is('{tag}'))")
    return [number(cell) for cell in row.locator("td").all_inner_texts()]


class TestSwitches:
    def test_a_switch_leaves_the_rest_of_the_exact_split(self, arrive: Callable[..., Visitor]) -> None:
        page = network(arrive)
        whole = shown(page)
        said = page.evaluate("msecnn.state.models[1].timeline[0][msecnn.state.models[1].tags.indexOf('guitar')]")
        assert whole["guitar"] == pytest.approx(said, abs=0.006)
        assert page.locator(".mse-figure .mse-switch").count() == 6
        for scale in ("level5", "level2"):
            page.locator(f".mse-switch[data-scale={scale}]").click()
        now = shown(page)
        for tag in list(whole)[:4]:
            base, *terms, _ = split(page, tag)
            left = base + sum(terms) - terms[2] - terms[5]
            assert now[tag] == pytest.approx(1 / (1 + math.exp(-left)), abs=0.02), tag
        page.locator(".mse-switch[data-scale=level5]").press("Space")  # the keyboard switches too
        page.locator(".mse-switch[data-scale=level2]").press("Space")
        assert shown(page) == whole

    def test_fcn5_carries_one_scale_on(self, arrive: Callable[..., Visitor]) -> None:
        page = network(arrive, "fcn5")
        assert page.locator(".mse-figure .mse-switch").count() == 1
        assert page.locator(".mse-skip:has-text('not carried on')").count() == 5
        page.locator(".mse-switch[data-scale=level5]").click()
        assert "every clip gets these numbers" in page.locator(".mse-network-bars .mse-sentence").inner_text()
        base, *_ = split(page, "guitar")
        assert shown(page)["guitar"] == pytest.approx(1 / (1 + math.exp(-base)), abs=0.02)

    def test_a_tag_of_the_table_is_explained(self, arrive: Callable[..., Visitor]) -> None:
        page = network(arrive)
        tag = page.locator(".mse-leans tbody th button").nth(1).inner_text()
        page.locator(".mse-leans tbody th button").nth(1).click()
        page.wait_for_selector(f".mse-why .mse-sentence:has-text('gives {tag}')")


class TestChannels:
    def test_a_channel_opens_with_its_winner(self, arrive: Callable[..., Visitor]) -> None:
        page = network(arrive)
        page.locator(".mse-level-card[data-level=level2]").click()
        page.wait_for_selector(".mse-channel-tile")
        assert page.locator(".mse-channel-tile").count() == 128
        strengths = [abs(number(text)) for text in page.locator(".mse-channel-tile b").all_inner_texts()]
        assert strengths == sorted(strengths, reverse=True)
        first = page.locator(".mse-channel-tile").first
        adds = number(first.locator("b").inner_text())
        first.click()
        page.wait_for_selector(".mse-enlarged")
        words = page.locator(".mse-network-channel > p").first.inner_text()
        start, end = map(float, re.search(r"hears ([\d.]+) to ([\d.]+) s", words).groups())
        assert 0 <= start < end < start + 1  # a cell of level 2 sees about half a second
        assert number(re.search(r"it adds ([−+][\d.]+\d)", words).group(1)) == pytest.approx(adds, abs=0.006)
        page.get_by_role("button", name="Play that moment").click()
        page.wait_for_function("!msecnn.player.audio.paused")
        assert max(0, start - 0.6) <= page.evaluate("msecnn.player.now()") <= end + 1

    def test_the_channels_add_up_to_their_scale(self, arrive: Callable[..., Visitor]) -> None:
        page = network(arrive)
        scales = page.locator(".mse-leans thead th").all_inner_texts()[2:]
        terms = split(page, "guitar")[1:]
        for level in ("level1", "level3", "level5"):
            question = {"model": "msecnn", "tag": "guitar", "window": 0, "level": level}
            added = page.evaluate("(question) => msecnn.call('channels', question)", question)["relative"]
            title = page.evaluate("(level) => msecnn.scaleTitle(level)", level)
            assert sum(added) == pytest.approx(terms[scales.index(title)], abs=0.015), level


class TestRandomWeights:
    def test_they_are_loud_and_the_same_for_everybody(self, arrive: Callable[..., Visitor]) -> None:
        page = network(arrive)
        trained = shown(page)
        page.get_by_role("checkbox", name="random weights").click()
        page.wait_for_selector(".mse-network.random .mse-warning:has-text('mean nothing')")
        page.wait_for_selector(".mse-sanity-strips .mse-strip:nth-child(2)")
        assert "Rank correlation" in page.locator(".mse-network-sanity .mse-sentence").inner_text()
        random = shown(page)
        assert random != trained
        assert "trained" in page.locator(".mse-network-bars .mse-legend").inner_text()
        page.get_by_role("checkbox", name="random weights").click()
        page.wait_for_function("!document.querySelector('.mse-network.random')")
        assert page.locator("#tab-network .mse-warning").count() == 0
        assert shown(page) == trained

    def test_a_phone(self, arrive: Callable[..., Visitor]) -> None:
        page = network(arrive, width=390, height=844, has_touch=True, is_mobile=True)
        page.locator(".mse-level-card[data-level=level4]").click()
        page.wait_for_selector(".mse-channel-tile")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
