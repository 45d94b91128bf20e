"""A checkpoint comes back as it was saved, and every way in which it can be wrong has its own sentence."""

import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from msecnn import checkpoint
from msecnn.checkpoint import CARD, SELFTEST, WEIGHTS, CheckpointError
from msecnn.frontend import MelConfig
from msecnn.models import registry

TAGS = ("guitar", "slow", "choral")


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    model = registry.create("msecnn", n_tags=3)
    folder = tmp_path_factory.mktemp("saved") / "mine"
    means = {scale: torch.rand(count) for scale, count in model.n_features.items()}
    card = {"trained_on": "noise", "licence": "MIT"}
    config = MelConfig(top_db=80.0)
    checkpoint.save(folder, model, mel_config=config, tags=TAGS, card=card, mean_features=means)
    return folder


@pytest.fixture
def folder(original: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(original, tmp_path / "mine"))


def edit_card(folder: Path, **changes: Any) -> None:
    card = json.loads((folder / CARD).read_text())
    (folder / CARD).write_text(json.dumps({**card, **changes}))


def test_comes_back_as_it_was(folder: Path) -> None:
    loaded = checkpoint.load(folder)
    assert (loaded.name, loaded.tags, loaded.untrained) == ("mine", TAGS, False)
    assert loaded.mel_config == MelConfig(top_db=80.0)
    assert loaded.card["trained_on"] == "noise"
    assert loaded.card["n_parameters"] == sum(parameter.numel() for parameter in loaded.model.parameters())
    assert not loaded.model.training
    assert loaded.mean_features is not None
    assert loaded.mean_features.keys() == loaded.model.n_features.keys()
    torch.manual_seed(0)
    for name, tensor in registry.create("msecnn", n_tags=3).state_dict().items():
        assert torch.equal(tensor, loaded.model.state_dict()[name])
    checkpoint.verify(loaded)


def test_holds_no_pickle(folder: Path) -> None:
    assert sorted(path.name for path in folder.iterdir()) == [CARD, WEIGHTS, SELFTEST]


def test_selftest_notices_another_network(folder: Path) -> None:
    loaded = checkpoint.load(folder)
    with torch.no_grad():
        loaded.model.classifier.bias += 0.1
    with pytest.raises(CheckpointError, match="failed its self-test: logits"):
        checkpoint.verify(loaded)


def test_missing_folder() -> None:
    with pytest.raises(CheckpointError, match=r"no checkpoint 'nowhere'.*bundled"):
        checkpoint.load("nowhere")


def test_missing_weights(folder: Path) -> None:
    (folder / WEIGHTS).unlink()
    with pytest.raises(CheckpointError, match="cannot be read: No such file"):
        checkpoint.load(folder)


def test_lfs_pointer(folder: Path) -> None:
    (folder / WEIGHTS).write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
    with pytest.raises(CheckpointError, match="Git LFS pointer"):
        checkpoint.load(folder)


def test_wrong_hash(folder: Path) -> None:
    content = bytearray((folder / WEIGHTS).read_bytes())
    content[-1] ^= 1
    (folder / WEIGHTS).write_bytes(content)
    with pytest.raises(CheckpointError, match="SHA-256"):
        checkpoint.load(folder)


def replace_weights(folder: Path, **tensors: torch.Tensor) -> None:
    """Changes tensors and makes the card agree, so that only the content is wrong."""
    import hashlib

    save_file({**load_file(folder / WEIGHTS), **tensors}, folder / WEIGHTS)
    edit_card(folder, sha256=hashlib.sha256((folder / WEIGHTS).read_bytes()).hexdigest())


def test_wrong_shape(folder: Path) -> None:
    replace_weights(folder, **{"classifier.bias": torch.zeros(4)})
    with pytest.raises(CheckpointError, match=r"classifier.bias has shape \(4,\).*needs \(3,\)"):
        checkpoint.load(folder)


def test_unexpected_weights(folder: Path) -> None:
    replace_weights(folder, stranger=torch.zeros(4))
    with pytest.raises(CheckpointError, match="stranger"):
        checkpoint.load(folder)


def test_mean_features_of_another_network(folder: Path) -> None:
    replace_weights(folder, **{"mean_features.level5": torch.zeros(4)})
    with pytest.raises(CheckpointError, match="mean_features"):
        checkpoint.load(folder)


def test_weights_that_are_no_numbers(folder: Path) -> None:
    replace_weights(folder, **{"classifier.bias": torch.full((3,), float("nan"))})
    with pytest.raises(CheckpointError, match=r"classifier\.bias.*not finite"):
        checkpoint.load(folder)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"architecture": "resnet"}, "no model is called 'resnet'"),
        ({"schema": 99}, "schema 99"),
        ({"tags": ["guitar"]}, "names 1 tags for a network with 3 outputs"),
        ({"parameters": {"n_tags": 3, "colour": "red"}}, "cannot be built"),
        ({"parameters": {"n_tags": 10**15}}, "names 3 tags"),
        ({"parameters": {"n_tags": -3}}, "names 3 tags"),
        ({"parameters": {"n_tags": 3, "n_mels": 10**15}}, "cannot be built"),
        ({"parameters": "n_tags=3"}, "not a card"),
        ({"front_end": {"n_fft": 512, "colour": "red"}}, "not a card"),
        ({"front_end": {"sample_rate": 16_000, "n_mels": 128}}, "128 mel bands"),
        ({"tags": None}, "not a card"),
    ],
)
def test_wrong_card(folder: Path, changes: dict[str, Any], sentence: str) -> None:
    edit_card(folder, **changes)
    with pytest.raises(CheckpointError, match=sentence):
        checkpoint.load(folder)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"front_end": {"n_fft": 2**40}}, "n_fft must be a whole number from 2 to 65536"),
        ({"front_end": {"hop_length": True}}, "hop_length must be a whole number"),
        ({"front_end": {"f_min": 7_000.0}}, "f_max must lie above f_min"),
        ({"front_end": {"f_max": float("nan")}}, "f_max must be a number"),
        ({"front_end": {"top_db": "80"}}, "top_db must be a number"),
        ({"front_end": {"doubled_db": 1}}, "doubled_db must be true or false"),
        ({"front_end": {"hop_length": 60_000}}, "at most 33,554,432 samples"),
        ({"parameters": {"n_tags": 3, "n_mels": 96.0}}, "n_mels must be a whole number"),
        ({"parameters": {"n_tags": 3, "n_mels": 4, "n_frames": 9}}, "fewer than the poolings make one of"),
        ({"tags": ["guitar", "slow", "\x1b[2Jvocal"]}, "a tag that cannot be shown"),
        ({"tags": ["guitar", "slow", "x" * 101]}, "up to 100 printable characters"),
        ({"tags": ["guitar", "slow", "guitar"]}, "names a tag twice"),
        ({"tags": [1, 2, 3]}, "a tag that cannot be shown"),
        ({"untrained": "no"}, "untrained must be true or false"),
        ({"trained_on": ["music"]}, "trained_on must be text"),
        ({"sha256": "0"}, "sha256 must be the hash"),
    ],
)
def test_a_card_that_would_not_run_or_show_is_refused(folder: Path, changes: dict[str, Any], sentence: str) -> None:
    edit_card(folder, **changes)
    with pytest.raises(CheckpointError, match=re.escape(sentence)) as caught:
        checkpoint.load(folder)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("file", [WEIGHTS, CARD, SELFTEST])
@pytest.mark.parametrize("kind", ["device", "pipe"])
def test_a_link_to_a_device_or_a_pipe_is_refused_at_once(folder: Path, tmp_path: Path, file: str, kind: str) -> None:
    (folder / file).unlink()
    if kind == "device":
        (folder / file).symlink_to("/dev/zero")
    else:
        os.mkfifo(tmp_path / "pipe")
        (folder / file).symlink_to(tmp_path / "pipe")
    with pytest.raises(CheckpointError, match="not a regular file" if file != CARD else "There is no checkpoint"):
        checkpoint.verify(checkpoint.load(folder))


def test_weights_far_larger_than_their_network_are_not_read(folder: Path) -> None:
    with (folder / WEIGHTS).open("r+b") as file:
        file.truncate(2**40)
    with pytest.raises(CheckpointError, match="it is larger than"):
        checkpoint.load(folder)


def test_whole_numbers_are_no_weights(folder: Path) -> None:
    replace_weights(folder, **{"classifier.bias": torch.ones(3, dtype=torch.int64)})
    with pytest.raises(CheckpointError, match=r"classifier\.bias is of int64; its architecture needs fractions"):
        checkpoint.load(folder)


def test_a_variance_is_not_below_zero(folder: Path) -> None:
    replace_weights(folder, **{"input_norm.running_var": torch.full((96,), -1.0)})
    with pytest.raises(CheckpointError, match=r"input_norm\.running_var holds variances below zero"):
        checkpoint.load(folder)


@pytest.mark.parametrize("content", ["", "[]", "{", "[" * 100_000, "\xff"])
def test_card_that_is_no_card(folder: Path, content: str) -> None:
    (folder / CARD).write_text(content, encoding="latin-1")
    with pytest.raises(CheckpointError):
        checkpoint.load(folder)


def test_missing_selftest(folder: Path) -> None:
    (folder / SELFTEST).unlink()
    with pytest.raises(CheckpointError, match="cannot be read"):
        checkpoint.verify(checkpoint.load(folder))


@pytest.mark.parametrize("name", checkpoint.bundled())
def test_bundled_checkpoints_pass_their_selftest(name: str) -> None:
    loaded = checkpoint.load(name)
    checkpoint.verify(loaded)
    assert loaded.mean_features is not None


def test_both_networks_are_bundled() -> None:
    assert set(checkpoint.bundled()) >= {"fcn5", "msecnn"}
