"""What visitors stumbled over: subjects out of view, lost focus, two numbers for one thing, silence taken for music."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import wait_for_recording

from msecnn.audio import write_wav

pytestmark = pytest.mark.browser

Visitor = Any
#: Where an element begins in the window, once scrolling has come to rest.
TOP = """(selector) => new Promise((resolve) => {
    let before = NaN;
    const look = () => {
        const { top } = document.querySelector(selector).getBoundingClientRect();
        if (top === before) return resolve(top);
        before = top;
        setTimeout(look, 250);
    };
    look();
})"""
FOCUS = "document.activeElement.textContent"


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize(
    ("step", "subject"),
    [("lesson=levels&step=3", ".mse-network-table"), ("lesson=distrust&step=1", ".mse-why-strips")],
)
def test_a_lesson_scrolls_to_its_subject(arrive: Callable[..., Visitor], width: int, step: str, subject: str) -> None:
    page = arrive(f"?{step}", width=width, height=844, reduced_motion="reduce")
    page.wait_for_selector(f"{subject}:has(*)")
    page.wait_for_function("scrollY > 200")
    top = page.evaluate(TOP, subject)
    assert 88 <= top < 844 / 2  # below the small player, and above a phone's panel
    assert page.locator(".mse-play").first.bounding_box()["y"] < 90


def test_a_tapped_tag_lands_on_its_heading(arrive: Callable[..., Visitor]) -> None:
    page = arrive(width=390, height=844, has_touch=True, is_mobile=True)
    wait_for_recording(page, "Megtört Álom")
    page.locator(".mse-tag").nth(12).tap()
    page.wait_for_selector(".mse-why .mse-sentence:has-text('gives')")
    assert 0 <= page.evaluate(TOP, "#why-question") < 844 / 2
    assert page.evaluate("document.activeElement.id") == "heading-why"


def test_focus_stays_on_what_was_pressed(arrive: Callable[..., Visitor]) -> None:
    page = arrive("?example=plucked")
    page.wait_for_selector(".mse-tag")
    for role, name in (("radio", "difference"), ("checkbox", "merge similar tags")):
        page.get_by_role(role, name=name).focus()
        page.keyboard.press("Space")
        page.wait_for_timeout(300)  # drawn anew
        assert page.evaluate("document.activeElement.closest('label').textContent.trim()") == name
        assert page.evaluate("document.activeElement.isConnected")
    page.get_by_role("tab", name="Why this tag").click()
    page.wait_for_selector(".mse-why .mse-sentence:has-text('gives')")
    page.locator("#why-question").get_by_role("radio", name="FCN-5", exact=True).focus()
    page.keyboard.press("Space")
    page.wait_for_selector(".mse-why .mse-sentence:has-text('FCN-5 gives')")
    assert page.evaluate("document.activeElement.closest('label').textContent.trim()") == "FCN-5"


def test_one_tab_stop_leads_to_a_file(arrive: Callable[..., Visitor]) -> None:
    page = arrive("?example=plucked")
    page.get_by_role("button", name="Choose a file").first.focus()
    page.keyboard.press("Tab")
    assert page.evaluate(FOCUS) == "Record"


def test_the_menu_and_the_sentence_have_one_number(upload: Callable[..., Visitor]) -> None:
    page = upload("long.mp3")
    page.evaluate("msecnn.player.chooseWindow(1)")
    page.get_by_role("tab", name="Why this tag").click()
    page.wait_for_selector(".mse-why .mse-sentence:has-text('gives')")
    menu = page.get_by_label("Tag", exact=True).input_value()
    sentence = page.locator(".mse-why .mse-sentence").first.inner_text()
    assert re.search(r"([\d.]+ %)", menu).group(1) == re.search(r"gives .+? ([\d.]+ %)", sentence).group(1)


def test_silence_is_said_first_and_has_no_answer(arrive: Callable[..., Visitor], tmp_path: Path) -> None:
    write_wav(tmp_path / "nothing.wav", np.zeros(12_000 * 20, np.float32), 12_000)
    page = arrive()
    page.set_input_files("#mse-file", tmp_path / "nothing.wav")
    wait_for_recording(page, "nothing.wav")
    assert "silent" in page.locator(".mse-answer.mse-warning").inner_text()
    assert page.locator(".mse-sentence:visible").all_inner_texts() in ([], [""])
    assert page.locator(".mse-tags.silent").count() == 1


def test_what_goes_wrong_is_said_in_view_on_a_phone(arrive: Callable[..., Visitor], tmp_path: Path) -> None:
    (tmp_path / "notes.mp3").write_bytes(b"la la la " * 100)
    page = arrive(width=390, height=844)
    page.set_input_files("#mse-file", tmp_path / "notes.mp3")
    page.wait_for_selector(".mse-drop .mse-status.error")
    box = page.locator(".mse-status.error").bounding_box()
    assert box["y"] + box["height"] < 844


def test_strips_on_one_colour_scale(arrive: Callable[..., Visitor]) -> None:
    page = arrive("?example=plucked&tag=guitar&model=msecnn&tab=why")
    page.wait_for_function("document.querySelector('.mse-strip small')?.textContent.includes('±')")
    pictures = "[...document.querySelectorAll('.mse-strip canvas')].map((canvas) => canvas.toDataURL())"
    notes = page.locator(".mse-strip small").all_inner_texts()
    limits = [float(re.search(r"±([\d.e-]+)", note).group(1)) for note in notes]
    own = page.evaluate(pictures)
    page.get_by_role("checkbox", name="same colour scale for all").check()
    shared = page.evaluate(pictures)
    changed = [before != after for before, after in zip(own, shared, strict=True)]
    assert changed == [limit < max(limits) for limit in limits]
    shares = [float(title.split()[-1].replace("−", "-")) for title in page.locator(".mse-strip span").all_inner_texts()]
    steps = page.locator(".mse-step.up b, .mse-step.down b").all_inner_texts()
    assert shares == [float(step.replace("−", "-")) for step in steps]
