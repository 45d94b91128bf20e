"""Two recordings side by side in Chromium: the scales' differences are the whole difference."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.browser

Visitor = Any


def number(text: str) -> float:
    return float(re.search(r"[−+-]?\d+(\.\d+)?", text).group().replace("−", "-"))


@pytest.fixture
def both(arrive: Callable[..., Visitor]) -> Visitor:
    page = arrive("?example=piano&second=metal&tag=piano&model=msecnn&tab=compare")
    page.wait_for_selector(".mse-pair.total")
    return page


def test_the_differences_of_the_scales_add_up(both: Visitor) -> None:
    gaps = [number(text) for text in both.locator(".mse-pair b").all_inner_texts()[1:]]
    assert len(gaps) == 7
    assert sum(gaps[:-1]) == pytest.approx(gaps[-1], abs=0.005 * 7)
    first, second = (number(text[2:]) for text in both.locator(".mse-pair.total em").all_inner_texts())
    assert first - second == pytest.approx(gaps[-1], abs=0.011)


def test_both_are_tagged_by_the_same_model(both: Visitor) -> None:
    chosen = both.locator("#tab-compare .mse-tag[data-tag=piano] .mse-sr").text_content()
    said = both.evaluate(
        """[msecnn.state.models, msecnn.state.second.models].map((models) => {
            const model = models.find((one) => one.name === 'msecnn');
            return model.probabilities[model.tags.indexOf('piano')];
        })"""
    )
    for name, p in zip("AB", said, strict=True):
        assert number(chosen.split(f"{name} ")[1]) == pytest.approx(100 * p, abs=0.51)
    both.locator("#tab-compare .mse-tag").nth(3).click()
    tag = both.locator("#tab-compare .mse-tag").nth(3).get_attribute("data-tag")
    both.wait_for_selector(f"#tab-compare h3:text-is('{tag}, scale by scale')")
    both.get_by_role("radio", name="FCN-5").check()
    both.wait_for_function("document.querySelectorAll('#tab-compare .mse-pair').length === 3")  # head, level 5, logit


def test_only_one_of_them_sounds(both: Visitor) -> None:
    both.locator(".mse-play").first.click()
    both.wait_for_function("!msecnn.player.audio.paused")
    both.locator("#tab-compare .mse-play").click()
    both.wait_for_function("msecnn.player.audio.paused")


def test_a_second_file_of_ones_own(upload: Callable[..., Visitor], recordings: Path, tmp_path: Path) -> None:
    page = upload("tune.mp3")
    page.get_by_role("tab", name="Compare").click()
    page.set_input_files("#mse-second-file", recordings / "long.mp3")
    page.wait_for_selector(".mse-pair.total")
    assert "long.mp3" in page.locator(".mse-compare-legend").inner_text()
    assert "long" not in page.url
    (tmp_path / "notes.mp3").write_bytes(b"la la la " * 100)
    page.set_input_files("#mse-second-file", tmp_path / "notes.mp3")
    page.wait_for_selector("#tab-compare .mse-status.error:has-text('notes.mp3')")
    assert "long.mp3" in page.locator(".mse-compare-legend").inner_text()  # what was open stays open
    page.locator("#tab-compare .mse-overview canvas").click(position={"x": 400, "y": 20})
    page.wait_for_selector(".mse-compare-legend:has-text('0:')")
    assert page.evaluate("msecnn.state.window") == 0  # the first recording stays where it was
