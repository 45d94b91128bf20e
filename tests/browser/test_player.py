"""The player stays in view, names what plays, lets one sound play at a time; strips and cells follow the sound."""

from collections.abc import Callable
from typing import Any

import pytest
from conftest import wait_for_recording

pytestmark = pytest.mark.browser

Visitor = Any
NOW = "msecnn.player.now()"
WHY = "?example=plucked&tag=guitar&model=msecnn&tab=why"
STUCK = "document.querySelector('.mse-player-section').classList.contains('stuck')"


def explained(arrive: Callable[..., Visitor], **options: Any) -> Visitor:
    page = arrive(WHY, **options)
    page.wait_for_selector(".mse-why .mse-sentence:has-text('gives guitar')")
    page.wait_for_function("document.querySelectorAll('.mse-strip').length === 6")
    return page


def scroll_to_strips(page: Visitor) -> None:
    page.evaluate("scrollTo(0, document.querySelector('.mse-strip').getBoundingClientRect().top + scrollY - 100)")
    page.wait_for_function(STUCK)


@pytest.mark.parametrize("width", [1440, 1024, 390])
def test_it_shrinks_to_90_pixels_and_stays(arrive: Callable[..., Visitor], width: int) -> None:
    page = explained(arrive, width=width)
    before = page.evaluate("document.documentElement.scrollHeight")
    scroll_to_strips(page)
    box = page.locator(".mse-player-section").first.bounding_box()
    assert (box["x"], box["y"], box["width"], box["height"]) == (0, 0, width, 90)
    assert page.evaluate("document.documentElement.scrollHeight") == before  # nothing below it moves
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    button = page.locator(".mse-play").first
    button.click()
    page.wait_for_function(f"{NOW} > 0.1")
    picture, strip = (page.locator(selector).first.bounding_box() for selector in (".mse-top", ".mse-strip canvas"))
    assert (picture["x"], picture["width"]) == pytest.approx((strip["x"], strip["width"]), abs=1)  # one time axis
    button.click()
    page.mouse.click(picture["x"] + 200, 60)  # it seeks as the large one does
    expected = page.evaluate("msecnn.player.toSeconds(200, document.querySelector('.mse-top').clientWidth)")
    assert page.evaluate(NOW) == pytest.approx(expected, abs=0.2)
    label = "document.querySelector('#why-listen [data-testid=block-info]')"
    page.evaluate(f"scrollBy(0, {label}.getBoundingClientRect().top - 64)")  # what is beneath it does not show through
    x, y = page.evaluate(f"(({{ x, y }}) => [x + 5, y + 5])({label}.getBoundingClientRect())")
    assert y < 90
    assert page.evaluate(f"document.elementFromPoint({x}, {y}).closest('.stuck') !== null")
    page.evaluate("scrollTo(0, 0)")
    page.wait_for_function(f"!{STUCK}")


def test_what_plays_is_named_and_can_be_ended(arrive: Callable[..., Visitor]) -> None:
    page = explained(arrive)
    name = page.locator(".mse-playing").first
    page.evaluate("msecnn.player.play()")
    page.wait_for_selector(".mse-playing:has-text('Playing: Megtört Álom')")
    page.locator("#why-listen").get_by_role("radio", name="Level 2").check()
    page.wait_for_selector(".mse-playing:has-text('Playing: Level 2 only')")
    page.get_by_role("tab", name="Tags").click()
    assert name.is_visible()  # on every tab
    page.get_by_role("button", name="Stop Level 2 only").click()
    page.wait_for_function(
        "msecnn.player.audio.paused && !document.querySelector('.mse-playing').textContent.includes('Level')"
    )
    page.get_by_role("tab", name="Why this tag").click()
    assert page.get_by_role("radio", name="Original").is_checked()


def test_a_moment_of_another_example_is_one_sound_with_a_stop(arrive: Callable[..., Visitor]) -> None:
    page = arrive("?example=plucked&tag=guitar&model=msecnn&tab=network")
    page.locator(".mse-level-card[data-level=level3]").click()
    page.locator(".mse-channel-tile").first.click()
    page.evaluate("msecnn.player.play()")
    page.wait_for_function("!msecnn.player.audio.paused")
    page.locator(".mse-moments .mse-evidence").first.click()
    page.wait_for_function("msecnn.player.audio.paused")
    page.wait_for_selector(".mse-playing:has-text(' to ')")
    page.locator(".mse-playing button").first.click()
    page.wait_for_function("!document.querySelector('.mse-playing').textContent")


def test_every_strip_has_both_axes(arrive: Callable[..., Visitor]) -> None:
    page = explained(arrive)
    drawn = page.evaluate(
        """[...document.querySelectorAll('.mse-strip canvas')].map((canvas) => {
            const ratio = canvas.width / canvas.clientWidth, context = canvas.getContext('2d');
            const inked = (x, y, w, h) =>
                context.getImageData(x * ratio, y * ratio, w * ratio, h * ratio).data.some((value) => value > 0);
            return [inked(0, 0, 40, canvas.clientHeight), inked(60, canvas.clientHeight - 14, 400, 14)];
        })"""
    )
    assert drawn == [[True, True]] * 6


class TestFlashes:
    SEEN = """new Promise((resolve) => {
        const found = { stage: 0, strip: 0 };
        new MutationObserver((changes) => changes.forEach(({ target, addedNodes }) => addedNodes.forEach((node) => {
            if (!node.classList?.contains('mse-flash')) return;
            found[target.classList.contains('mse-stage') ? 'stage' : 'strip'] += 1;
        }))).observe(document.body, { childList: true, subtree: true });
        setTimeout(() => resolve(found), 6000);
    })"""

    def play(self, page: Visitor) -> Any:
        page.evaluate("msecnn.player.play(0)")
        return page.evaluate(self.SEEN)

    def test_cells_flash_as_they_are_heard(self, arrive: Callable[..., Visitor]) -> None:
        page = explained(arrive)
        answer = page.evaluate("msecnn.call('winning-cells', { model: 'msecnn', tag: 'guitar', window: 0 })")
        heard = answer["marks"]
        assert any((mark["start_s"] + mark["end_s"]) / 2 < 5 for mark in heard)
        seen = self.play(page)
        assert seen["stage"] > 0
        assert seen["strip"] >= seen["stage"]
        assert page.locator(".mse-strip-stack.sounding").count() == 1
        assert "cells that decided guitar" in page.locator(".mse-flash-words").inner_text()

    def test_already_on_the_first_screen(self, arrive: Callable[..., Visitor]) -> None:
        page = arrive()
        wait_for_recording(page, "Megtört Álom")
        assert self.play(page)["stage"] > 0

    def test_nothing_flashes_where_motion_is_not_wanted(self, arrive: Callable[..., Visitor]) -> None:
        page = arrive(WHY, reduced_motion="reduce")
        page.wait_for_function("document.querySelectorAll('.mse-strip').length === 6")
        assert self.play(page) == {"stage": 0, "strip": 0}
