"""Each tab on paper: as wide as A4, without what only a hand can use, pictures in proportion, in light colours."""

import re
from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.browser

Visitor = Any
#: What is there once a tab is drawn, and on how many sheets it fits at most.
TABS = {
    "tags": (".mse-tag", 3),
    "why": (".mse-strip small:has-text('±')", 5),
    "network": (".mse-leans", 5),
    "what-if": (".mse-edits .mse-what-if-table", 3),
    "compare": (".mse-pair.total", 5),
    "lessons": (".mse-lesson-card", 3),
}
#: Width that is printed, pixels at 96 dots an inch: 210 mm less two margins of 14 mm.
WIDTH = 688
SEEN = "(element) => element.checkVisibility() && element.getClientRects().length > 0"
STRETCHED = """[...document.querySelectorAll('.mse-stage canvas, .mse-strip canvas')].filter((canvas) => {
    const { width, height } = canvas.getBoundingClientRect();
    const stretched = Math.abs((width * canvas.height) / (height * canvas.width) - 1);
    return canvas.checkVisibility() && width > 0 && stretched > 0.02;
}).length"""


def test_each_tab_prints_on_a4(arrive: Callable[..., Visitor]) -> None:
    page = arrive("?example=plucked&second=piano&tag=guitar&model=msecnn&edits=reverse", dark=True)
    page.wait_for_selector(".mse-tag")
    for tab, (drawn, most) in TABS.items():
        page.evaluate("(tag) => msecnn.showTab(tag)", tab)
        page.wait_for_selector(drawn)
        page.evaluate("scrollTo(0, 600)")
        sheets = page.pdf(format="A4", print_background=True, prefer_css_page_size=True)
        assert len(re.findall(rb"/Type\s*/Page\b", sheets)) <= most, tab
        page.emulate_media(media="print")
        page.set_viewport_size({"width": WIDTH, "height": 1000})
        assert page.evaluate("document.documentElement.scrollWidth") <= WIDTH, tab
        assert page.locator(".mse-player-section canvas.mse-base").first.is_visible(), tab
        assert page.locator(".mse-opened strong").is_visible(), tab
        for only_for_hands in (".mse-button", ".mse-play", ".mse-figure-tools", ".mse-drop", "[role=tab]"):
            assert not page.locator(only_for_hands).evaluate_all(f"(all) => all.some({SEEN})"), (tab, only_for_hands)
        background = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert background == "rgb(255, 255, 255)", tab
        assert page.evaluate(STRETCHED) == 0, tab
        page.emulate_media(media="screen")
        page.set_viewport_size({"width": 1280, "height": 900})


def test_a_dark_page_prints_dark_digits(arrive: Callable[..., Visitor]) -> None:
    page = arrive("?example=plucked", dark=True)
    page.wait_for_selector(".mse-tag")
    digits = """(event) => {
        dispatchEvent(new Event(event));
        return new Promise((resolve) => setTimeout(() => {
            const canvas = document.querySelector(".mse-player-section canvas.mse-base");
            const { data } = canvas.getContext("2d").getImageData(0, 0, 40, canvas.height);
            const opaque = [...data.keys()].filter((i) => i % 4 === 0 && data[i + 3] === 255);
            resolve(Math.min(...opaque.map((i) => data[i])));
        }));
    }"""
    assert page.evaluate(digits, "beforeprint") < 0x80  # the colour of digits on white
    assert page.evaluate(digits, "afterprint") > 0x80
