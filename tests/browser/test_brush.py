"""A box on the spectrogram: drawn, alone or taken out, heard, read, and gone with the recording."""

from collections.abc import Callable
from typing import Any

import pytest
from test_page import NOW, number

pytestmark = pytest.mark.browser

Visitor = Any


def turn_on(page: Visitor) -> None:
    page.get_by_role("button", name="What if …").click()


def draw_box(page: Visitor, left: float, top: float, right: float, bottom: float) -> None:
    """Drags over shares of the picture."""
    frame = page.locator(".mse-stage").first.bounding_box()
    places = [
        (frame["x"] + frame["width"] * x, frame["y"] + frame["height"] * y) for x, y in ((left, top), (right, bottom))
    ]
    page.mouse.move(*places[0])
    page.mouse.down()
    page.mouse.move(*places[1], steps=4)
    page.mouse.up()


def box_of(page: Visitor) -> list[float]:
    names = ("from, s", "to, s", "from, Hz", "to, Hz")
    return [float(page.get_by_label(f"Box {name}").input_value()) for name in names]


def test_without_a_tone_its_box_changes_the_tags(upload: Callable[..., Visitor]) -> None:
    page = upload("tone.wav")
    page.evaluate("msecnn.player.seek(3)")
    turn_on(page)
    draw_box(page, 0.2, 0.1, 0.6, 0.9)
    start_s, end_s, low_hz, high_hz = box_of(page)
    assert 4 < start_s < 7
    assert 15 < end_s < 19
    assert low_hz < 500
    assert high_hz > 3000
    assert page.evaluate(NOW) == pytest.approx(3, abs=0.1)  # drawing does not seek
    page.get_by_role("button", name="Without this").click()
    page.wait_for_selector(".mse-what-if-table")
    table = page.locator(".mse-what-if-table").last
    assert table.locator("caption").inner_text() == "MsE-CNN"
    heads = table.locator("thead th").all_inner_texts()
    assert heads[3:] == ["Input", *(f"Level {n}" for n in range(1, 6)), "logit"]
    for cells in (row.locator("td").all_inner_texts() for row in table.locator("tbody tr").all()):
        assert sum(number(cell) for cell in cells[2:8]) == pytest.approx(number(cells[8]), abs=0.035)
        assert "→" in cells[1]
    assert page.locator("[data-hear=edited]").get_attribute("aria-pressed") == "true"
    page.wait_for_function(f"Math.abs({NOW} - 3) < 0.3")  # at the same position
    edited = page.evaluate("msecnn.player.audio.src")
    page.locator("[data-hear=original]").click()
    assert page.evaluate("msecnn.player.audio.src") != edited
    page.wait_for_function(f"Math.abs({NOW} - 3) < 0.3")


def test_the_keyboard_sets_a_box_and_a_bad_one_gets_a_sentence(upload: Callable[..., Visitor]) -> None:
    page = upload("tune.mp3")
    turn_on(page)
    page.get_by_label("Box to, s").fill("4.5")
    page.get_by_label("Box to, Hz").press("Tab")
    assert box_of(page) == [0, 4.5, 0, 1000]
    page.get_by_role("button", name="Only this").click()
    page.wait_for_selector(".mse-what-if .mse-status:has-text('Only this: 0.00 to 4.50 s')")
    page.get_by_label("Box from, s").fill("9")
    page.get_by_label("Box from, s").press("Tab")
    page.get_by_role("button", name="Only this").click()
    page.wait_for_selector(".mse-what-if .mse-status.error:has-text('in order')")


def test_another_recording_forgets_the_edit(upload: Callable[..., Visitor], recordings: Any) -> None:
    page = upload("tune.mp3")
    turn_on(page)
    page.get_by_role("button", name="Without this").click()
    page.wait_for_selector(".mse-what-if-table")
    page.set_input_files("#mse-file", recordings / "voice.wav")
    page.wait_for_selector(".mse-opened strong:has-text('voice.wav')")
    page.wait_for_selector(".mse-what-if-table", state="detached")
    assert not page.locator(".mse-brush:visible").count()
    turn_on(page)  # off: dragging seeks again
    draw_box(page, 0.05, 0.5, 0.1, 0.5)
    assert page.evaluate(NOW) > 0.5
