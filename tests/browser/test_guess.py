"""Guess first: nothing of what the networks say is there before the guess, not even unseen; then both are compared."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import wait_for_recording
from test_accessibility import AXE, FINDINGS

pytestmark = pytest.mark.browser

Visitor = Any
#: All that is written, named, hinted at or filled in on the page, seen or not; scripts and styles are no text of it.
WRITTEN = """() => {
    const texts = [];
    const walk = (node) => {
        if (node.nodeType === Node.TEXT_NODE) texts.push(node.data);
        if (node.nodeType !== Node.ELEMENT_NODE || ["SCRIPT", "STYLE"].includes(node.tagName)) return;
        texts.push(node.value, ...[...node.attributes].map(({ value }) => value));
        node.childNodes.forEach(walk);
    };
    walk(document.body);
    return texts.filter((text) => typeof text === "string").join("\\n");
}"""
#: A share as the page prints it, "75 %"; widths in styles and view boxes have no space before the sign.
SHARE = re.compile(r"\d %")


def says_nothing(page: Visitor) -> None:
    assert page.evaluate("msecnn.state.covered")
    assert not page.locator("#tabs").is_visible()
    assert page.locator(".mse-tag").count() == 0
    assert page.locator(".mse-answer").text_content() == ""
    assert not page.get_by_role("button", name="Share card").is_visible()
    written = page.evaluate(WRITTEN)
    assert not SHARE.search(written), SHARE.search(written)
    for tag in page.evaluate("msecnn.state.models.map(({ tags, probabilities }) => tags[0])"):
        assert f"Both hear {tag}" not in written


def compared(page: Visitor) -> None:
    """The panel tells of each network what the page's own numbers tell."""
    results = page.locator(".mse-guess-result")
    page.wait_for_function(
        "() => document.querySelectorAll('.mse-guess-result button').length === msecnn.state.models.length"
    )
    for which in range(2):
        common, of, only = page.evaluate(
            """(which) => {
                const { families, models, guess } = msecnn.state, { tags, probabilities } = models[which];
                const p = (name) => Math.max(...families[name].map((tag) => probabilities[tags.indexOf(tag)]));
                const told = Object.keys(families).filter((name) => p(name) >= 0.1)
                    .sort((a, b) => p(b) - p(a)).slice(0, 8);
                const only = told.filter((name) => !guess.chosen.includes(name));
                return [told.length - only.length, guess.chosen.length + only.length, only];
            }""",
            which,
        )
        said = results.nth(which).inner_text()
        assert f"In common: {common} of {of} tags." in said
        assert all(f"{name} (" in said for name in only)
        assert re.search(r"it listened most to [\d.]+ to [\d.]+ s, ", said)


def test_a_guess_by_the_keyboard(arrive: Callable[..., Visitor]) -> None:
    page = arrive("?guess=piano", bypass_csp=True)
    page.wait_for_selector(".mse-guess-tags [data-tag=piano]")
    says_nothing(page)
    page.locator(".mse-play").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_function("!msecnn.player.audio.paused")
    says_nothing(page)
    for tag in ("piano", "rock"):
        page.locator(f".mse-guess-tags [data-tag={tag}]").focus()
        page.keyboard.press("Space")
        assert page.evaluate("document.activeElement.dataset.tag") == tag
    says_nothing(page)
    if AXE.exists():
        page.evaluate(AXE.read_text(encoding="utf-8"))
        assert page.evaluate(FINDINGS) == [], "asked"
    page.get_by_role("button", name="Compare", exact=True).focus()
    page.keyboard.press("Enter")
    compared(page)
    assert "rock (" in page.locator(".mse-guess-result").first.inner_text()
    assert page.locator(".mse-tag:visible").count() > 0
    if AXE.exists():
        assert page.evaluate(FINDINGS) == [], "compared"
    page.get_by_role("button", name="End guessing").focus()
    page.keyboard.press("Enter")
    assert page.locator(".mse-lesson-panel").count() == 0


def test_a_recording_of_ones_own_on_a_phone(arrive: Callable[..., Visitor], recordings: Path) -> None:
    page = arrive("?tab=lessons", width=390, height=844, has_touch=True, is_mobile=True)
    page.get_by_role("button", name="Begin to guess").tap()
    page.wait_for_selector(".mse-guess-tags [data-tag=guitar]")
    says_nothing(page)
    with page.expect_file_chooser() as chooser:
        page.locator(".mse-lesson-panel").get_by_role("button", name="Choose a file").tap()
    chooser.value.set_files(recordings / "tune.mp3")
    wait_for_name(page, "tune.mp3")
    says_nothing(page)
    page.locator(".mse-guess-tags [data-tag=techno]").tap()
    page.get_by_role("button", name="Compare", exact=True).tap()
    compared(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.get_by_role("button", name="Another clip").tap()  # it begins anew, and keeps its answer back, too
    page.wait_for_function("msecnn.state.recording.example !== null")
    says_nothing(page)
    page.get_by_role("button", name="End guessing").tap()
    wait_for_recording(page, page.evaluate("msecnn.state.recording.name"))


def wait_for_name(page: Visitor, name: str) -> None:
    page.wait_for_function("(name) => msecnn.state.recording?.name === name", arg=name)
    page.wait_for_selector(".mse-lesson-head:has-text('tune.mp3')")
