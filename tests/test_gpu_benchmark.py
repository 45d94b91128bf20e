"""The one command for the day a GPU comes: its work stays on a fake device, and all of its parts run on the CPU."""

import importlib
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from test_gpu_dry_run import GPU, gpu
from torch._subclasses.fake_tensor import DataDependentOutputException

from msecnn import checkpoint
from msecnn.frontend import LogMelSpectrogram, MelConfig
from msecnn.tagger import Tagger

__all__ = ["gpu"]  # the fixture of a fake device

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"
CPU = torch.device("cpu")


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The program, with as little work as shows that a part runs."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    for name in ("training", "measuring"):  # those of the folder of benchmarks
        monkeypatch.delitem(sys.modules, name, raising=False)
    module = importlib.import_module("gpu")
    for name, little in {"N_WINDOWS": 1, "REPEATS": 1, "SHORT_S": 1, "LONG_S": 2, "METHODS": ("gradient",)}.items():
        monkeypatch.setattr(module, name, little)
    return module


@pytest.mark.parametrize("name", checkpoint.bundled())
def test_the_timed_work_stays_on_the_device(gpu: Any, program: ModuleType, name: str) -> None:
    loaded, frontend = checkpoint.load(name), LogMelSpectrogram(MelConfig())
    assert loaded.model.scales  # made here: what is fake cannot be moved
    with gpu:
        tagger = Tagger(loaded)
        waveforms = torch.empty(2, MelConfig().window_samples, device=GPU)
        work = program.device_work(tagger, frontend.to(GPU), waveforms)
        assert work["front end"]().device.type == "cuda"
        assert work["network"]().device.type == "cuda"
        with pytest.raises(DataDependentOutputException):  # it comes as far as to ask which cells won
            work["gradients"]()


def test_the_fake_device_finds_what_was_left_behind(gpu: Any, program: ModuleType) -> None:
    loaded, frontend = checkpoint.load("fcn5"), LogMelSpectrogram(MelConfig())
    assert loaded.model.scales  # made here: what is fake cannot be moved
    with gpu:
        tagger = Tagger(loaded)
        with pytest.raises(Exception, match="device"):
            program.device_work(tagger, frontend.to(GPU), torch.empty(2, MelConfig().window_samples))


@pytest.mark.slow
def test_every_part_gives_its_figures(program: ModuleType) -> None:
    assert set(program.steps(CPU)) == set(checkpoint.bundled())
    assert set(program.recordings(CPU)) == {"1 s", "2 s"}
    assert set(program.explanations(CPU)) == {"gradient"}
    assert program.training(CPU, 2)["clips_per_s"] > 0


@pytest.mark.slow
def test_the_command_ends_in_time_and_names_what_it_left_out(
    program: ModuleType, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    out = tmp_path / "gpu.json"
    words = ["gpu.py", "--device", "cpu", "--seconds", "1", "--out", str(out)]
    monkeypatch.setattr(sys, "argv", words)
    assert program.main() == 0
    result = json.loads(capsys.readouterr().out)
    assert result == json.loads(out.read_text())
    assert result["gpu"]["left_out"] == ["steps", "recordings", "explanations", "training"]
    parity = result["gpu"]["parity"]
    assert parity["passes"] is True
    assert parity["training_loss"] == 0
    assert {parity[name][what] for name in checkpoint.bundled() for what in ("logits", "gradient_maps")} == {0}


@pytest.mark.slow
def test_a_device_that_computes_something_else_ends_with_one(
    program: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(program, "SELFTEST_TOLERANCE", -1.0)
    monkeypatch.setattr(sys, "argv", ["gpu.py", "--device", "cpu", "--seconds", "1"])
    assert program.main() == 1
