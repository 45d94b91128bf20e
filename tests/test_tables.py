"""Tables: no wider than people read, none of their figures lost, and on the pages what stands beside them."""

import csv
import io
import re
from pathlib import Path

import pytest

from msecnn.evaluation.tables import MAX_COLUMNS, Report, Table

DOCS = Path(__file__).resolve().parents[1] / "docs"
WIDE = Table(
    "wide",
    ["system", *(f"figure {i}" for i in range(6)), "change"],
    [
        ["a", *(f"0.{i}00 [0.{i}00 to 0.{i}50]" for i in range(6)), ""],
        ["b", *(f"1.{i}00 [1.{i}00 to 1.{i}50]" for i in range(6)), "-0.100 (-0.200 to -0.050, excludes zero)"],
    ],
    shown=("system", "figure 5", "change"),
)


def columns(markdown: str) -> list[int]:
    """How many columns each table of a page has."""
    return [len(rule.split("|")) - 2 for rule in re.findall(r"^\|[-:| ]+\|$", markdown, flags=re.MULTILINE)]


def test_a_page_shows_the_chosen_columns_and_the_file_has_all():
    report = Report(["Before.", WIDE, ""])
    assert columns(report.markdown()) == [3]
    assert "0.500 [0.500 to 0.550]" in report.markdown()
    assert "0.400" not in report.markdown()
    assert report.markdown().endswith("All 8 columns: [tables/wide.csv](tables/wide.csv).")
    assert "0.400 [0.400 to 0.450]" in report.text()
    rows = list(csv.DictReader(io.StringIO(report.csv_files()["wide.csv"])))
    assert [row["figure 4"] for row in rows] == ["0.400", "1.400"]
    assert [row["figure 4 high"] for row in rows] == ["0.450", "1.450"]
    assert [row["change low"] for row in rows] == ["", "-0.200"]


def test_a_narrow_table_is_shown_whole_and_needs_no_file():
    narrow = Table("narrow", ["tag", "ROC-AUC"], [["piano", "0.9"]])
    assert Report([narrow]).csv_files() == {}
    assert columns(narrow.markdown()) == [2]


def test_a_page_shows_chosen_rows_and_the_file_has_all():
    rows = [["piano", "0.9"], ["harp", "0.8"]]
    report = Report([Table("some", ["tag", "ROC-AUC"], rows, brief=rows[:1])])
    assert "harp" not in report.markdown()
    assert report.markdown().endswith("All 2 rows: [tables/some.csv](tables/some.csv).")
    assert "harp" in report.text()
    assert report.csv_files() == {"some.csv": "tag,ROC-AUC\npiano,0.9\nharp,0.8\n"}


def test_reports_are_written_with_their_tables(tmp_path: Path) -> None:
    Report(["Before.", WIDE]).write(tmp_path / "report")
    assert (tmp_path / "report" / "report.md").read_text().startswith("Before.")
    assert (tmp_path / "report" / "tables" / "wide.csv").read_text() == WIDE.csv()


def test_the_first_columns_are_shown_where_none_are_chosen():
    assert columns(Table("many", [str(i) for i in range(9)], [["x"] * 9]).markdown()) == [MAX_COLUMNS]


def test_a_column_of_other_text_stays_one():
    mixed = Table("mixed", ["a", *"bcdefg"], [["x"] * 7, ["0.1 [0.0 to 0.2]"] * 7])
    assert mixed.csv().splitlines()[0] == "a,b,c,d,e,f,g"


@pytest.mark.parametrize(
    "page", ["agreement.md", "distillation.md", "evaluation.md", "explanations.md", "performance.md", "skips.md"]
)
def test_no_table_of_a_page_is_too_wide(page: str) -> None:
    assert max(columns((DOCS / page).read_text(encoding="utf-8")), default=0) <= MAX_COLUMNS


def test_what_the_agreement_page_shows_stands_in_its_files() -> None:
    """Each figure of a narrow table is in the file that the line below it names, row by row."""
    page = (DOCS / "agreement.md").read_text(encoding="utf-8")
    tables = re.findall(r"((?:^\|.*\|\n)+)\nAll \d+ columns: \[(.+?)\]", page, flags=re.MULTILINE)
    assert len(tables) == 6
    for shown, name in tables:
        rows = list(csv.reader((DOCS / name).open(encoding="utf-8")))[1:]
        lines = [re.split(r" *\| *", line.strip("| \n")) for line in shown.strip().splitlines()][2:]
        assert len(lines) == len(rows)
        for line, row in zip(lines, rows, strict=True):
            figures = {figure for cell in line[1:] for figure in re.findall(r"[+-]?\d+\.\d+", cell)}
            assert line[0] == row[0]
            assert figures <= set(row)
