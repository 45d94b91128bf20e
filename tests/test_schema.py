"""Every answer as JSON says of which version it is, and docs/api.md tells what that version is."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from msecnn import tagger
from msecnn.checkpoint import bundled, of_table_1
from msecnn.cli import main, models, report_files
from msecnn.explain import explanation_json
from msecnn.ui import api
from msecnn.ui.server.context import AppContext
from msecnn.what_if import intervention

ROOT = Path(__file__).resolve().parents[1]
SONG = str(ROOT / "assets" / "examples" / "piano.mp3")
VERSIONS = {
    "tag": tagger.SCHEMA,
    "explain": explanation_json.SCHEMA,
    "what-if": intervention.SCHEMA,
    "models": models.SCHEMA,
    "evaluate": report_files.SCHEMA,
}


@pytest.fixture
def scores(tmp_path: Path) -> str:
    path = tmp_path / "scores.npz"
    draws = np.random.default_rng(0)
    np.savez(path, labels=draws.integers(0, 2, (20, 2)), scores=draws.random((20, 2)), tags=np.array(["a", "b"]))
    return str(path)


def objects(answer: Any) -> list[dict[str, Any]]:
    return answer if isinstance(answer, list) else [answer]


@pytest.mark.parametrize("command", VERSIONS)
def test_the_command_says_its_version(command: str, scores: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = {
        "tag": [SONG, "missing.mp3", "--model", "fcn5"],
        "explain": [SONG, "--model", "fcn5"],
        "what-if": [SONG, "--model", "fcn5", "--edit", "level=-10", "--no-evidence"],
        "evaluate": ["--scores", scores, "--bootstrap", "2"],
    }
    main([command, *words.get(command, []), "--format", "json"])
    answers = objects(json.loads(capsys.readouterr().out))
    assert len(answers) == {"tag": 2, "models": len((*bundled(), *of_table_1()))}.get(command, 1)
    assert {answer["schema"] for answer in answers} == {VERSIONS[command]}


def test_the_endpoint_of_models_says_its_version() -> None:
    rows = api.models_endpoint(AppContext.load())()
    assert {row["schema"] for row in rows} == {api.SCHEMA} == {models.SCHEMA}


@pytest.mark.parametrize("command", VERSIONS)
def test_docs_tell_the_version(command: str) -> None:
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8").split("## Versions of the answers")[1]
    (told,) = re.findall(rf"^\| `{command}[ `][^|]*\| (\d+) \|", text, flags=re.MULTILINE)
    assert int(told) == VERSIONS[command]
