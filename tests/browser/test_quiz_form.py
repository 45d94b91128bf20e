"""A form of the quiz in Chromium: what is chosen becomes a file, once there is consent."""

from pathlib import Path
from typing import Any

import pytest

from msecnn.cli import main
from msecnn.teaching.quiz import N_QUESTIONS, questions
from msecnn.teaching.quiz_answers import read_answers


@pytest.mark.browser
def test_a_form_saves_what_was_chosen_once_there_is_consent(chromium: Any, tmp_path: Path) -> None:
    assert main(["study", "forms", str(tmp_path)]) == 0
    page = chromium.new_page()
    page.goto((tmp_path / "quiz-b-de.html").as_uri())
    page.locator("[name=code]").fill("an-07")
    page.locator("[value=after]").check()
    for n, question in enumerate(q for q in questions() if q.form == "b"):
        if n != 4:
            page.locator(f"[name=q{n + 1}][value={question.letter}]").check()
    page.get_by_role("button").click()
    assert "ankreuzen" in page.locator("#status").inner_text()
    page.locator("[name=agree]").check()
    with page.expect_download() as download:
        page.get_by_role("button").click()
    assert download.value.suggested_filename == "quiz-AN07-after-b.csv"
    download.value.save_as(tmp_path / "saved.csv")
    page.close()
    (quiz,), problems = read_answers([tmp_path / "saved.csv"])
    assert not problems
    assert (quiz.participant, quiz.occasion, quiz.form, quiz.score) == ("AN07", "after", "b", N_QUESTIONS - 1)
    assert quiz.answers[4] == ""
