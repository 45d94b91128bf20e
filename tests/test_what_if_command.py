"""`python -m msecnn what-if`: JSON, table, a folder with both sounds, one sentence for bad input."""

import json
import wave
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from toy_networks import tone_burst

from msecnn.audio import read_recording, write_wav
from msecnn.cli import main
from msecnn.frontend import MelConfig
from msecnn.plots import static
from msecnn.plots.response import response_curve
from msecnn.what_if.response import ModelResponse, Response

CONFIG = MelConfig()


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("what_if") / "bursts.wav"
    write_wav(path, tone_burst(12, 13, 1000, CONFIG) + tone_burst(3, 4, 400, CONFIG), CONFIG.sample_rate)
    return path


def told_by(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    assert main(["what-if", *words, "--format", "json"]) == 0
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    return told


def test_json_and_folder(recording: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    words = [
        "--edit",
        "remove=11.5:13.5,700:1400",
        "--edit",
        "level=-3",
        "--curve",
        "speed=0.9:1.1:3",
        "--out",
        str(out),
    ]
    told = told_by(capsys, str(recording), *words)
    assert list(told) == ["schema", "file", "part", "duration_s", "edits", "notes", "models", "curves"]
    assert told["edits"] == ["remove=11.5:13.5,700:1400", "level=-3"]
    assert set(told["models"]) == {"fcn5", "msecnn"}
    for model in told["models"].values():
        assert set(model["evidence"]) == {"tag", "vanished", "appeared", "kept"}
        for row in model["tags"].values():
            assert sum(row["scales"].values()) == pytest.approx(row["change"], abs=1e-5)
    (curve,) = told["curves"]
    assert (curve["edit"], curve["strengths"]) == ("speed", [0.9, 1.0, 1.1])
    tag, row = next(iter(curve["models"]["msecnn"].items()))
    assert row["after"][1] == pytest.approx(told["models"]["msecnn"]["tags"][tag]["after"], abs=1e-5)
    assert json.loads((out / "what_if.json").read_text()) == told
    original, edited = (read_recording(out / "sounds" / f"{name}.wav").waveform for name in ("original", "edited"))
    np.testing.assert_allclose(original, read_recording(recording).waveform, atol=1e-4)
    rms = [float(np.sqrt(np.mean(sound[12 * 12_000 : 13 * 12_000] ** 2))) for sound in (original, edited)]
    assert rms[1] < 0.05 * rms[0]
    with wave.open(str(out / "sounds" / "edited.wav")) as sound:
        assert (sound.getframerate(), sound.getnframes()) == (12_000, CONFIG.window_samples)
    names = {path.name for path in (out / "figures").iterdir()}
    assert names == {f"curve-1-speed-{model}.{kind}" for model in ("fcn5", "msecnn") for kind in ("png", "svg")}


def test_the_table_has_the_numbers(recording: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [str(recording), "--model", "msecnn", "--edit", "reverse", "--no-evidence", "--start-s", "2"]
    told = told_by(capsys, *words)
    assert "evidence" not in told["models"]["msecnn"]
    assert told["part"][0] == 2
    assert main(["what-if", *words, "--top", "3", "--curve", "level=-20:0:2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    head = next(i for i, line in enumerate(lines) if line.startswith("msecnn "))
    assert lines[head].split()[1:] == ["before", "after", "change", "input", *(f"level{n}" for n in range(1, 6))]
    for line, (tag, row) in zip(lines[head + 1 : head + 4], told["models"]["msecnn"]["tags"].items(), strict=False):
        assert line.startswith(tag)
        terms = [f"{term:+.3f}" for term in row["scales"].values()]
        assert line[16:].split() == [f"{row['before']:.3f}", f"{row['after']:.3f}", f"{row['change']:+.3f}", *terms]
    assert any(line.split() == ["msecnn,", "level", "-20", "0"] for line in lines)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--edit", "bend=1"], "no edit 'bend'"),
        (["--edit", "speed=9"], "rate of speed"),
        (["--curve", "reverse=0:1"], "A curve is of"),
        (["--tag", "no such tag", "--edit", "level=-1"], "knows no tag 'no such tag'"),
        (["--edit", "side"], "only one"),
        (["--start-s", "40"], "after the end"),
        (["--top", "0"], "at least 1"),
        (["--edit", "add=nowhere.wav"], "no file “nowhere.wav”"),
    ],
)
def test_bad_questions_get_one_sentence(
    recording: Path, options: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["what-if", str(recording), "--model", "fcn5", *options]) == 1
    error = capsys.readouterr().err
    assert sentence in error
    assert error.count("\n") == 1


def test_a_curve_is_drawn_as_it_was_measured() -> None:
    probabilities = np.array([[0.2, 0.7], [0.3, 0.5], [0.4, 0.1]])
    model = ModelResponse(
        ("a", "b"), ("input",), np.array([0.3, 0.6]), probabilities, probabilities, np.zeros((3, 1, 2))
    )
    figure = response_curve(Response("pitch", "semitones", (-1.0, 0.0, 1.0), {"net": model}), "net", title="<net>")
    assert isinstance(figure, go.Figure)
    axes = static.draw(figure).axes[0]
    lines = {line.get_label(): line for line in axes.lines}
    np.testing.assert_allclose(lines["b"].get_ydata(), [0.7, 0.5, 0.1], atol=1e-6)
    np.testing.assert_allclose(lines["a"].get_xdata(), [-1, 0, 1])
    assert axes.get_xlabel() == "pitch (semitones)"
    assert figure.layout.title.text == "&lt;net&gt;"
    assert figure.data[0].hovertext[0] == "input +0.00"
