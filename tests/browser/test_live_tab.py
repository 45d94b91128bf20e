"""Live with Chromium's made-up microphone: the bars follow a known sound, and it ends with the tab."""

from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.browser

Visitor = Any
#: Whether something bright is among the spectrogram's newest columns.
NEWEST = """() => {
    const canvas = document.querySelector(".mse-rolling"), { width, height } = canvas;
    const { data } = canvas.getContext("2d").getImageData(width - 40, 0, 40, height);
    return [...data].some((value) => value > 60 && value < 255);
}"""
NO_MICROPHONE = """() => {
    navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("", "NotFoundError"));
}"""


def test_the_microphone_is_tagged_until_it_is_stopped(arrive: Callable[..., Visitor]) -> None:
    page = arrive("?example=piano&tab=live")
    page.get_by_role("button", name="Start listening").click()
    page.wait_for_selector(".mse-live-tags .mse-tag")
    page.wait_for_function("msecnn.live.latencies.length >= 4")
    assert page.locator(".mse-live-tags .mse-tag").count() == 8
    assert page.locator(".mse-live-scales .mse-step").count() == 6
    page.wait_for_selector(".mse-live .mse-status:has-text('repeated until they fill')")
    newest = page.evaluate(NEWEST)
    assert newest
    page.evaluate("msecnn.showTab('tags')")
    page.wait_for_timeout(500)
    n_updates = page.evaluate("msecnn.live.latencies.length")
    page.wait_for_timeout(800)
    assert page.evaluate("msecnn.live.latencies.length") == n_updates
    page.evaluate("msecnn.showTab('live')")
    page.wait_for_selector(".mse-live .mse-status:has-text('Stopped. Nothing of the sound was kept.')")


def test_without_a_microphone_there_is_a_sentence(arrive: Callable[..., Visitor]) -> None:
    page = arrive("?example=piano&tab=live")
    page.evaluate(NO_MICROPHONE)
    page.get_by_role("button", name="Start listening").click()
    page.wait_for_selector(".mse-live .mse-status.error:has-text('No microphone was found.')")
    assert page.get_by_role("button", name="Start listening").is_visible()
