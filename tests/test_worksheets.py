"""The worksheets of a class become one table; what is broken, foreign, a copy or built to do harm gets a sentence."""

import csv
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from msecnn.cli import main
from msecnn.teaching import worksheet_file
from msecnn.teaching.cells import csv_text
from msecnn.teaching.worksheet_file import KIND, SCHEMA, WorksheetError, read_worksheet
from msecnn.teaching.worksheet_table import COLUMNS, join


def data(student: str = "Ada", *answers: str, **changed: Any) -> dict[str, Any]:
    given = answers or ("A tone.",)
    steps = [{"step": i, "text": "…", "question": f"Q{i}?", "answer": words} for i, words in enumerate(given)]
    return {
        "schema": SCHEMA, "kind": KIND, "student": student, "saved": "2026-01-01T10:00:00.000Z", "language": "en",
        "recording": "Overworld Theme", "credit": "", "link": "", "settings": [["Method", "gradient"]],
        "lessons": [{"id": "mel", "title": "Mel", "answers": steps}], **changed,
    }  # fmt: skip


def page(content: Any) -> bytes:
    """As `hand_in_page.js` writes it."""
    text = json.dumps(content, ensure_ascii=False).replace("<", "\\u003c")
    return f'<html><body>…<script type="application/json" id="{KIND}">{text}</script></body></html>'.encode()


def zipped(content: Any, name: str = "answers.json", **others: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, json.dumps(content))
        for path, inside in others.items():
            archive.writestr(path, inside)
    return packed.getvalue()


def table(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text("utf-8-sig"))))


def test_thirty_worksheets_become_a_row_a_student_and_question(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    folder = tmp_path / "class"
    for i in range(30):
        inside = folder / f"student {i:02}"  # as a learning platform unpacks what was handed in
        inside.mkdir(parents=True)
        content = data(f"Student {i:02}", "a", f"b{i}", "")
        (inside / ("w.zip" if i % 2 else "w.html")).write_bytes(zipped(content) if i % 2 else page(content))
    (folder / ".DS_Store").write_bytes(b"\0")
    assert main(["worksheets", str(folder), "--out", str(tmp_path / "table.csv")]) == 0
    rows = table(tmp_path / "table.csv")
    assert tuple(rows[0]) == COLUMNS
    assert [(row["student"], row["step"], row["answer"]) for row in rows] == [
        (f"Student {i:02}", str(step), answer)
        for i in range(30)
        for step, answer in enumerate(("a", f"b{i}", ""), start=1)
    ]
    assert {row["settings"] for row in rows} == {"Method: gradient"}
    assert capsys.readouterr().out.startswith("30 worksheets of 30 students, 90 answers: ")


def bomb() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("answers.json", b" " * (worksheet_file.MAX_UNFOLDED + 1))
    return packed.getvalue()


def lying_bomb() -> bytes:
    """One whose directory says that it is small."""
    content = bytearray(zipped("x" * (worksheet_file.MAX_DATA + 10)))
    at = content.rindex(b"PK\x01\x02")
    content[at + 24 : at + 28] = (100).to_bytes(4, "little")
    return bytes(content)


HARMFUL = {
    "empty": b"",
    "text": b"I did not do it.",
    "sound": b"ID3" + bytes(1000),
    "other page": b"<html><script type='application/json' id='x'>{}</script></html>",
    "cut page": page(data())[:-60],
    "page without JSON": page(data()).replace(b'"schema"', b'schema"'),
    "deep JSON": page(0).replace(b">0<", b">" + b"[" * 100_000 + b"<"),
    "cut zip": zipped(data())[:-30],
    "zip of something else": zipped(data(), name="essay.json"),
    "two worksheets in a zip": zipped(data(), **{"b/answers.json": b"{}"}),
    "path out": zipped(data(), **{"../../evil.html": b"x"}),
    "absolute path": zipped(data(), **{"/etc/passwd": b"x"}),
    "Windows path": zipped(data(), **{"..\\..\\evil.html": b"x"}),
    "drive": zipped(data(), **{"C:/evil.html": b"x"}),
    "many files": zipped(data(), **{f"{i}": b"" for i in range(worksheet_file.MAX_ENTRIES)}),
    "bomb": bomb(),
    "lying bomb": lying_bomb(),
    "another kind": page({**data(), "kind": "msecnn-study"}),
    "newer": page({**data(), "schema": SCHEMA + 1}),
    "a list": page([data()]),
    "no name": page({**data(), "student": None}),
    "a step that is none": page(data(lessons=[{"id": "mel", "answers": [{"step": -1, "question": "", "answer": ""}]}])),
    "a step that is true": page(
        data(lessons=[{"id": "mel", "answers": [{"step": True, "question": "", "answer": ""}]}])
    ),
    "no lesson": page(data(lessons=[])),
    "lessons without end": page(data(lessons=[{}] * 100)),
    "settings that are none": page(data(settings=["Method"])),
}


@pytest.mark.parametrize("kind", HARMFUL)
def test_each_that_is_none_gets_a_sentence_and_the_others_are_joined(
    tmp_path: Path, capsys: pytest.CaptureFixture, kind: str
) -> None:
    (tmp_path / "good.html").write_bytes(page(data("Ada")))
    (tmp_path / "other.html").write_bytes(HARMFUL[kind])
    assert main(["worksheets", str(tmp_path), "--out", str(tmp_path / "table.csv")]) == 1
    assert [row["student"] for row in table(tmp_path / "table.csv")] == ["Ada"]
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 2
    assert told[0].startswith(f"{tmp_path / 'other.html'}: ")
    assert told[0].endswith(".")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["good.html", "other.html", "table.csv"]


def test_a_file_that_is_too_large_or_a_pipe_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worksheet_file, "MAX_FILE", 10)
    (tmp_path / "large.html").write_bytes(page(data()))
    with pytest.raises(WorksheetError, match="larger than"):
        read_worksheet(tmp_path / "large.html")


def test_nothing_to_join_and_wrong_paths_are_errors(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    for words, told in (
        ([str(tmp_path), "--out", str(tmp_path / "t.csv")], "no worksheet to join"),
        ([str(tmp_path / "none"), "--out", str(tmp_path / "t.csv")], "does not exist"),
        ([str(tmp_path), "--out", str(tmp_path / "t.xlsx")], "must end in .csv"),
    ):
        assert main(["worksheets", *words]) == 1
        assert told in capsys.readouterr().err
    assert not [*tmp_path.iterdir()]


def test_of_copies_the_latest_counts(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_bytes(page(data("Ada", "old")))
    (tmp_path / "b.zip").write_bytes(zipped(data("ada ", "new", saved="2026-01-02T10:00:00.000Z")))
    (tmp_path / "c.html").write_bytes(
        page(data("Ada", "another lesson") | {"lessons": [{"id": "other", "answers": []}]})
    )
    (tmp_path / "d.html").write_bytes(page(data("", "no name")))
    (tmp_path / "e.html").write_bytes(page(data("", "no name")))
    (tmp_path / "f.html").write_bytes(page(data("", "another without a name")))
    joined = join([tmp_path])
    assert [path.name for path, _ in joined.worksheets] == ["b.zip", "d.html", "f.html"]
    assert {skipped.path.name: skipped.reason for skipped in joined.skipped} == {
        "a.html": "b.zip is of the same student and lesson, and counts.",
        "c.html": "It has no question of a lesson in it.",
        "e.html": "d.html is of the same student and lesson, and counts.",
    }
    assert joined.n_students == 3


@pytest.mark.parametrize(
    "formula", ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(1)", "\t=1", "\r=1", " =1", "\u200b=1", "＝1"]
)
def test_no_cell_is_a_formula(tmp_path: Path, formula: str) -> None:
    (tmp_path / "w.html").write_bytes(page(data(formula, formula, recording=formula, settings=[[formula, ""]])))
    joined = join([tmp_path])
    (row,) = csv.DictReader(io.StringIO(joined.csv().removeprefix("\ufeff")))
    for column in ("student", "answer", "recording", "settings"):
        assert row[column].lstrip()[0] == "'", column


def test_a_cell_stays_what_it_was_otherwise() -> None:
    text = csv_text(("a",), [['Ünal, "quoted"\nsecond line\x00']])
    assert text == '\ufeffa\n"Ünal, ""quoted""\nsecond line"\n'
