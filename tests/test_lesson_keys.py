"""Lessons: a wrong file is refused in one sentence, and the key of every question is clear with the bundled weights."""

import copy
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lesson_pages import Pages, run_node

from msecnn.ui import lesson_schema
from msecnn.ui.lesson_schema import LessonError, check_lessons, read_lessons
from msecnn.ui.page import TABS
from msecnn.ui.server.context import AppContext
from msecnn.ui.server.static_modules import STATIC
from msecnn.ui.tabs import lessons

STEPS = [(lesson["id"], number, step) for lesson in lessons.lessons() for number, step in enumerate(lesson["steps"])]
#: By how much the best of several must lead, so that everybody reads the same from the page: in the unit of the fact.
LEAST_LEAD = {
    **dict.fromkeys(("probability", "mean", "gap", "lost", "change", "moves"), 1.5),  # points of a per cent
    "term": 0.05,
    "edited_term": 0.02,
    "deletion_area": 0.1,
    "near_correlation": 0.3,
    "field_below": 0.1,
    "above_top": 500,
}
#: Of a map's largest value, by how much it must lead: two digits of it are shown.
LEAST_SHARE = 0.1
#: More of the window than this must not be right: any place would be.
MOST_OF_WINDOW = 0.5


@pytest.fixture(scope="module")
def answers() -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Each step's question with its key, computed by the page's own module from what the bundled weights show."""
    pages = Pages(AppContext.load())
    asked = [{"ask": step["ask"], "page": pages.facts(step)} for _, _, step in STEPS]
    found = run_node(asked)["answers"]
    return [(one["ask"], answer) for one, answer in zip(asked, found, strict=True)]


def test_there_are_seven_lessons_and_each_step_asks() -> None:
    assert [lesson["id"] for lesson in lessons.lessons()] == [
        *("mel", "pooling", "levels", "timbre", "distrust", "what-if", "better")
    ]
    assert len(STEPS) == 28
    assert {step["ask"]["kind"] for _, _, step in STEPS} == set(lesson_schema.KINDS)


def test_every_key_is_clear(answers: list[tuple[dict[str, Any], dict[str, Any]]]) -> None:
    """New weights that would make a lesson false fail here, with the lesson's name."""
    unclear = []
    for (lesson, number, _), (ask, answer) in zip(STEPS, answers, strict=True):
        if fault := fault_of(ask, answer):
            unclear.append(f"{lesson}, step {number + 1}: {fault}")
    assert unclear == []


def fault_of(ask: dict[str, Any], answer: dict[str, Any]) -> str:
    key = answer["key"]
    if key is None:
        return "the page does not show what is asked for"
    if ask["kind"] == "number":
        return "" if ask["within"] < max(1.0, abs(key["value"]) / 2) else f"every number near {key['value']} is right"
    if ask["kind"] == "choose-seconds":
        seconds = sum(end - start for start, end in key["places"])
        return "" if 0.5 < seconds < MOST_OF_WINDOW * 29.12 else f"{seconds:.1f} s are right"
    least = LEAST_SHARE * abs(key["value"]) if ask["fact"] == "map_limit" else LEAST_LEAD[ask["fact"]]
    if key["lead"] < max(least, ask.get("close", 0)):
        return f"{key['names'][0]} leads by {key['lead']:.3g}, not by {least:.3g}"
    return "" if answer["right"] == key["names"] and len(key["names"]) == 1 else f"{answer['right']} are right"


def test_a_key_that_is_unclear_is_found() -> None:
    ask = {"kind": "choose-tag", "tags": ["guitar", "harp"], "fact": "mean", "close": 0.5}
    model = {"name": "one", "tags": ["guitar", "harp"], "probabilities": [0.5, 0.499]}
    page = {"models": [model], "model": "one", "families": {}}
    [answer] = run_node([{"ask": ask, "page": page}])["answers"]
    assert answer["right"] == ["guitar", "harp"]
    assert fault_of(ask, answer) == "guitar leads by 0.1, not by 1.5"
    assert fault_of(ask, {"key": None}) == "the page does not show what is asked for"


def test_networks_that_do_not_know_a_tag_have_no_key() -> None:
    ask = {"kind": "choose-tag", "tags": ["guitar", "harp"], "fact": "gap"}
    models = [
        {"name": "one", "tags": ["guitar", "harp"], "probabilities": [0.5, 0.1]},
        {"name": "two", "tags": ["guitar"], "probabilities": [0.9]},
    ]
    [answer] = run_node([{"ask": ask, "page": {"models": models, "model": "one", "families": {}}}])["answers"]
    assert answer["key"] is None


def test_the_page_and_python_know_the_same_facts_acts_and_places() -> None:
    facts, places, acts = run_node([])["names"]
    assert facts == sorted(lesson_schema.FACTS)
    assert places == sorted(lesson_schema.PLACES)
    assert acts == sorted(lesson_schema.ACTS)
    looks = (STATIC / "lesson_view.js").read_text("utf-8").split("LOOKS = {")[1].split("};")[0]
    assert all(f"{look}: " in looks for look in lesson_schema.LOOKS)
    assert looks.count(': "') == len(lesson_schema.LOOKS)


def test_steps_open_tabs_that_there_are() -> None:
    assert set(lessons.TABS_OF_STEPS) <= {name for name, _, _ in TABS}


# ---- a wrong file
def set_at(*path: str | int, value: Any) -> Callable[[Any], None]:
    def change(file: Any) -> None:
        for name in path[:-1]:
            file = file[name]
        file[path[-1]] = value

    return change


def without(*path: str | int) -> Callable[[Any], None]:
    def change(file: Any) -> None:
        for name in path[:-1]:
            file = file[name]
        del file[path[-1]]

    return change


STEP: tuple[str | int, ...] = (0, "steps", 1)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (without(0, "title"), "Lesson 1: “title” is missing"),
        (without(*STEP, "hint"), "Lesson “mel”, step 2: “hint” is missing"),
        (set_at(*STEP, "right", value=1), "Lesson “mel”, step 2: there is no “right”"),
        (set_at(*STEP, "ask", "value", value=1.0), "step 2, “ask”: there is no “value”"),
        (set_at(*STEP, "question", value=" "), "Lesson “mel”, step 2: “question” has no text"),
        (set_at(*STEP, "model", value="One."), "step 2: the model answer does not tell the answer"),
        (set_at(*STEP, "ask", "kind", value="essay"), "step 2: there is no kind of question 'essay'"),
        (set_at(*STEP, "ask", "fact", value="beauty"), "step 2: there is no fact 'beauty'"),
        (set_at(*STEP, "ask", "of", value={}), "step 2: the fact “semitones” must be told “hertz”"),
        (set_at(*STEP, "ask", "of", value={"hertz": 1, "tag": "harp"}), "the fact “semitones” knows no “tag”"),
        (set_at(*STEP, "ask", "of", value={"hertz": "high"}), "step 2: “hertz” is a number"),
        (set_at(*STEP, "ask", "within", value=-1), "step 2: “within” is a number that is not negative"),
        (set_at(*STEP, "show", "example", value="nobody"), "step 2: there is no example 'nobody'"),
        (set_at(*STEP, "show", "tab", value="live"), "step 2: there is no tab 'live'"),
        (set_at(*STEP, "show", "tag", value="shoes"), "step 2: there is no tag 'shoes'"),
        (set_at(*STEP, "show", "edits", value=["explode"]), "step 2: There is no edit 'explode'"),
        (set_at(*STEP, "show", "why", value={"method": "magic"}), "step 2: there is no method 'magic'"),
        (set_at(*STEP, "predict", value=True), "step 2: it asks for a prediction and then reveals nothing"),
        (set_at(*STEP, "do", value={"act": "dance", "words": "Dance."}), "step 2: there is no act 'dance'"),
        (set_at(*STEP, "do", value={"act": "open_level", "words": "Open."}), "“open_level” must be told “scale”"),
        (set_at(0, "steps", 0, "ask", "tags", value=["piano", "shoes"]), "step 1: there is no tags 'shoes'"),
        (set_at(0, "steps", 0, "ask", "likely", value=4), "step 1: a question for a tag has either"),
        (set_at(0, "steps", 2, "ask", "options", value=[{"words": "one", "hertz": 1}]), "at least two options"),
        (set_at(0, "steps", value=[]), "Lesson “mel” has no steps"),
        (set_at(1, "id", value="mel"), "Two lessons have the same id"),
    ],
)
def test_a_wrong_file_is_refused_with_step_and_fault(change: Callable[[Any], None], sentence: str) -> None:
    file = copy.deepcopy(list(lessons.lessons()))
    change(file)
    with pytest.raises(LessonError) as error:
        check_lessons(file, lessons.known())
    assert sentence in str(error.value)


def test_a_file_that_is_no_list_of_lessons_is_refused(tmp_path: Path) -> None:
    for text, sentence in (("{", "is no JSON"), ("{}", "a list of lessons"), ('["one"]', "Lesson 1 is not an object")):
        path = tmp_path / "lessons.json"
        path.write_text(text, encoding="utf-8")
        with pytest.raises(LessonError, match=sentence):
            read_lessons(path, lessons.known())


# ---- a guess
def test_a_guess_is_compared_with_what_a_network_would_tell() -> None:
    tags = [{"name": name, "value": value} for name, value in (("harp", 0.4), ("rock", 0.05), ("slow", 0.2))]
    script = f"""import {{ compareGuess }} from {json.dumps((STATIC / "guess_compare.js").as_uri())};
const names = (tags) => tags.map(({{ name }}) => name);
const {{ told, both, onlyNetwork, onlyGuess, n, of }} = compareGuess(["harp", "rock"], {json.dumps(tags)});
const [first] = compareGuess(["harp"], [{{ name: "harp", value: 0.01 }}, {{ name: "rock", value: 0.02 }}]).told;
console.log(JSON.stringify([...[told, both, onlyNetwork, onlyGuess].map(names), n, of, first.name]));"""
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node.js is not installed")
    done = subprocess.run([node, "--input-type=module", "-e", script], capture_output=True, text=True, timeout=60)
    assert json.loads(done.stdout) == [["harp", "slow"], ["harp"], ["slow"], ["rock"], 1, 3, "rock"]
