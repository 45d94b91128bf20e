"""A lecturer and two phones in one room, each in a browser of its own; and the room's benchmark, small."""

import asyncio
import re
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from running_page import RunningPage

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))

import room as benchmark

pytestmark = pytest.mark.browser

PHONE = {"width": 390, "height": 844}
FOLLOWS = "(id) => window.msecnn?.state?.recording?.example === id"


@pytest.fixture(scope="module")
def class_page() -> Iterator[RunningPage]:
    with RunningPage("--class") as page:
        yield page
    assert "Traceback" not in "".join(page.log)


@pytest.fixture
def arrive(chromium: Any, class_page: RunningPage) -> Iterator[Callable[..., Any]]:
    """Somebody with a browser of their own comes to an address of the page."""
    contexts, errors = [], []

    def visitor(path: str, **options: Any) -> Any:
        context = chromium.new_context(**options)
        contexts.append(context)
        context.set_default_timeout(60_000)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(class_page.address + path)
        page.wait_for_selector(".mse-opened:visible")
        return page

    yield visitor
    for context in contexts:
        context.close()
    assert not errors, "errors in the page's scripts"


def test_a_class(arrive: Callable[..., Any], class_page: RunningPage) -> None:
    lead = arrive(f"?example=piano#lead={benchmark.secret_of(class_page)}", viewport={"width": 1280, "height": 900})
    code = lead.locator(".mse-room-lead .mse-room-code").inner_text()
    assert "lead" not in lead.url, "the secret would be in a copied link"
    assert lead.locator(".mse-room-lead .mse-room-qr").get_attribute("aria-label").startswith("QR picture of http")

    # By the picture, and by hand; both are where the lecturer is.
    one, two = arrive(f"?room={code}", viewport=PHONE), arrive("room", viewport=PHONE, locale="de")
    two.get_by_label("Code des Raums").fill(code.lower())
    two.keyboard.press("Enter")
    for phone in (one, two):
        phone.wait_for_function(FOLLOWS, arg="piano")
    lead.get_by_text("2 phones are here").first.wait_for()

    # The view: example, tag, tab and playhead.
    lead.locator('.mse-card[data-example="metal"]').click()
    lead.wait_for_function(FOLLOWS, arg="metal")
    lead.evaluate("msecnn.set({ tag: 'drums' }); msecnn.showTab('why'); msecnn.player.seek(12.5)")
    for phone in (one, two):
        phone.wait_for_function(FOLLOWS, arg="metal")
        phone.wait_for_function("msecnn.state.tag === 'drums' && msecnn.state.tab === 'why'")
        phone.wait_for_function("Math.abs(msecnn.player.now() - 12.5) < 0.3")
    lead.evaluate("msecnn.showTab('tags')")

    # Who does not follow stays; who follows again is where the lecturer is.
    one.wait_for_function("msecnn.state.tab === 'tags'")
    one.get_by_role("switch", name="Follow").click()
    lead.locator('.mse-card[data-example="piano"]').click()
    two.wait_for_function(FOLLOWS, arg="piano")
    assert one.evaluate(FOLLOWS, "metal")
    one.get_by_role("switch", name="Follow").click()
    one.wait_for_function(FOLLOWS, arg="piano")

    # A question: one phone answers at a tap and one by keyboard; an answer may change, and outlives a reload.
    lead.get_by_label("A question about").select_option(label="Tags")
    lead.get_by_label("Choices, one a line").fill("piano\nguitar\ndrums")
    lead.get_by_role("button", name="Ask the room").click()
    one.get_by_role("radio", name="drums").check()
    one.get_by_text("Your answer: drums. You may change it.").wait_for()
    two.get_by_role("radio", name="piano").focus()
    two.keyboard.press("Space")
    two.get_by_text("Ihre Antwort: piano.").wait_for()
    one.get_by_role("radio", name="guitar").check()
    one.get_by_text("Your answer: guitar.").wait_for()
    one.reload()
    assert one.get_by_role("radio", name="guitar").is_checked()
    assert "MsE-CNN" not in one.locator(".mse-room-phone").inner_text(), "the networks' answer would be a hint"
    lead.get_by_text("2 answers so far, and the networks'").click()
    cells = lead.locator(".mse-room-lead tbody tr").all_inner_texts()
    assert [re.split(r"\s+", row)[:2] for row in cells] == [["piano", "1"], ["guitar", "1"], ["drums", "0"]]
    probabilities = lead.evaluate("msecnn.state.models.map((m) => m.probabilities[m.tags.indexOf('piano')])")
    shown = [float(text) / 100 for text in re.findall(r"([\d.]+) %", cells[0])[1:]]
    assert shown == pytest.approx(probabilities, abs=0.006), "the networks' figures are the page's own"
    lead.get_by_role("button", name="Show the answers to all").click()
    one.get_by_role("columnheader", name="MsE-CNN").wait_for()
    assert one.evaluate("document.documentElement.scrollWidth") <= 390
    lead.get_by_role("button", name="For the projector").click()
    screen = lead.get_by_role("dialog", name="The room on a projector")
    assert code in screen.inner_text()
    assert screen.get_by_role("columnheader", name="Room").is_visible()
    lead.keyboard.press("Escape")

    # What the networks say to the other questions.
    for kind, title in (("A scale", "Level 5"), ("A second of the recording", "Number"), ("A probability", "Number")):
        lead.get_by_role("button", name="Another question").click()
        lead.get_by_label("A question about").select_option(label=kind)
        lead.get_by_role("button", name="Ask the room").click()
        lead.get_by_text("0 answers so far").wait_for()
        assert title in lead.locator(".mse-room-lead table").inner_text()
        assert "MsE-CNN" in lead.locator(".mse-room-lead thead").inner_text()
    one.get_by_role("slider", name="Your number").fill("40")
    one.get_by_role("button", name="Answer").click()
    one.get_by_text("Your answer: 40 %.").wait_for()

    # The end.
    lead.get_by_role("button", name="End the room").click()
    one.get_by_text("The room has ended, and nothing of it is kept.").wait_for()
    two.get_by_text("Der Raum ist beendet, und nichts davon wird aufbewahrt.").wait_for()
    assert one.evaluate("localStorage.getItem('msecnn-room')") is None
    lead.get_by_role("button", name="Open a new room").click()
    lead.locator(".mse-room-lead .mse-room-code").wait_for()
    assert lead.locator(".mse-room-lead .mse-room-code").inner_text() != code


def test_an_own_recording_stays_whose_it_is(
    arrive: Callable[..., Any], class_page: RunningPage, recordings: Path
) -> None:
    lead = arrive(f"?example=piano#lead={benchmark.secret_of(class_page)}")
    code = lead.locator(".mse-room-lead .mse-room-code").inner_text()
    one, two = arrive(f"?room={code}", viewport=PHONE), arrive(f"?room={code}", viewport=PHONE)
    two.set_input_files("#mse-file", recordings / "tune.mp3")
    for page, name in ((two, "tune.mp3"), (lead, "long.mp3")):
        page.set_input_files("#mse-file", recordings / name)
        page.wait_for_function("(name) => msecnn.state.recording?.name === name", arg=name)
    one.get_by_text("The lecturer shows a recording of their own").wait_for()
    lead.get_by_text("This recording is yours alone").wait_for()
    assert one.evaluate(FOLLOWS, "piano")
    lead.locator('.mse-card[data-example="metal"]').click()
    one.wait_for_function(FOLLOWS, arg="metal")
    two.get_by_text("You have something of your own open").wait_for()
    assert two.evaluate("msecnn.state.recording.name") == "tune.mp3"


def test_no_answer_is_lost_and_every_phone_follows(class_page: RunningPage) -> None:
    with ThreadPoolExecutor(1) as thread:  # in this one Playwright's loop runs
        rounds = benchmark.measure(class_page, n_phones=9, n_rounds=3, n_opening=1)
        measured = thread.submit(asyncio.run, rounds).result()
    assert (measured.n_answers, measured.n_wrong_counts) == (27, 0)
    assert len(measured.ask_s) == 27
    assert "0 lost" in benchmark.table(measured, 9, 3)


def test_without_class_there_is_no_room(address: str) -> None:
    for path in ("room", "msecnn/room/state", "msecnn/room/lead-state"):
        assert "room" not in httpx.get(address + path, headers={"Room-Key": "x"}).text.lower()[:200]
        assert httpx.get(address + path).status_code == 404
    assert httpx.post(f"{address}msecnn/room/join", json={"code": "BBBBB"}).status_code in (404, 405)
    assert re.search(r'\\*"room\\*": ?null', httpx.get(address).text)
