"""What a student hands in: whose it is, answers, and every figure as it was seen; neither of the first is sent."""

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from msecnn.teaching.worksheet_file import read_worksheet
from msecnn.ui.server.languages import catalogue

pytestmark = pytest.mark.browser

Visitor = Any
LESSONS = json.loads((Path(__file__).resolve().parents[2] / "assets/lessons.json").read_text(encoding="utf-8"))
LESSON = next(one for one in LESSONS if one["id"] == "distrust")
MOST = 1_500_000  # bytes
ANSWER = "Not <b>proven</b>. </script><img src=x>"
#: A name as somebody may type it who means no good: paths, quotes, a formula, a mark that turns the writing round.
HOSTILE = '../..\\=cmd|"x" <b>Ünal\u202e</b>' + "m" * 60
BOTH_NAMES = "[msecnn.state.recording.name, msecnn.state.second.recording.name]"
#: Around a figure in its picture: margin, line of the title and space below it, pixels.
LEFT, ABOVE = 16, 16 + 22 + 6


def hand_in(page: Visitor, button: str, path: Path) -> str:
    """Saves and returns the name that the browser was told."""
    with page.expect_download(timeout=180_000) as download:
        page.locator(".mse-hand-in").get_by_role("button", name=button).click()
    download.value.save_as(path)
    page.wait_for_selector(".mse-hand-in button.primary:enabled")
    return str(download.value.suggested_filename)


def likeness(picture: bytes, seen: bytes) -> float:
    """Correlation of a figure's grey values with those of the element's screenshot."""
    shown = Image.open(io.BytesIO(seen)).convert("L")
    made = Image.open(io.BytesIO(picture)).convert("L")
    scale = made.width / (shown.width + 2 * LEFT)
    box = [scale * edge for edge in (LEFT, ABOVE, LEFT + shown.width, ABOVE + shown.height)]
    made = made.crop([round(edge) for edge in box]).resize(shown.size)
    half = (shown.width // 2, shown.height // 2)  # the resampling is not what is compared
    return float(np.corrcoef(np.ravel(made.resize(half)), np.ravel(shown.resize(half)))[0, 1])


def test_a_worksheet_is_what_was_seen_and_stands_alone(arrive: Callable[..., Visitor], tmp_path: Path) -> None:
    page = arrive("?lesson=distrust&step=4")
    sent: list[str] = []
    page.on("request", lambda request: sent.append(f"{request.url} {request.post_data or ''}"))
    page.wait_for_selector(".mse-waterfall")
    page.get_by_label("Your answer").first.fill(ANSWER)
    page.get_by_role("button", name="Worksheet", exact=True).click()
    page.get_by_label("Your name").fill(HOSTILE)
    page.locator(".mse-hand-in").get_by_role("button", name="Close").click()
    page.reload()
    page.wait_for_function("document.querySelector('.mse-strip small')?.textContent.includes('±')")
    page.get_by_role("checkbox", name="same colour scale for all").check()
    page.wait_for_timeout(300)  # drawn anew
    strips = page.locator(".mse-strip-stack:has(.mse-why-strips)").screenshot()
    page.get_by_role("button", name="Worksheet", exact=True).click()
    assert page.get_by_label("Your name").input_value() == HOSTILE[:80]
    name = hand_in(page, "Save as one page", tmp_path / "w.html")
    recording = page.evaluate("msecnn.state.recording.name")
    title = LESSON["title"]
    assert name.startswith(f"{recording} - ")
    assert name.endswith(f" - {title}.html")
    assert len(name) < 180
    assert not set(name) & set('\\/:*?"<>|\u202e')
    assert (tmp_path / "w.html").stat().st_size < MOST

    sheet = read_worksheet(tmp_path / "w.html")
    assert sheet.recording == recording
    assert sheet.answers[4].answer == ANSWER
    assert [answer.question for answer in sheet.answers] == [step["question"] for step in LESSON["steps"]]
    settings = dict(sheet.settings)
    assert settings["Tag"] == "strings (MsE-CNN)"
    assert settings["Method"] == page.get_by_role("combobox", name="Method").input_value()
    assert settings["Colours"] == "same colour scale for all"
    assert "lesson=distrust" in sheet.link
    assert not [words for words in sent if "proven" in words or "cmd" in words]

    paper = page.context.browser.new_context().new_page()
    asked: list[str] = []
    paper.on("request", lambda request: asked.append(request.url))
    paper.goto((tmp_path / "w.html").as_uri())
    text = paper.locator("body").inner_text()
    assert ANSWER in text
    assert page.locator(".mse-why .mse-sentence").first.inner_text() in text
    assert page.locator(".mse-answer").inner_text() in text
    figures = {image.get_attribute("alt"): image for image in paper.locator("img").all()}
    assert [*figures] == [f"Spectrogram of {recording}", "Tags", "Why strings", "Where each scale looks: strings"]
    source = figures["Where each scale looks: strings"].get_attribute("src")
    picture = paper.evaluate("async (at) => [...new Uint8Array(await (await fetch(at)).arrayBuffer())]", source)
    assert likeness(bytes(picture), strips) > 0.97
    paper.wait_for_function("document.querySelector('audio').readyState >= 1")
    assert paper.evaluate("document.querySelector('audio').duration") == pytest.approx(29.1, abs=0.2)
    assert [url for url in asked if not url.startswith(("data:", "file:"))] == []
    assert paper.locator("img[src=x]").count() == 0
    paper.context.close()

    page.locator(".mse-hand-in").get_by_role("button", name="Close").click()
    page.get_by_role("button", name="End the lesson").click()
    page.get_by_role("button", name="Forget all answers").click()
    assert page.evaluate("[localStorage['msecnn-answers'], localStorage['msecnn-student']]") == [None, None]


def test_the_zip_is_in_the_pages_language_and_holds_what_other_tabs_showed(
    arrive: Callable[..., Visitor], tmp_path: Path
) -> None:
    page = arrive("?example=plucked&second=piano&tag=guitar&model=msecnn&tab=network&off=level5&edits=reverse&lang=de")
    page.wait_for_function("document.querySelectorAll('.mse-switch[aria-checked=false][data-scale]').length === 1")
    for tab, drawn in (("compare", ".mse-pair.total"), ("what-if", ".mse-edits .mse-what-if-table")):
        page.evaluate("(tag) => msecnn.showTab(tag)", tab)
        page.wait_for_selector(drawn)
    page.evaluate("msecnn.showTab('lessons')")
    page.get_by_role("button", name=catalogue("de")["controls"]["Save a worksheet of what is shown"]).click()
    page.get_by_label("Ihr Name").fill("Ada")
    name = hand_in(page, "Als Zip-Datei speichern", tmp_path / "w.zip")
    assert name == f"{page.evaluate('msecnn.state.recording.name')} - Ada - Arbeitsblatt.zip"
    assert (tmp_path / "w.zip").stat().st_size < MOST
    with zipfile.ZipFile(tmp_path / "w.zip") as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        told = json.loads(archive.read("answers.json"))
        sheet, words = (archive.read(name).decode() for name in ("worksheet.html", "README.txt"))
        figures = [name for name in names if name.startswith("figures/")]
        for figure in figures:
            Image.open(io.BytesIO(archive.read(figure))).verify()
    assert {"clip.mp3", "edited.mp3"} <= set(names)
    assert '<html lang="de">' in sheet
    assert "Was die Seite zeigte" in sheet
    assert "Ein Arbeitsblatt der MsE-CNN-Seite." in words
    titles = {name.split(" ", 1)[1].rsplit(".", 1)[0] for name in figures}
    texts = catalogue("de")["page"]
    assert {texts[title] for title in ("The network", "Tags of A and B", "Scales of A and B")} <= titles
    assert {f"Spektrogramm von {name}" for name in page.evaluate(BOTH_NAMES)} <= titles
    settings = dict(told["settings"])
    assert settings["Ausgeschaltet"] == "Ebene 5"
    assert settings["Änderungen"] == "reverse"
    assert told["student"] == "Ada"
    assert page.evaluate("msecnn.state.tab") == "lessons"


NAMES = {
    ("Overworld.mp3", "Ada"): "Overworld - Ada.zip",
    ("a/b\\c:d*e?f.wav", ""): "a b c d e f.zip",
    ("", ""): "MsE-CNN.zip",
    ("...", "  "): "MsE-CNN.zip",
    ("CON.mp3", "nul"): "CON_ - nul_.zip",
    ("x\u202egnp.exe", "a\u0000b\nc"): "x gnp - a b c.zip",
    ("~/.ssh/id", "-rf"): "ssh id - rf.zip",
    ("é" * 300, "👩‍🎤" * 90): None,
}


def test_names_of_files_are_safe_and_bounded(arrive: Callable[..., Visitor]) -> None:
    page = arrive()
    folder = page.evaluate("document.querySelector('link[href*=file_names]').href.replace('file_names.js', '')")
    made = page.evaluate(
        """async ([folder, cases]) => {
            const { bareName, fileName } = await import(`${folder}file_names.js`);
            return cases.map(([recording, student]) => fileName([bareName(recording), student], ".zip"));
        }""",
        [folder, [list(case) for case in NAMES]],
    )
    for (case, wanted), name in zip(NAMES.items(), made, strict=True):
        assert name == wanted or (wanted is None and len(name.encode()) < 255), case
