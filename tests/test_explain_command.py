"""`python -m msecnn explain`: the JSON of the manual, a folder that explains itself, one sentence for what is wrong."""

import json
import wave
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from toy_networks import tone_burst

from msecnn import checkpoint
from msecnn.audio import write_wav
from msecnn.cli import main
from msecnn.explain.faithfulness_card import verdicts
from msecnn.frontend import MelConfig

CONFIG = MelConfig()


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty seconds: two windows."""
    path = tmp_path_factory.mktemp("explain") / 'a <b> & "c".wav'
    waveform = np.concatenate([tone_burst(12, 12.3, 1000, CONFIG), tone_burst(3, 4, 400, CONFIG)[: 12_000 * 11]])
    write_wav(path, waveform, CONFIG.sample_rate)
    return path


class Page(HTMLParser):
    """What a page loads, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.sources: list[tuple[str, str]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.sources += [(tag, value or "") for name, value in attrs if name in ("src", "href", "data", "srcset")]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_json_and_folder(recording: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    assert (
        main(["explain", str(recording), "--tag", "guitar", "--window", "1", "--format", "json", "--out", str(out)])
        == 0
    )
    captured = capsys.readouterr()
    told = json.loads(captured.out)
    names = "schema file model tag window logit probability bias base_value scales evidence blocks minimal louder"
    assert list(told) == [*names.split(), "cells", "saliency"]
    assert (told["file"], told["model"], told["tag"]) == (str(recording), "msecnn", "guitar")
    assert told["window"][1] - told["window"][0] == pytest.approx(29.12)
    assert told["window"][1] == pytest.approx(40.12, abs=0.01)
    assert told["probability"] == pytest.approx(1 / (1 + np.exp(-told["logit"])), abs=1e-6)
    assert [scale["name"] for scale in told["scales"]] == ["input", *(f"level{n}" for n in range(1, 6))]
    assert set(told["scales"][0]) == {"name", "features", "contribution", "relative"}
    size = max(1, sum(abs(scale["contribution"]) for scale in told["scales"]))
    assert told["bias"] + sum(s["contribution"] for s in told["scales"]) == pytest.approx(
        told["logit"], abs=1e-5 * size
    )
    assert told["base_value"] + sum(s["relative"] for s in told["scales"]) == pytest.approx(
        told["logit"], abs=1e-5 * size
    )
    assert len(told["cells"]) == 513
    columns = {"scale", "channel", "start_s", "end_s", "low_hz", "high_hz", "contribution"}
    assert all(set(cell) == columns for cell in told["cells"])
    for scale in told["scales"]:
        cells = [cell["contribution"] for cell in told["cells"] if cell["scale"] == scale["name"]]
        assert len(cells) == scale["features"]
        assert sum(cells) == pytest.approx(scale["contribution"], abs=1e-4 * size)
    assert min(cell["start_s"] for cell in told["cells"]) >= told["window"][0]
    assert max(cell["end_s"] for cell in told["cells"]) <= told["window"][1] + 0.01
    check_evidence(told)
    check_minimal(told)
    assert told["saliency"]["method"] == "shapley"
    assert told["saliency"]["sum_check"] < 1e-4
    assert told["saliency"]["measured"] == verdicts(checkpoint.load(told["model"]))["shapley"].to_json()
    assert json.loads((out / "explanation.json").read_text()) == told
    check_folder(out, recording)


def check_evidence(told: dict[str, Any]) -> None:
    presence, absence = ([row for row in told["evidence"] if row["kind"] == kind] for kind in ("presence", "absence"))
    assert presence
    assert all(told["window"][0] <= row["start_s"] < row["end_s"] <= told["window"][1] + 0.01 for row in presence)
    assert all(row["share"] > 0 and row["sentence"].endswith("anywhere") for row in absence)
    assert not any("start_s" in row for row in absence)


def check_minimal(told: dict[str, Any]) -> None:
    kinds = [part["kind"] for part in told["minimal"]]
    assert kinds in (["smallest"], ["smallest", "cut"])
    assert told["minimal"][0]["probability"] >= 0.5 * told["probability"]
    assert all(0 < part["cells"] <= 1 for part in told["minimal"])
    assert told["louder"] is None or told["louder"]["kind"] == "absence"


def check_folder(out: Path, recording: Path) -> None:
    with np.load(out / "saliency.npz", allow_pickle=False) as arrays:
        assert arrays["maps"].shape == (6, 96, 1366)
        assert arrays["mel"].shape == (96, 1366)
        assert str(arrays["tag"]) == "guitar"
        assert arrays["frame_s"][0] == pytest.approx(11.0, abs=0.01)
    for name in ("contributions", "spectrogram", "saliency"):
        assert (out / "figures" / f"{name}.png").read_bytes().startswith(b"\x89PNG")
    sounds = sorted(path.stem for path in (out / "sounds").glob("*.wav"))
    assert {"window", "evidence", "rest", "smallest", "cut", "scale-input", "scale-level5"} <= set(sounds)
    for path in (out / "sounds").glob("*.wav"):
        with wave.open(str(path)) as sound:
            assert (sound.getframerate(), sound.getnframes()) == (12_000, CONFIG.window_samples)
    page = Page((out / "report.html").read_text(encoding="utf-8"))
    assert len(page.sources) == 1 + len(sounds)
    report = (out / "report.html").read_text(encoding="utf-8")
    waterfall = json.loads(report.split('"application/json">')[1].split("</script>")[0])
    scales = json.loads((out / "explanation.json").read_text())["scales"]
    assert waterfall["data"][0]["text"] == [f"{scale['relative']:+.2f}" for scale in scales]
    assert all(value.startswith(("data:image/png;base64,", "data:audio/wav;base64,")) for _, value in page.sources)
    assert recording.name in page.text  # escaped, so that the parser gives it back as it was
    assert not [path for path in out.rglob("*") if path.name.startswith(".")]


def test_a_table_for_the_network_with_one_scale(recording: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", str(recording), "--model", "fcn5", "--method", "grad_cam"]) == 0
    told = capsys.readouterr().out
    assert "level5" in told
    assert "level1" not in told


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--tag", "no such tag"], "knows no tag 'no such tag'"),
        (["--window", "7"], "windows 0 to 1, not 7"),
        (["--top", "0"], "percentage"),
        (["--model", "nowhere"], "nowhere"),
    ],
)
def test_bad_questions_get_one_sentence(
    recording: Path, options: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", str(recording), *options]) == 1
    error = capsys.readouterr().err
    assert sentence in error
    assert error.count("\n") == 1


def test_a_folder_that_cannot_be_written_is_told(
    recording: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("in the way")
    assert main(["explain", str(recording), "--model", "fcn5", "--out", str(tmp_path / "file")]) == 1
    assert "cannot be written" in capsys.readouterr().err
