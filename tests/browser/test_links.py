"""A link restores all that was chosen, also out of another page's frame, whose address the page cannot write."""

import contextlib
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from conftest import choose

from msecnn.ui.explanation_choices import METHOD_WORDS

pytestmark = pytest.mark.browser

Visitor = Any
COPY = "button:text-is('Copy link')"
GRADIENT_X_INPUT = METHOD_WORDS["gradient_x_input"][0]
HUB = "https://huggingface.co/spaces/somebody/tags/"
#: What a Space's page does with what the page in its frame tells it; it allows the frame no clipboard.
SPACE = """<!doctype html><script>addEventListener("message", ({{ data }}) => {{
    if (data.queryString !== undefined) history.replaceState(null, "", location.pathname + data.queryString);
}});</script><iframe src="{page}" width="1200" height="850"></iframe>"""


def copied(page: Visitor) -> str:
    """The link that the button copies, read as text that is pasted; the clipboard is opened for that."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.locator(COPY).click()
    page.wait_for_selector(".mse-share :text('Copied')")
    return str(page.evaluate("navigator.clipboard.readText()"))


def asked(link: str) -> dict[str, str]:
    return {key: value for key, (value,) in parse_qs(urlsplit(link).query).items()}


def again(arrive: Callable[..., Visitor], link: str) -> Visitor:
    return arrive("?" + urlsplit(link).query)


def test_there_is_nothing_to_copy_before_anything_is_open(arrive: Callable[..., Visitor]) -> None:
    page = arrive()
    page.wait_for_selector(".mse-answer")
    assert page.locator(COPY).is_visible()
    page.evaluate("document.body.classList.remove('mse-open')")  # as it is until the first example is open
    assert not page.locator(COPY).is_visible()


def test_the_link_restores_order_method_baseline_and_cells(arrive: Callable[..., Visitor]) -> None:
    page = arrive("?example=piano&models=fcn5,msecnn")
    page.wait_for_selector(".mse-tag")
    page.get_by_role("radio", name="difference", exact=True).check()
    page.evaluate("msecnn.showTab('why')")
    page.wait_for_selector(".mse-waterfall")
    choose(page, "Method", GRADIENT_X_INPUT)
    baseline = page.evaluate("msecnn.offered.explanation.baselines[2]")
    choose(page, "Baseline", baseline["title"])
    page.get_by_role("checkbox", name="winning cells").uncheck()
    link = copied(page)
    assert asked(link).items() >= {
        "example": "piano", "tab": "why", "order": "difference", "method": "gradient_x_input", "cells": "0",
        "baseline": baseline["name"],
    }.items()  # fmt: skip

    other = again(arrive, link)
    other.wait_for_selector(".mse-strip small:has-text('±')")
    assert other.get_by_label("Method").input_value().startswith(GRADIENT_X_INPUT)
    assert other.get_by_label("Baseline").input_value() == baseline["title"]
    assert not other.get_by_role("checkbox", name="winning cells").is_checked()
    other.evaluate("msecnn.showTab('tags')")
    assert other.get_by_role("radio", name="difference", exact=True).is_checked()
    assert {**asked(copied(other)), "tab": "why"} == asked(link)


def test_the_link_restores_switches_random_weights_level_and_channel(arrive: Callable[..., Visitor]) -> None:
    page = arrive("?example=piano&model=msecnn&tag=piano&tab=network")
    page.wait_for_selector(".mse-network-table td")
    page.evaluate("msecnn.network.show({random: true, off: ['input', 'level3'], level: 'level2', channel: 7})")
    page.wait_for_selector("h3:has-text('Level 2, channel 8')")
    link = copied(page)
    assert asked(link).items() >= {"random": "1", "off": "input,level3", "level": "level2", "channel": "7"}.items()

    other = again(arrive, link)
    other.wait_for_selector("h3:has-text('Level 2, channel 8')")
    other.wait_for_selector(".mse-sentence:has-text('Random weights. MsE-CNN without')")
    assert asked(copied(other)) == asked(link)
    # Also where the link opens another tab first, and is copied on from there.
    elsewhere = again(arrive, link.replace("tab=network", "tab=why"))
    elsewhere.wait_for_selector(".mse-waterfall")
    assert asked(copied(elsewhere)) == asked(link) | {"tab": "why"}
    elsewhere.evaluate("msecnn.showTab('network')")
    elsewhere.wait_for_selector("h3:has-text('Level 2, channel 8')")
    elsewhere.wait_for_selector(".mse-sentence:has-text('Random weights. MsE-CNN without')")


def test_a_link_of_what_was_not_changed_is_short(arrive: Callable[..., Visitor]) -> None:
    page = arrive("?example=piano&models=fcn5,msecnn&method=nonsense&channel=x&order=__proto__&cells=2&__sign=secret")
    page.wait_for_selector(".mse-tag")
    assert asked(copied(page)) == {"example": "piano", "models": "fcn5,msecnn"}


def test_a_link_says_that_an_own_recording_is_not_in_it(upload: Callable[..., Visitor]) -> None:
    page = upload("tune.mp3")
    assert "tune" not in copied(page)
    assert "without your recording" in page.locator(".mse-share").inner_text()


def test_in_a_space_the_link_is_copied_and_the_parent_is_told(chromium: Any, address: str) -> None:
    """The Hub's own page is made up here, so nothing leaves this machine; its address is the real one."""
    context = chromium.new_context()
    context.set_default_timeout(60_000)

    def hub(route: Any) -> None:
        query = urlsplit(route.request.url).query
        route.fulfill(content_type="text/html", body=SPACE.format(page=address + (f"?{query}" if query else "")))

    context.route(HUB + "**", hub)
    with contextlib.suppress(Exception):  # a Chromium that has no such permission needs none
        context.grant_permissions(["local-network-access"])
    page = context.new_page()
    page.goto(HUB + "?example=piano&tag=piano&tab=why")
    frame = page.frame_locator("iframe")
    frame.locator(".mse-waterfall").wait_for()
    choose(frame, "Method", GRADIENT_X_INPUT)
    page.wait_for_url("**/?*method=gradient_x_input*")  # the parent's address, which the frame cannot write
    parent = asked(page.url)
    frame.locator(COPY).click()
    frame.locator(".mse-share :text('Copied')").wait_for()  # without the clipboard's permission: of a selection
    page.evaluate("document.body.append(document.createElement('textarea'))")
    page.locator("textarea").focus()
    page.keyboard.press("Control+V")
    link = page.locator("textarea").input_value()
    assert link.startswith(address)
    assert asked(link) == parent
    page.reload()
    frame.locator(".mse-strip small", has_text="±").first.wait_for()
    assert frame.get_by_label("Method").input_value().startswith(GRADIENT_X_INPUT)
    context.close()


def test_where_nothing_may_be_copied_the_link_is_shown(arrive: Callable[..., Visitor]) -> None:
    page = arrive("?example=piano")
    page.wait_for_selector(".mse-tag")
    page.evaluate("document.execCommand = () => false")
    page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    page.locator(COPY).click()
    assert asked(page.get_by_label("Link", exact=True).input_value())["example"] == "piano"
