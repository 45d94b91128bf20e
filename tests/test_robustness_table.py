"""The table of benchmarks/what_if.py: shares, intervals and the scale that moved most, from a journal made by hand."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "benchmarks"))

from what_if import EDITS, draw, estimate, report, whole_table

from msecnn.data.manifest import Clip, Manifest
from msecnn.evaluation.tables import Table


def measured(first: bool, five: float, scales: dict[str, float]) -> dict[str, Any]:
    row = {"first": first, "five": five, "logit": sum(scales.values()), "scales": scales}
    return dict.fromkeys(EDITS, row)


def test_a_row_has_the_shares_and_the_scale_that_moved_most_in_most_clips() -> None:
    one, two = {"level1": 0.1, "level5": 0.3}, {"level1": 0.4, "level5": 0.2}
    rows = [
        {"models": {"fcn5": measured(True, 1.0, {"level5": 0.1}), "msecnn": measured(kept, five, scales)}}
        for kept, five, scales in ((True, 0.8, one), (True, 0.6, one), (False, 0.4, two), (True, 0.2, one))
    ]
    table = whole_table(rows, ["fcn5", "msecnn"])
    cells = dict(zip(table.header, table.rows[0], strict=True))
    assert cells["edit"] == f"`{EDITS[0]}`"
    assert cells["FCN-5: first tag kept, %"] == "100 (100 to 100)"
    assert cells["MsE-CNN: first tag kept, %"].startswith("75 (")
    assert cells["MsE-CNN: top five kept, %"].startswith("50 (")
    assert cells["moved most"] == "level5 (75 %)"
    assert cells["level1"].startswith("0.175 (")
    assert len(table.rows) == len(EDITS)


def test_students_and_teachers_stand_side_by_side_in_six_columns() -> None:
    models = ["fcn5", "msecnn", "MTT_musicnn", "MTT_vgg", "mtat_musicnn"]
    shares = dict(zip(models, (1.0, 0.8, 0.6, 0.4, 0.2), strict=True))
    row = {model: measured(True, share, {"level5": 0.1} if "_" not in model else {}) for model, share in shares.items()}
    whole = whole_table([{"models": row}], models)
    first, five, moved = (part for part in report(whole).parts if isinstance(part, Table))
    assert list(first.header) == list(five.header) == ["edit", "FCN-5", "MsE-CNN", *models[2:]]
    assert [cell.split()[0] for cell in five.rows[0][1:]] == ["100", "80", "60", "40", "20"]
    assert list(moved.header) == ["edit", "moved most", "FCN-5: logits", "MsE-CNN: logits"]
    assert not any(part.is_shown_in_part for part in (first, five, moved))


def test_an_interval_of_many_clips_is_that_of_the_mean() -> None:
    values = np.random.default_rng(1).normal(3, 2, 400)
    mean, low, high = (float(word.strip("(),")) for word in estimate(values.tolist(), 3).split() if word != "to")
    assert mean == pytest.approx(values.mean(), abs=1e-3)
    assert high - low == pytest.approx(2 * 1.96 * values.std() / 20, rel=0.1)


def test_clips_are_drawn_one_of_each_group_and_the_same_ones_again() -> None:
    clips = tuple(
        Clip(f"{i}", Path(f"{i}.wav"), "test", np.full(1, np.nan), group=f"track {i // 3}") for i in range(30)
    )
    manifest = Manifest(("guitar",), clips, "made up", "CC0")
    drawn = draw(manifest, "test", 6, 0)
    assert len({clip.group for clip in drawn}) == 6
    assert [clip.clip_id for clip in drawn] == [clip.clip_id for clip in draw(manifest, "test", 10, 0)][:6]
    assert [clip.clip_id for clip in drawn] != [clip.clip_id for clip in draw(manifest, "test", 6, 1)]
