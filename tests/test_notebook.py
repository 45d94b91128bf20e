"""The notebook for a class runs from top to bottom on one thread, shows its figures, and stays small."""

import base64
import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
LONGEST_S = 60  # of a processor's time

pytestmark = pytest.mark.slow


def executed(path: Path, folder: Path) -> tuple[Any, float]:
    """The notebook with its outputs, and the seconds of processor time that this took."""
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    resource = pytest.importorskip("resource", reason="processes are not timed here")
    environment = {
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": str(ROOT),
        "IPYTHONDIR": str(folder),
        "CUDA_VISIBLE_DEVICES": "",
    }
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    notebook = nbformat.read(path, as_version=4)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setitem(os.environ, name, value)
        nbclient.NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(folder)}}).execute()
    time.sleep(0.1)  # for the kernel to be counted among those that have ended
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return notebook, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_runs_from_an_empty_folder_and_shows_its_figures(path: Path, tmp_path: Path) -> None:
    notebook, seconds = executed(path, tmp_path)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    pictures = [output["data"]["image/png"] for output in outputs if "image/png" in output.get("data", {})]
    assert len(pictures) == 7
    assert all(base64.b64decode(picture).startswith(b"\x89PNG") for picture in pictures)
    printed = "".join(output["text"] for output in outputs if output["output_type"] == "stream")
    assert "piano" in printed
    assert "clips that it never heard" in printed
    warnings = [output["text"] for output in outputs if output.get("name") == "stderr"]
    assert not [text for text in warnings if "ipywidgets" not in text]  # tqdm asks for these, and does without
    assert seconds < LONGEST_S
    assert list(tmp_path.glob("[!.]*")) == [] or {path.name for path in tmp_path.glob("[!.]*")} <= {"profile_default"}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_is_kept_without_outputs(path: Path) -> None:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    assert not [cell for cell in cells if cell.get("outputs") or cell.get("execution_count")]


def test_there_is_one() -> None:
    assert NOTEBOOKS
