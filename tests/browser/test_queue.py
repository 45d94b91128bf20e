"""Others are before this visitor: the page says at which place it waits, and recovers where it could not even wait."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from running_page import Visitor as Stranger

pytestmark = pytest.mark.browser

Visitor = Any
SLOW = {"model": "msecnn", "tag": "piano", "window": 0, "method": "occlusion", "baseline": "floor"}
#: Asks for more maps, one after the other without waiting, than may wait of one session; how each call ended.
MANY = """(request) => Promise.all([...Array(8).keys()].map((number) =>
    msecnn.call("maps", {...request, token: `t${number}`}).then(() => "answered", (error) => error.reason)))"""
STATUS = "document.querySelector('.mse-status').textContent"


def test_the_page_tells_its_place_and_goes_on_when_its_turn_comes(arrive: Callable[..., Visitor], address: str) -> None:
    stranger = Stranger(address)
    assert "error" not in stranger.ask("open", example="piano")
    page = arrive("?example=piano")
    page.wait_for_selector(".mse-tag")
    for number in range(3):
        stranger.send("faithfulness-check", token=f"stranger-{number}", **SLOW)
    answers = stranger.listen()  # who does not listen has left, and is waited for by nobody
    assert "progress" in next(answers)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download results (zip)").click()
        page.wait_for_function(f"/^Waiting: place \\d in the queue/.test({STATUS})")
    assert download.value.suggested_filename.endswith(".zip")
    assert "Waiting" not in page.evaluate(STATUS)
    answers.close()  # type: ignore[attr-defined]


def test_who_asks_anew_does_not_wait_behind_what_he_asked_before(arrive: Callable[..., Visitor]) -> None:
    page = arrive("?example=piano&model=msecnn&tag=piano&tab=why")
    page.wait_for_selector(".mse-strip")
    assert page.evaluate(MANY, SLOW) == 7 * ["superseded"] + ["answered"]
