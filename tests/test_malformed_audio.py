"""Hostile input through the command line, the page, checkpoints and manifests: an answer or a sentence, never a crash.

benchmarks/robustness.py sends 1,000 files (tests/corrupt_audio.py) through the library, the command line and the page;
here a few go the same ways.
"""

import hashlib
import json
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
import torch
from corrupt_audio import DamagedFile, damaged_files
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from running_page import ROOT, RunningPage, Visitor
from safetensors.torch import load_file, save

sys.path.insert(0, str(ROOT / "benchmarks"))

import entry_points
import robustness

from msecnn import checkpoint
from msecnn.checkpoint import CARD, WEIGHTS, CheckpointError
from msecnn.data.manifest import FORMAT, Manifest
from msecnn.errors import DatasetError, MsecnnError
from msecnn.frontend import MelConfig
from msecnn.tagger import Tagger

N_FILES, SEED = 42, 1
#: Seconds for a file: a machine with much else to do is not what is tested here.
PATIENCE_S = 120.0


@pytest.fixture(scope="module")
def damaged() -> list[DamagedFile]:
    return [file for file in damaged_files(N_FILES, seed=SEED) if file.kind != entry_points.LONG]


def test_the_command_line_answers_for_every_file(damaged: list[DamagedFile], tmp_path: Path) -> None:
    found = entry_points.through_command_line(damaged, tmp_path, time_limit_s=PATIENCE_S, n_alone=2)
    assert not robustness.failures(found)
    assert len(found) == len(damaged)
    assert sum(one.answer == "refused" for one in found) > 5
    assert sum(one.answer in ("answered", "noted") for one in found) > 5


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPage]:
    uploads = str(tmp_path_factory.mktemp("uploads"))
    with RunningPage("--patience", "300", environment={"GRADIO_TEMP_DIR": uploads}) as page:
        yield page


def test_the_page_answers_for_every_file(page: RunningPage, damaged: list[DamagedFile], tmp_path: Path) -> None:
    visitor = Visitor(page.address)
    n_opened = 0
    for number, file in enumerate(damaged):
        path = tmp_path / str(number)
        path.write_bytes(file.data)
        place = visitor.upload(path, file.name)
        answer = visitor.ask("open", path=place, name=file.name, models=["fcn5"])
        assert "our side" not in answer.get("error", ""), f"{file.kind}: a bug of ours, in the server's log"
        assert ("error" in answer) != ("models" in answer)
        n_opened += "models" in answer
    assert n_opened > 5
    assert page.process.poll() is None
    assert page.memory_mb() < robustness.MEMORY_LIMIT_MB
    assert "error" not in visitor.ask("open", example="piano")


def test_programs_are_answered_too(page: RunningPage, damaged: list[DamagedFile], tmp_path: Path) -> None:
    found = entry_points.through_running_page(page, damaged[:20], tmp_path, time_limit_s=PATIENCE_S)
    assert not robustness.failures(found)
    assert {one.name for one in found} == {file.name for file in damaged[:20]}
    assert any("is not a recording in a format that can be read." in one.message for one in found)


def test_what_is_no_answer_is_noticed() -> None:
    (file,) = damaged_files(1, seed=SEED)
    judged = {
        "The recording is too long.": "refused",
        "Something broke on our side; it has been noted.": "crash",
        "ValueError: two\nlines.": "crash",
        "No sentence": "crash",
        ("Resampled from 44,100 Hz to 12,000 Hz.",): "answered",
        ("The file is cut short or damaged.",): "noted",
    }
    for said, expected in judged.items():
        assert entry_points.outcome(file, said, 1.0, 100.0, time_limit_s=10).answer == expected
    assert entry_points.outcome(file, (), 11.0, 100.0, time_limit_s=10).answer == "hang"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copytree(ROOT / "checkpoints" / "fcn5", tmp_path_factory.mktemp("checkpoint") / "fcn5"))


def read_or_sentence(read: Callable[[Path], object], path: Path, refusal: type[MsecnnError]) -> None:
    """What cannot be read is refused in one line; any other error fails the test."""
    try:
        read(path)
    except refusal as error:
        said = str(error)
    else:
        return
    assert "\n" not in said


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=8,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_malformed_safetensors_file(folder: Path, data: st.DataObject) -> None:
    """The header with its lengths and offsets is changed or cut, and the card's hash agrees with it."""
    whole = (ROOT / "checkpoints" / "fcn5" / WEIGHTS).read_bytes()
    content = bytearray(whole)
    header_end = 8 + int.from_bytes(whole[:8], "little")
    for at in data.draw(st.lists(st.integers(0, header_end), max_size=5)):
        content[at] = data.draw(st.integers(0, 255))
    cut = data.draw(st.sampled_from([len(content), header_end, header_end - 1, 8, 7, 0]))
    content = content[:cut]
    (folder / WEIGHTS).write_bytes(content)
    card = json.loads((ROOT / "checkpoints" / "fcn5" / CARD).read_text(encoding="utf-8"))
    (folder / CARD).write_text(json.dumps(card | {"sha256": hashlib.sha256(content).hexdigest()}))
    read_or_sentence(checkpoint.load, folder, CheckpointError)


CARD_FIELDS = sorted(json.loads((ROOT / "checkpoints" / "fcn5" / CARD).read_text(encoding="utf-8")))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(key=st.sampled_from(CARD_FIELDS), value=ANYTHING)
def test_a_malformed_card(folder: Path, key: str, value: object) -> None:
    card = json.loads((ROOT / "checkpoints" / "fcn5" / CARD).read_text(encoding="utf-8"))
    (folder / CARD).write_text(json.dumps(card | {key: value}))
    read_or_sentence(checkpoint.load, folder, CheckpointError)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    parameter=st.sampled_from([field.name for field in fields(MelConfig)]),
    value=ANYTHING | st.sampled_from([2**20, 2**40, 1e300, 1, 2, 16]),
)
def test_a_malformed_front_end(folder: Path, parameter: str, value: object) -> None:
    card = json.loads((ROOT / "checkpoints" / "fcn5" / CARD).read_text(encoding="utf-8"))
    (folder / CARD).write_text(json.dumps(card | {"front_end": {**card["front_end"], parameter: value}}))
    read_or_sentence(checkpoint.load, folder, CheckpointError)


TENSORS = sorted(load_file(ROOT / "checkpoints" / "fcn5" / WEIGHTS))
NUMBERS = st.sampled_from([0.0, -1.0, 1e-30, 1e30, 3e38, -3e38, float("inf"), float("nan")])
FRACTIONS, WHOLE = (torch.float32, torch.float16, torch.bfloat16, torch.float64), (torch.int64, torch.int8, torch.bool)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from(TENSORS), number=NUMBERS, kind=st.sampled_from([*FRACTIONS, *WHOLE]))
def test_malformed_weights_tag_or_tell(folder: Path, name: str, number: float, kind: torch.dtype) -> None:
    """Whatever one tensor holds, and in whatever type: what loads then tags with finite numbers, or says why not."""
    tensors = load_file(ROOT / "checkpoints" / "fcn5" / WEIGHTS)
    filling = torch.full(tensors[name].shape, 1 if kind in WHOLE else number).to(kind)
    content = save(tensors | {name: filling})
    (folder / WEIGHTS).write_bytes(content)
    card = json.loads((ROOT / "checkpoints" / "fcn5" / CARD).read_text(encoding="utf-8"))
    (folder / CARD).write_text(json.dumps(card | {"sha256": hashlib.sha256(content).hexdigest()}))

    def tag(folder: Path) -> None:
        noise = np.random.default_rng(0).normal(0, 0.1, 12_000).astype(np.float32)
        prediction = Tagger.from_checkpoint(folder, device="cpu").tag((noise, 12_000))
        assert np.isfinite(prediction.probabilities).all()

    read_or_sentence(tag, folder, MsecnnError)


HEADER = {
    "format": FORMAT, "name": "n", "licence": "", "n_clips": 1, "audio_root": ".", "absent_tags": 0, "tags": ["a", "b"],
    "left_out": {},
}  # fmt: skip
ROW = {
    "clip_id": "1", "path": "1.mp3", "split": "train", "labels": {"a": 1}, "group": None, "start_s": 0.0,
    "duration_s": 1.0, "hash": None,
}  # fmt: skip


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    header=st.dictionaries(st.sampled_from([*HEADER]), ANYTHING, max_size=2),
    missing=st.sets(st.sampled_from([*HEADER]), max_size=1),
    row=st.dictionaries(st.sampled_from([*ROW]), ANYTHING, max_size=2),
)
def test_a_malformed_manifest(tmp_path_factory: pytest.TempPathFactory, header: dict, missing: set, row: dict) -> None:
    path = tmp_path_factory.getbasetemp() / "malformed.jsonl"
    first = {key: value for key, value in {**HEADER, **header}.items() if key not in missing}
    path.write_text(f"{json.dumps(first)}\n{json.dumps({**ROW, **row})}\n")
    read_or_sentence(Manifest.read, path, DatasetError)
