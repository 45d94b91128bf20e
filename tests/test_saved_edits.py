"""The page's edits where they are saved and asked about: the zip, the worksheet, the curve, and what is refused."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from msecnn import audio
from msecnn.ui import export, worksheet
from msecnn.ui.server.context import AppContext
from msecnn.ui.server.session import Session, SessionError
from msecnn.ui.tabs import what_if
from msecnn.ui.upload import open_file
from msecnn.ui.what_if import MAX_POINTS, edit_window
from msecnn.what_if.edit import EditError

EDITS = "remove=2:4,0:1000 speed=1.25"
EXAMPLE = Path(__file__).resolve().parents[1] / "assets" / "examples" / "piano.mp3"


@pytest.fixture(scope="module")
def context() -> AppContext:
    return AppContext.load()


@pytest.fixture(scope="module")
def session(context: AppContext) -> Session:
    return open_file(context, EXAMPLE, "piano", ["fcn5", "msecnn"])[0]


def test_the_answer_tells_where_the_sound_has_gone(context: AppContext, session: Session) -> None:
    faster = edit_window(context, session, {"window": 0, "edits": EDITS}).payload
    assert faster["edits"] == EDITS.split()
    assert faster["ends_s"] == pytest.approx((0, faster["duration_s"] / 1.25))
    backwards = edit_window(context, session, {"window": 0, "edits": "reverse"}).payload
    assert backwards["ends_s"] == pytest.approx((backwards["duration_s"], 0))
    for model in faster["models"]:
        for tag in model["tags"]:
            assert sum(tag["terms"]) == pytest.approx(tag["change"], abs=1e-5)


def test_the_zip_has_the_edited_sound_what_it_changed_and_the_curve(context: AppContext, session: Session) -> None:
    request = {"window": 0, "edits": EDITS, "curve": "level=-20:0:2"}
    *_, last = export.export(context, session, request)
    with zipfile.ZipFile(last.payload["file"]["path"]) as archive:
        names = set(archive.namelist())
        told = json.loads(archive.read("what-if/what_if.json"))
    assert told["edits"] == EDITS.split()
    assert told["curves"][0]["strengths"] == [-20, 0]
    assert {"what-if/sounds/original.wav", "what-if/sounds/edited.wav"} <= names
    assert {f"what-if/figures/curve-1-level-{model}.png" for model in ("fcn5", "msecnn")} <= names
    *_, plain = export.export(context, session, {"window": 0, "edits": "", "curve": ""})
    assert not any(name.startswith("what-if/") for name in plain.payload["names"])


def test_the_zip_tells_what_is_in_it(context: AppContext, session: Session) -> None:
    *_, last = export.export(context, session, {"window": 0, "edits": EDITS, "curve": ""})
    with zipfile.ZipFile(last.payload["file"]["path"]) as archive:
        told = archive.read("README.txt").decode()
        names = set(archive.namelist()) - {"README.txt"}
    starts = [line.partition(":")[0] for line in told.splitlines() if ": " in line]
    assert all(any(name.startswith(start) for start in starts) for name in names)
    assert all(any(name.startswith(start) for name in names) for start in starts)


def test_a_worksheet_gets_both_sounds_small_and_what_answered(context: AppContext, session: Session) -> None:
    told = worksheet.tell(context, session, {"window": 0, "edits": EDITS}).payload
    clip, edited = (Path(told[name]["path"]) for name in ("clip", "edited"))
    assert clip.suffix == edited.suffix == ".mp3"
    assert max(clip.stat().st_size, edited.stat().st_size) < 200_000
    start_s, end_s = session.shown.windows[0]
    heard = audio.read_recording(clip, sample_rate=12_000).waveform
    original = audio.read_recording(EXAMPLE, sample_rate=12_000, duration_s=end_s - start_s).waveform
    assert len(heard) == pytest.approx(len(original), abs=1200)
    n = min(len(heard), len(original))
    assert np.corrcoef(heard[:n], original[:n])[0, 1] > 0.95  # MP3 at 48 kbit/s
    assert audio.probe(edited).duration_s == pytest.approx((end_s - start_s) / 1.25, abs=0.2)
    assert set(told["weights"]) == {"FCN-5", "MsE-CNN"}
    assert all(len(checksum) == 64 for checksum in told["weights"].values())
    assert worksheet.tell(context, session, {"window": 0, "edits": ""}).payload["edited"] is None


def test_a_curve_has_a_figure_a_model_and_says_its_ends(context: AppContext, session: Session) -> None:
    request = {"window": 0, "edits": "", "curve": "level=-30:0:2", "token": "a"}
    *_, last = what_if.draw_curve(context, session, request)
    figures = last.payload["figures"]
    assert [figure["title"] for figure in figures] == ["FCN-5", "MsE-CNN"]
    strengths = np.asarray(figures[0]["figure"]["data"][0]["x"]).tolist()
    assert strengths == [-30, 0]
    assert "without this edit" in figures[0]["figure"]["label"]


@pytest.mark.parametrize("curve", [f"level=-30:0:{MAX_POINTS + 1}", "reverse=0:1", "", "level=-30", 7, None])
def test_a_curve_that_is_none_gets_a_sentence(context: AppContext, session: Session, curve: object) -> None:
    with pytest.raises((SessionError, EditError), match=r"\.$"):
        list(what_if.draw_curve(context, session, {"window": 0, "edits": "", "curve": curve, "token": "a"}))


@pytest.mark.parametrize("edits", ["add=/etc/passwd", "bend=3", " ".join(["reverse"] * 9), 7])
def test_edits_that_are_none_get_a_sentence(context: AppContext, session: Session, edits: object) -> None:
    with pytest.raises((SessionError, EditError), match=r"\.$"):
        edit_window(context, session, {"window": 0, "edits": edits})
