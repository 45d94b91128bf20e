"""On the command line: one piece of music in every format gets the same tags, and damaged files get sentences."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from audio_files import FORMATS, encode
from corrupt_audio import damaged_files

from msecnn import audio

ROOT = Path(__file__).resolve().parent.parent
PIANO = ROOT / "assets" / "examples" / "piano.mp3"


def run_tag(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "msecnn", "tag", "--format", "json", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)


@pytest.fixture(scope="module")
def by_format(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, dict[str, float]]]:
    """For each format, for each model, the tags of the piano example written in it."""
    folder = tmp_path_factory.mktemp("formats")
    waveform = audio.read_recording(PIANO, sample_rate=48_000).waveform
    paths = [folder / "original.wav"]
    audio.write_wav(paths[0], waveform, 48_000)
    paths.append(folder / "rounded to 8 bits.wav")  # whose noise fills the quiet bands, whatever file carries it
    audio.write_wav(paths[1], np.round(waveform * 128) / 128, 48_000)
    for name in FORMATS:
        paths.append(folder / f"piano.{name}")
        paths[-1].write_bytes(encode(np.stack([waveform, waveform]), 48_000, name))
    done = run_tag(*paths)
    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stdout)
    assert [answer["file"] for answer in answers] == [str(path) for path in paths]
    return {
        path.name.removeprefix("piano."): {model: said["tags"] for model, said in answer["models"].items()}
        for path, answer in zip(paths, answers, strict=True)
    }


def top(tags: dict[str, float], n: int) -> set[str]:
    return set(sorted(tags, key=lambda tag: -tags[tag])[:n])


@pytest.mark.parametrize("name", FORMATS)
def test_tags_do_not_depend_on_the_format(name: str, by_format: dict[str, dict[str, dict[str, float]]]) -> None:
    """Within the codec's loss; where two tags are nearly as probable, rounding to 16 bits may already swap them."""
    largest = 0.02 if FORMATS[name].loss <= 1e-3 else 0.15
    original = "rounded to 8 bits.wav" if name == "8bit.wav" else "original.wav"
    for model, expected in by_format[original].items():
        got = by_format[name][model]
        difference = max(abs(got[tag] - expected[tag]) for tag in expected)
        assert difference < largest
        # the encoder of WMA drops the first 2,048 samples
        assert len(top(got, 5) & top(expected, 5)) >= (3 if name == "wma" else 4)


def test_fifty_damaged_files_give_fifty_answers(tmp_path: Path) -> None:
    """Ten hours of silence are left to `benchmarks/robustness.py`: they are well formed, and long."""
    paths = []
    kinds = [damaged for damaged in damaged_files(60, seed=7) if not damaged.n_zeros][:50]
    for i, damaged in enumerate(kinds):
        folder = tmp_path / str(i)
        folder.mkdir()
        paths.append(damaged.write(folder))
    done = run_tag("--", *paths)
    answers = json.loads(done.stdout)
    assert len(answers) == 50
    for answer in answers:
        assert "error" in answer or answer["models"]
        if "error" in answer:
            assert "\n" not in answer["error"]
            assert len(answer["error"]) > 10
    assert done.returncode == int(any("error" in answer for answer in answers))
    assert "Traceback" not in done.stderr
    assert all(line.startswith("msecnn tag: ") for line in done.stderr.splitlines())
