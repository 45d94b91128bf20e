"""What `pip install .` brings tags files and libraries and gives the exact contributions: torch and more are hidden.

A finder that knows none of the extras' packages takes the place of Python's own in every process that is started,
workers included, so that what is told here is told of an installation without extras.
"""

import csv
import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from msecnn.checkpoint import of_table_1
from msecnn.explain import explain
from msecnn.tagger import Tagger

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "assets" / "examples"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
#: Imported as other names than they are installed by.
MODULES = {"scikit-learn": "sklearn"}
#: What only the extras bring along, and what their packages would bring.
HIDDEN = sorted(
    {
        MODULES.get(name, name)
        for name in (
            re.split(r"[\[>=]", line)[0] for lines in PROJECT["optional-dependencies"].values() for line in lines
        )
        if name != "msecnn"
    }
    | {"scipy", "pandas", "soundfile", "onnx"}
)
SITE = f"""
import sys

class Finder:
    def __init__(self, finder):
        self.finder = finder

    def find_spec(self, name, path=None, target=None):
        return None if name.partition(".")[0] in {set(HIDDEN)!r} else self.finder.find_spec(name, path, target)

    def __getattr__(self, name):
        return getattr(self.finder, name)

sys.meta_path[:] = [Finder(finder) for finder in sys.meta_path]
"""
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Runs Python where nothing but the light installation is."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "sitecustomize.py").write_text(SITE)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)])}

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, *words], env=environment, capture_output=True, text=True, cwd=ROOT)

    return run


def test_torch_is_hidden_indeed(run: Run) -> None:
    done = run("-c", "import torch")
    assert "No module named 'torch'" in done.stderr


def test_tags_of_a_file(run: Run) -> None:
    done = run("-m", "msecnn", "tag", str(EXAMPLES / "piano.mp3"), "--format", "json")
    assert done.returncode == 0, done.stderr
    (answer,) = json.loads(done.stdout)
    for name, told in answer["models"].items():
        prediction = Tagger.from_checkpoint(name, runtime="torch").tag(EXAMPLES / "piano.mp3", keep_mel=False)
        np.testing.assert_allclose(list(told["tags"].values()), prediction.probabilities, atol=1e-5)


def test_a_library_by_workers(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "tags.csv"
    files = [str(EXAMPLES / f"{name}.mp3") for name in ("piano", "metal")]
    done = run("-m", "msecnn", "tag", *files, "--out", str(out), "--jobs", "2")
    assert done.returncode == 0, done.stderr
    with out.open(encoding="utf-8", newline="") as table:
        assert {Path(row["file"]).stem for row in csv.DictReader(table)} == {"piano", "metal"}


def test_contributions(run: Run) -> None:
    done = run("-m", "msecnn", "explain", str(EXAMPLES / "piano.mp3"), "--contributions", "--format", "json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["tag"] == "piano"
    assert len(answer["scales"]) == 6
    total = answer["base_value"] + sum(scale["relative"] for scale in answer["scales"])
    assert total == pytest.approx(answer["logit"], abs=1e-4)


def test_contributions_name_the_winning_cells(run: Run) -> None:
    """They are those that torch finds, and each scale's add up to what it adds."""
    words = ["-m", "msecnn", "explain", str(EXAMPLES / "piano.mp3"), "--contributions", "--tag", "piano"]
    answer = json.loads(run(*words, "--format", "json").stdout)
    tagger = Tagger.from_checkpoint("msecnn", runtime="torch")
    explanation = explain(tagger, tagger.tag(EXAMPLES / "piano.mp3"), "piano")
    told = [(cell["scale"], cell["channel"], cell["start_s"], cell["high_hz"]) for cell in answer["cells"]]
    cells = explanation.evidence.cells
    assert sorted(told) == sorted((cell.scale, cell.channel, cell.start_s, cell.high_hz) for cell in cells)
    for scale in answer["scales"]:
        own = sum(cell["contribution"] for cell in answer["cells"] if cell["scale"] == scale["name"])
        assert own == pytest.approx(scale["contribution"], abs=1e-3)
    table = run(*words).stdout.splitlines()
    strongest = cells[0]
    assert f"{strongest.relative:+8.3f}  {strongest.scale:<8}{strongest.channel:>8}" in "\n".join(table)


def test_models(run: Run) -> None:
    listed = run("-m", "msecnn", "models").stdout
    assert "470,372 parameters" in listed
    assert not of_table_1() or f"also: {', '.join(of_table_1())}" in listed


@pytest.mark.parametrize(
    ("words", "extra"),
    [
        (["explain", "song.mp3"], "explain"),
        (["what-if", "song.mp3", "--edit", "speed=1.06"], "explain"),
        (["serve"], "page"),
        (["train", "--help"], "train"),
        (["distill", "--help"], "train"),
        (["tag", "song.mp3", "--runtime", "torch"], "torch"),
    ],
)
def test_a_command_that_needs_more_says_which_extra(run: Run, words: list[str], extra: str) -> None:
    done = run("-m", "msecnn", *words)
    assert done.returncode == 1
    (sentence,) = done.stderr.splitlines()
    assert "which is not installed" in sentence
    assert f"'.[{extra}]'" in sentence


def test_a_checkpoint_that_needs_torch_says_so(run: Run, tmp_path: Path) -> None:
    """A network on waveforms, or one of ours with a parameter that only torch knows."""
    card = json.loads((ROOT / "checkpoints" / "fcn5" / "card.json").read_text(encoding="utf-8"))
    (tmp_path / "card.json").write_text(json.dumps({**card, "architecture": "musicnn"}), encoding="utf-8")
    done = run("-m", "msecnn", "tag", str(EXAMPLES / "piano.mp3"), "--model", str(tmp_path))
    assert done.returncode == 1
    assert "This needs torch, which is not installed: pip install '.[torch]'" in done.stderr


def test_nothing_heavy_is_loaded_where_it_is_installed() -> None:
    """Tagging takes the runtime that starts sooner, also where torch could be had."""
    program = "import sys; from msecnn.cli import main; main(sys.argv[1:]); print(*sys.modules, file=sys.stderr)"
    words = ["tag", str(EXAMPLES / "piano.mp3"), "--device", "cpu"]
    done = subprocess.run([sys.executable, "-c", program, *words], capture_output=True, text=True, cwd=ROOT)
    assert "piano" in done.stdout
    assert not {name.partition(".")[0] for name in done.stderr.split()} & set(HIDDEN)
