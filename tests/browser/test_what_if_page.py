"""The chain of edits: made, heard without a gap, undone, shared, saved; response curves; the smallest cut."""

from collections.abc import Callable
from typing import Any

import pytest
from test_links import again, asked, copied
from test_page import NOW

pytestmark = pytest.mark.browser

Visitor = Any
#: Whether any of the sounds that took turns plays, told anew in every frame.
WATCH = """() => {
    const { sound } = msecnn.player, heard = new Set();
    window.silent = 0;
    window.watched = 0;
    const look = () => {
        heard.add(sound.audio);
        window.watched++;
        if ([...heard].every((audio) => audio.paused)) window.silent++;
        requestAnimationFrame(look);
    };
    look();
}"""

#: Where the first bar, or its mark, stands.
MOVED = "(part) => document.querySelector(`.mse-edits .mse-what-if-bar ${part}`).style.getPropertyValue('--p')"


def open_tab(page: Visitor) -> None:
    page.wait_for_selector(".mse-tag")
    page.evaluate("msecnn.showTab('what-if')")
    page.wait_for_selector(".mse-edit-form")


def add(page: Visitor, name: str) -> None:
    page.get_by_role("combobox", name="Edit").first.select_option(name)
    page.get_by_role("button", name="Add edit").click()


def wait_for_edits(page: Visitor, *edits: str) -> None:
    """Until the networks have answered to these edits."""
    page.wait_for_function(
        "(edits) => [...document.querySelectorAll('.mse-edit-list li')].map((li) => li.dataset.edit).join() === edits",
        arg=",".join(edits),
    )
    page.wait_for_selector(".mse-edits .mse-status:not(.busy)", state="attached")


def test_a_chain_is_made_undone_and_shared(arrive: Callable[..., Visitor]) -> None:
    page = arrive("?example=piano&models=fcn5,msecnn")
    open_tab(page)
    add(page, "level")
    page.wait_for_selector(".mse-what-if-table")
    add(page, "telephone")
    wait_for_edits(page, "level=-10", "telephone")
    page.get_by_label("Level: gain, dB").last.fill("-20")
    page.get_by_label("Level: gain, dB").last.press("Tab")
    wait_for_edits(page, "level=-20", "telephone")
    link = copied(page)
    assert asked(link)["edits"] == "level=-20 telephone"
    page.keyboard.press("Control+z")
    wait_for_edits(page, "level=-10", "telephone")
    page.keyboard.press("Control+z")
    wait_for_edits(page, "level=-10")
    page.keyboard.press("Control+Shift+z")
    page.keyboard.press("Control+y")
    wait_for_edits(page, "level=-20", "telephone")
    page.wait_for_function(f"({MOVED})('b') !== ({MOVED})('i')")  # the bar has left its mark

    other = again(arrive, link)
    other.wait_for_selector(".mse-edits .mse-what-if-table")
    wait_for_edits(other, "level=-20", "telephone")
    assert other.get_by_role("button", name="Undo").last.is_disabled()
    other.get_by_role("button", name="Start over").last.click()
    other.wait_for_selector(".mse-what-if-table", state="detached")
    assert "edits" not in asked(copied(other))


def test_the_edited_sound_takes_over_where_the_recording_is_without_a_gap(arrive: Callable[..., Visitor]) -> None:
    page = arrive("?example=piano")
    open_tab(page)
    page.evaluate("msecnn.player.play(3)")
    page.wait_for_function(f"!msecnn.player.audio.paused && {NOW} > 3.2")
    page.evaluate(WATCH)
    add(page, "reverse")
    page.wait_for_function("msecnn.player.sound.source.title === 'edited sound'")
    before = page.evaluate(NOW)
    page.wait_for_function(f"{NOW} < {before} - 0.5")  # the same place of the recording, and from there backwards
    page.locator(".mse-edits [data-hear=original]").click()
    page.wait_for_function("msecnn.player.sound.source === msecnn.player.sound.original")
    back = page.evaluate(NOW)
    assert abs(back - (before - 0.5)) < 2
    page.wait_for_function(f"{NOW} > {back} + 0.3")
    assert page.evaluate("window.watched") > 20
    assert page.evaluate("window.silent") == 0


def test_a_refused_edit_is_taken_back_with_its_sentence(arrive: Callable[..., Visitor]) -> None:
    page = arrive("?example=piano")
    open_tab(page)
    add(page, "low_cut")
    wait_for_edits(page, "low_cut=200")
    cutoff = page.get_by_label("Low cut: cutoff, Hz").last
    cutoff.fill("9000")
    cutoff.press("Tab")
    page.wait_for_selector(".mse-edits .mse-status.error:has-text('needs sound that reaches higher')")
    wait_for_edits(page, "low_cut=200")
    assert page.locator(".mse-edits .mse-what-if-table").count() > 0


def test_a_curve_is_drawn_and_the_smallest_cut_becomes_an_edit(arrive: Callable[..., Visitor]) -> None:
    page = arrive("?example=piano&model=msecnn&tag=piano")
    open_tab(page)
    page.get_by_role("combobox", name="Response curve").select_option("level")
    page.get_by_role("button", name="Draw the curve").click()
    page.wait_for_selector(".mse-curve-figures figure .legend")
    assert page.locator(".mse-curve-figures h4").all_inner_texts() == ["FCN-5", "MsE-CNN"]
    assert "piano is" in page.locator(".mse-curve-figures figure").last.get_attribute("aria-label")
    page.get_by_role("button", name="Find the smallest cut that loses piano").click()
    page.wait_for_selector(".mse-cut p:has-text('piano falls from')")
    found = page.locator(".mse-cut p").inner_text().split(" to ")[-1].rstrip(".")
    page.get_by_role("button", name="Add this cut to the edits").click()
    page.wait_for_selector(f".mse-edits .mse-what-if-table:last-of-type td:has-text('→ {found}')")
    assert page.locator(".mse-curve-figures figure").count() == 0  # it was of the sound before this edit
