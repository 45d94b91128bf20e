"""The first screen: an example is open and answered at once, beside the ways to bring one's own."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import choose, wait_for_recording

pytestmark = pytest.mark.browser

Visitor = Any
EXAMPLES = json.loads((Path(__file__).resolve().parents[2] / "assets/examples/examples.json").read_text("utf-8"))


def top(page: Visitor) -> list[str]:
    """The likeliest tag of each model, by its own numbers."""
    said: list[str] = page.evaluate(
        "msecnn.state.models.map(({ tags, probabilities: p }) => tags[p.indexOf(Math.max(...p))])"
    )
    return said


def test_it_opens_with_an_example_that_is_ready_and_silent(arrive: Callable[..., Visitor]) -> None:
    page = arrive()
    wait_for_recording(page, EXAMPLES[0]["title"])
    assert page.locator(".mse-card").count() == len(EXAMPLES) == 10
    assert page.locator(".mse-card[aria-pressed=true]").get_attribute("data-example") == EXAMPLES[0]["id"]
    assert page.locator(".mse-tag").first.locator(".mse-bar").count() == 2
    page.wait_for_function("msecnn.player.decoded && msecnn.player.audio.readyState >= 1")
    assert page.evaluate("msecnn.player.audio.paused")
    assert page.get_by_role("button", name="Choose a file").first.is_visible()
    assert page.get_by_role("button", name="Record").is_visible()
    page.get_by_role("button", name="Play", exact=True).first.click()
    page.wait_for_function("msecnn.player.now() > 0.1")


@pytest.mark.parametrize("width", [1440, 1024, 390])
def test_the_answer_is_in_view_before_any_difference(arrive: Callable[..., Visitor], width: int) -> None:
    page = arrive(width=width, height=844 if width == 390 else 900)
    wait_for_recording(page, EXAMPLES[0]["title"])
    answer, difference = page.locator(".mse-answer"), page.locator(".mse-sentence:visible").first
    assert re.fullmatch(r"Both hear \w+(, then [\w, ]+)?\.", answer.inner_text())
    assert [answer.locator("strong").inner_text()] * 2 == top(page)
    box = answer.bounding_box()
    assert box["y"] + box["height"] < page.viewport_size["height"]
    assert box["y"] < difference.bounding_box()["y"]
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_what_both_hear_both_call_likely(arrive: Callable[..., Visitor]) -> None:
    """The sentence of every example against the numbers below it."""
    page = arrive()
    for example in EXAMPLES:
        page.locator(f".mse-card[data-example={example['id']}]").click()
        wait_for_recording(page, example["title"])
        sentence, families = page.locator(".mse-answer").inner_text(), page.evaluate("msecnn.state.families")
        models = page.evaluate(
            "msecnn.state.models.map((m) => Object.fromEntries(m.tags.map((t, k) => [t, m.probabilities[k]])))"
        )
        joint = re.search(r"Both hear ([\w ,]+)\.", sentence)
        for name in re.split(r", then |, ", joint.group(1)) if joint else ():
            assert all(max(model[tag] for tag in families[name]) >= 0.1 for model in models), (sentence, name)


def test_an_example_is_tagged_once_for_everybody(arrive: Callable[..., Visitor]) -> None:
    first = arrive("?example=ambient")
    wait_for_recording(first, "Cave Theme")
    second = arrive("?example=ambient")
    wait_for_recording(second, "Cave Theme")
    numbers = [page.evaluate("msecnn.state.models.map((m) => m.probabilities)") for page in (first, second)]
    assert numbers[0] == numbers[1]
    for page in (first, second):  # each has a session of its own
        page.evaluate("msecnn.call('winning-cells', { model: 'msecnn', tag: 'ambient', window: 0 })")
        page.wait_for_function("msecnn.player.audio.readyState >= 1")


def test_another_recording_in_the_address_wins(arrive: Callable[..., Visitor]) -> None:
    page = arrive("?example=piano&tab=why")
    wait_for_recording(page, "Town Theme")
    page.wait_for_selector(".mse-why .mse-sentence:has-text('gives')")
    lesson = arrive("?lesson=mel")
    lesson.wait_for_function("window.msecnn?.state?.recording?.name === 'Town Theme'")  # its tags are kept back


class TestKeeping:
    def test_back_undoes_a_step_and_stays_in_the_app(self, arrive: Callable[..., Visitor]) -> None:
        page = arrive()
        wait_for_recording(page, EXAMPLES[0]["title"])
        page.locator(".mse-card[data-example=piano]").click()
        wait_for_recording(page, "Town Theme")
        page.locator(".mse-tag").first.click()
        page.wait_for_selector(".mse-why .mse-sentence:has-text('gives')")
        page.wait_for_function("location.search.includes('tab=why')")
        page.go_back()
        page.wait_for_function("msecnn.state.tab === 'tags' && msecnn.state.recording.example === 'piano'")
        page.go_back()
        wait_for_recording(page, EXAMPLES[0]["title"])
        page.go_forward()
        wait_for_recording(page, "Town Theme")

    def test_an_own_file_survives_a_reload(self, upload: Callable[..., Visitor]) -> None:
        page = upload("tune.mp3")
        numbers = page.evaluate("msecnn.state.models.map((model) => model.probabilities)")
        page.reload()
        wait_for_recording(page, "tune.mp3")
        assert page.evaluate("msecnn.state.models.map((model) => model.probabilities)") == numbers
        page.wait_for_function("msecnn.player.audio.readyState >= 1")  # its sound now comes from the server
        assert "tune" not in page.url

    def test_a_file_that_the_server_has_no_more_is_said(self, upload: Callable[..., Visitor]) -> None:
        page = upload("tune.mp3")
        page.evaluate(
            """() => {
                const own = { path: history.state.own.path.replace('tune', 'gone'), name: 'tune.mp3' };
                history.replaceState({ own }, '', location.href);
            }"""
        )
        page.reload()
        page.wait_for_selector(".mse-status.error:has-text('tune.mp3 is no longer on this page')")
        wait_for_recording(page, EXAMPLES[0]["title"])

    def test_two_models_never_become_one_twice(self, upload: Callable[..., Visitor]) -> None:
        page = upload("tune.mp3")
        choose(page, "Model 2", "FCN-5")
        page.wait_for_function("msecnn.state.models.map((model) => model.name).join() === 'msecnn,fcn5'")
