"""Lessons: every step shows something that exists; in Chromium they drive the page."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from msecnn.explain import METHODS
from msecnn.tags import MAGNATAGATUNE_TAGS

Visitor = Any
ASSETS = Path(__file__).resolve().parents[2] / "assets"
LESSONS = json.loads((ASSETS / "lessons.json").read_text(encoding="utf-8"))
SCALES = ("input", "level1", "level2", "level3", "level4", "level5")


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson["id"])
def test_every_step_shows_what_exists(lesson: dict[str, Any]) -> None:
    from msecnn.ui.page import TABS

    examples = {example["id"] for example in json.loads((ASSETS / "examples/examples.json").read_text("utf-8"))}
    for step in lesson["steps"]:
        show = step["show"]
        assert set(show) <= {"example", "tab", "model", "tag", "seek", "why", "network", "look"}
        assert show["example"] in examples
        assert show["tab"] in {name for name, _, _ in TABS}
        assert show.get("tag", "guitar") in MAGNATAGATUNE_TAGS
        assert show.get("model", "fcn5") in ("fcn5", "msecnn")
        assert show.get("why", {}).get("method", "gradient") in METHODS
        assert set(show.get("network", {}).get("off", ())) <= set(SCALES)
        assert show.get("network", {}).get("level", "input") in SCALES
        assert step["question"].strip().endswith(("?", "."))


@pytest.mark.browser
class TestInChromium:
    def test_a_lesson_drives_the_page_and_keeps_the_answers(self, arrive: Callable[..., Visitor]) -> None:
        page = arrive()
        page.get_by_role("tab", name="Lessons").click()
        page.get_by_role("button", name="Does timbre reach the last layer?").click()
        page.wait_for_selector(".mse-leans")
        assert page.locator(".mse-switch[data-scale]").count() == 1  # FCN-5
        page.get_by_label("Your answer").fill("Guitar, I guess.")
        page.get_by_role("button", name="Next").click()
        page.wait_for_function("document.querySelectorAll('.mse-switch[aria-checked=false][data-scale]').length === 4")
        assert "lesson=timbre" in page.url
        assert "step=1" in page.url
        page.reload()
        page.wait_for_function("document.querySelectorAll('.mse-switch[aria-checked=false][data-scale]').length === 4")
        page.get_by_role("button", name="Back").click()
        page.wait_for_selector(".mse-lesson-foot:has-text('1 of 4')")
        assert page.get_by_label("Your answer").input_value() == "Guitar, I guess."
        page.get_by_role("button", name="End the lesson").click()
        page.wait_for_selector(".mse-lesson-card:has-text('1 of 4 answered')")

    def test_a_lesson_chooses_method_and_sound(self, arrive: Callable[..., Visitor]) -> None:
        page = arrive("?lesson=levels&step=1")
        page.wait_for_selector("label.selected:has(input[value='scale:level2'])")
        assert page.get_by_role("combobox", name="Tag").input_value().startswith("guitar ")

    @pytest.mark.parametrize("tab", ["why", "network"])
    def test_a_step_whose_question_fails_does_not_wait_for_ever(self, arrive: Callable[..., Visitor], tab: str) -> None:
        page = arrive(f"?example=piano&tag=piano&tab={tab}")
        page.wait_for_selector(".mse-sentence:visible, .mse-level-card:visible")
        page.route("**/queue/join*", lambda route: route.fulfill(status=503, json={"detail": "Queue is full."}))
        ended = page.evaluate(
            """async (tab) => {
                msecnn.set({ model: msecnn.state.models.find((model) => model.name !== msecnn.state.model).name });
                const late = new Promise((resolve) => setTimeout(resolve, 5000, "waits for ever"));
                return Promise.race([msecnn[tab].show({}).then(() => "ended"), late]);
            }""",
            tab,
        )
        assert ended == "ended"
        refusal = "document.body.innerText.includes('did not take this request')"
        page.wait_for_function(refusal)
        page.unroute("**/queue/join*")
        page.evaluate("(tab) => msecnn[tab].show({})", tab)  # asked again, it is shown
        page.wait_for_function(f"!{refusal}")

    def test_a_phone_keeps_the_lesson_in_view(self, arrive: Callable[..., Visitor]) -> None:
        page = arrive("?lesson=mel", width=390, height=844, has_touch=True, is_mobile=True)
        page.wait_for_selector(".mse-tag")
        box = page.locator(".mse-lesson-panel").bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
        assert box["y"] > 844 / 2
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
