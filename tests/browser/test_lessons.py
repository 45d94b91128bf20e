"""Lessons in Chromium: every step of each is walked, looked at in three sizes, answered, and kept."""

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from conftest import choose
from playwright.sync_api import TimeoutError
from test_accessibility import AXE, FINDINGS

pytestmark = pytest.mark.browser

Visitor = Any
ASSETS = Path(__file__).resolve().parents[2] / "assets"
LESSONS = json.loads((ASSETS / "lessons.json").read_text(encoding="utf-8"))
#: A phone, a laptop at 200 %, and the one in which the lessons are walked: a small laptop.
SIZES = ((390, 844), (720, 450), (1024, 768))
#: Where the panel, the player's button and the outlined subject are, once scrolling has come to rest.
PLACES = """async () => {
    const still = () => new Promise((resolve) => {
        let before = NaN, same = 0;
        const look = () => {
            same = scrollY === before ? same + 1 : 0;
            before = scrollY;
            if (same > 4) resolve();
            else requestAnimationFrame(look);
        };
        look();
    });
    await still();
    const box = (element) => {
        const { left, top, right, bottom } = element.getBoundingClientRect();
        return { left, top, right, bottom };
    };
    const play = [...document.querySelectorAll(".mse-play")].find((button) => button.offsetParent);
    const { left, top, width, height } = play.getBoundingClientRect();
    const hit = document.elementFromPoint(left + width / 2, top + height / 2);
    const subjects = [...document.querySelectorAll("*")].filter((element) =>
        element.offsetParent && getComputedStyle(element).outlineWidth === "3px"
        && getComputedStyle(element).outlineStyle === "solid" && element !== document.activeElement);
    return { panel: box(document.querySelector(".mse-lesson-panel")), isPlayFree: play.contains(hit),
        isPlayOut: hit === null,
        subjects: subjects.map(box), width: innerWidth, height: innerHeight,
        pageWidth: document.documentElement.scrollWidth };
}"""

#: To the outlined subject again, as the page does it at a step's start: the player's place may hold the small one.
SCROLL = """() => {
    const [selector] = document.querySelector("style[data-outline]").textContent.split("{");
    const outlined = document.querySelector(selector);
    (outlined.closest("#mount-player") ?? outlined).scrollIntoView({ block: "start" });
}"""


def act(page: Visitor, task: dict[str, Any]) -> None:
    """Does what a step waits for, with a visitor's clicks."""
    name, of = task["act"], task.get("of", {})
    if name == "play":
        page.locator(".mse-play").first.click()
    elif name == "seek_blind":
        box = page.locator(".mse-top").first.bounding_box()
        page.mouse.click(box["x"] + box["width"] * 0.96, box["y"] + box["height"] / 2)
    elif name == "open_level":
        page.locator(f".mse-level-card[data-level={of['scale']}]").click()
    elif name == "open_channel":
        page.locator(".mse-channel-tile").first.click()
    elif name == "switch_off":
        for scale in of["off"]:
            page.locator(f".mse-switch[data-scale={scale}]").click()
    elif name == "method":
        choose(page, "Method", "Gradient × input")
    elif name == "listen":
        page.locator(f"#why-listen label:has(input[value='{of['sound']}'])").click()
    elif name == "check":
        page.get_by_role("button", name="Check this explanation").click()
    elif name == "sort":
        choice = page.locator(f"label:has(input[type=radio][value={of['by']}])").first
        choice.click()
        with suppress(TimeoutError):  # Gradio draws a tab's controls as it opens; a click in that moment is lost
            page.wait_for_selector(".mse-lesson-task.done", timeout=5_000)
            return
        choice.click()
    elif name == "another_example":
        page.locator("[data-example=piano]").click()
    elif of["edit"] == "remove":
        page.get_by_role("button", name="What if …", exact=True).click()
        page.get_by_role("button", name="Without this", exact=True).click()
    else:
        kind, _, value = of["edit"].partition("=")
        page.locator(".mse-edit-form select").first.select_option(kind)
        page.locator(".mse-edit-form input").first.fill(value)
        page.get_by_role("button", name="Add edit", exact=True).click()


def answer(page: Visitor, step: dict[str, Any]) -> None:
    """Answers rightly; a prediction is made before the page shows what it is checked against."""
    kind, panel = step["ask"]["kind"], page.locator(".mse-lesson-panel")
    if step.get("predict"):
        if kind == "choose-seconds":
            panel.get_by_role("button", name="Take the player's place").click()
        else:
            panel.locator("[data-option]").first.click()
        return
    page.wait_for_function("() => msecnn.lessons.key()")
    key = page.evaluate("() => msecnn.lessons.key()")
    if kind == "number":
        panel.locator("form input").fill(f"{key['value']:.3f}")
        panel.get_by_role("button", name="Check", exact=True).click()
    else:
        panel.locator(f'[data-option="{key["names"][0]}"]').click()


def is_in_view(page: Visitor, where: str, *, shown: bool = True) -> None:
    """The panel is whole, the player's button free, and what was just shown outlined in what is left of the page."""
    places = page.evaluate(PLACES)
    panel, width, height = places["panel"], places["width"], places["height"]
    wide = width > 640
    assert panel["left"] >= 0, where
    assert panel["top"] >= 0, where
    assert panel["right"] <= width, where
    assert panel["bottom"] <= height, where
    assert places["isPlayFree"] or (places["isPlayOut"] and not shown), where
    assert places["pageWidth"] <= width, where
    if not shown:
        return
    assert len(places["subjects"]) == 1, where
    [subject] = places["subjects"]
    bottom = height if wide else panel["top"]
    assert subject["top"] < bottom - 40, where
    assert subject["bottom"] > 90, where  # below the small player
    if wide:
        assert subject["left"] < panel["left"], where


def is_in_view_in_all_sizes(page: Visitor, where: str, *, shown: bool = True) -> None:
    """The size it is walked in last: what the page has scrolled there itself is looked at before."""
    is_in_view(page, where, shown=shown)
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        if shown:
            page.evaluate(SCROLL)
        is_in_view(page, f"{where}, {width} px", shown=shown)


def test_every_step_of_every_lesson_is_walked(arrive: Callable[..., Visitor]) -> None:
    width, height = SIZES[-1]
    page = arrive(f"?lesson={LESSONS[0]['id']}", width=width, height=height, reduced_motion="reduce")
    for lesson in LESSONS:
        for number, step in enumerate(lesson["steps"]):
            where = f"{lesson['id']}, step {number + 1}"
            print(where)  # a step whose task does not end names itself
            page.wait_for_selector(f".mse-lesson-foot:has-text('{number + 1} of {len(lesson['steps'])}')")
            page.wait_for_function(
                "([id, step]) => msecnn.state.lesson.id === id && msecnn.state.lesson.step === step"
                " && document.querySelector('style[data-outline]')?.textContent",
                arg=[lesson["id"], number],
            )
            is_in_view_in_all_sizes(page, where)
            if step.get("predict"):
                assert page.locator(".mse-tag:visible, .mse-waterfall:visible, .mse-answer:visible").count() == 0, where
            if task := step.get("do"):
                assert page.locator(".mse-check:disabled").count() == 1, where
                act(page, task)
                page.wait_for_selector(".mse-lesson-task.done", timeout=120_000)
            answer(page, step)
            page.wait_for_selector(".mse-check-right, .mse-check-wrong", timeout=180_000)
            page.wait_for_selector(".mse-model-answer")
            assert "{key}" not in page.locator(".mse-model-answer").inner_text(), where
            if not step.get("predict"):
                assert page.locator(".mse-check-right").count() == 1, where
            page.evaluate("msecnn.player.pause()")
            is_in_view_in_all_sizes(page, f"{where}, answered", shown=step.get("predict", False))
            last = number == len(lesson["steps"]) - 1
            if not last:
                page.get_by_role("button", name="Next", exact=True).click()
            elif lesson is not LESSONS[-1]:
                page.get_by_role("button", name="Next lesson: ").click()
    page.get_by_role("button", name="End the lesson").click()
    page.wait_for_selector(".mse-lesson-card")
    done = page.locator(".mse-lesson-card small").all_inner_texts()
    assert done == [f"{len(lesson['steps'])} of {len(lesson['steps'])} answered" for lesson in LESSONS]


class TestInChromium:
    def test_a_lesson_drives_the_page_and_keeps_the_answers(self, arrive: Callable[..., Visitor]) -> None:
        page = arrive()
        page.get_by_role("tab", name="Lessons").click()
        page.get_by_role("button", name="Does timbre reach the last layer?").click()
        page.locator("[data-option=slow]").click()  # a prediction, made before the bars are shown
        page.wait_for_selector(".mse-check-wrong:has-text('Your answer: slow. Not quite.')")
        page.wait_for_function("document.querySelectorAll('.mse-switch[aria-checked=false][data-scale]').length === 4")
        page.get_by_label("Your answer").fill("Guitar, I guess.")
        page.get_by_role("button", name="Next").click()
        page.wait_for_function("document.querySelectorAll('.mse-switch[aria-checked=true][data-scale]').length === 6")
        assert "lesson=timbre" in page.url
        assert "step=1" in page.url
        assert page.locator(".mse-check:disabled").count() == 1
        page.reload()
        page.wait_for_function("document.querySelectorAll('.mse-switch[aria-checked=true][data-scale]').length === 6")
        for scale in ("level4", "level5"):
            page.locator(f".mse-switch[data-scale={scale}]").click()
        field = page.locator(".mse-lesson-panel form input")
        field.fill("99")
        field.press("Enter")
        page.wait_for_selector(".mse-check-wrong:has-text('Not yet.')")
        page.get_by_text("Model answer", exact=True).click()
        bar = page.locator(".mse-network-bars .mse-tag[data-tag=guitar] b").first.inner_text()
        said = page.locator(".mse-model-answer").inner_text()
        assert float(said.split(" %")[0]) == pytest.approx(float(bar.removesuffix(" %")), abs=0.5)
        field.fill(bar)  # with its unit, as it stands there
        field.press("Enter")
        page.wait_for_selector(".mse-check-right")
        page.get_by_role("button", name="Back").click()
        page.wait_for_selector(".mse-lesson-foot:has-text('1 of 3')")
        assert page.get_by_label("Your answer").input_value() == "Guitar, I guess."
        page.wait_for_selector(".mse-check-wrong:has-text('slow')")  # it was predicted once
        page.get_by_role("button", name="End the lesson").click()
        page.wait_for_selector(".mse-lesson-card:has-text('2 of 3 answered')")
        page.get_by_role("button", name="Forget all answers").click()
        page.wait_for_selector(".mse-lesson-card[data-lesson=timbre]:has-text('3 steps')")

    def test_the_panel_becomes_small(self, arrive: Callable[..., Visitor]) -> None:
        page = arrive("?lesson=mel&step=1", width=390, height=844)
        page.wait_for_selector(".mse-lesson-foot")
        size = page.get_by_role("button", name="Show the panel")
        assert size.get_attribute("aria-expanded") == "true"
        size.click()
        assert size.get_attribute("aria-expanded") == "false"
        assert page.locator(".mse-lesson-panel").bounding_box()["height"] < 80
        assert not page.locator(".mse-lesson-body").is_visible()
        size.click()
        assert page.locator(".mse-lesson-body").is_visible()

    @pytest.mark.skipif(not AXE.exists(), reason="npm install brings axe-core")
    @pytest.mark.parametrize("dark", [False, True])
    def test_axe_finds_nothing_serious_in_the_panel(self, arrive: Callable[..., Visitor], dark: bool) -> None:
        page = arrive("?lesson=levels", dark=dark, bypass_csp=True)
        page.evaluate(AXE.read_text(encoding="utf-8"))
        page.wait_for_selector("[data-option=level2]")
        assert page.evaluate(FINDINGS) == [], "asked"
        page.locator(".mse-play").first.click()
        page.locator("[data-option=level2]").click()
        page.wait_for_selector(".mse-model-answer")
        assert page.evaluate(FINDINGS) == [], "answered"

    def test_a_lesson_chooses_method_and_sound(self, arrive: Callable[..., Visitor]) -> None:
        page = arrive("?lesson=levels&step=1")
        page.locator("#why-listen label:has(input[value='scale:level2'])").click()
        page.wait_for_selector(".mse-lesson-task.done")
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
