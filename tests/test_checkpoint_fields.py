"""Every field that a card of ours has, and every tensor of a self-test, with anything in it: refused, or of no harm.

The fields are read from the bundled checkpoints: one that a program writes anew is tried as soon as they have it.
"""

import json
import math
import shutil
from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from msecnn import checkpoint
from msecnn.checkpoint import BUNDLED, CARD, SELFTEST, CheckpointError
from msecnn.cli.models import describe
from msecnn.explain.faithfulness_card import verdicts
from msecnn.tagger import Tagger
from msecnn.ui import api, export
from msecnn.ui.server.context import AppContext
from msecnn.ui.server.session import Session
from msecnn.ui.tabs.tags import show_calibration

CARDS = {name: json.loads((BUNDLED / name / CARD).read_text(encoding="utf-8")) for name in checkpoint.bundled()}
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.just("\x1b[2J"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
#: Levels of objects in objects whose fields are tried one by one.
DEPTH = 2


def paths(value: Any, depth: int = DEPTH) -> Iterator[tuple[str | int, ...]]:
    """Where fields are, of objects and of the first of a list's objects."""
    parts = value.items() if isinstance(value, dict) else [(0, value[0])] if isinstance(value, list) and value else []
    for key, part in parts if depth else []:
        yield (key,)
        yield from ((key, *rest) for rest in paths(part, depth - 1))


FIELDS = sorted({path for card in CARDS.values() for path in paths(card)}, key=str)


def changed(card: dict[str, Any], path: tuple[str | int, ...], value: Any) -> dict[str, Any]:
    card = deepcopy(card)
    place: Any = card
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return card


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copytree(BUNDLED / "fcn5", tmp_path_factory.mktemp("checkpoint") / "fcn5"))


def use(loaded: checkpoint.Checkpoint) -> None:
    """All that a page and a command line show of a card."""
    json.dumps(describe(loaded))
    for verdict in verdicts(loaded).values():
        assert verdict.sentence.isprintable()
    taggers: Any = {"mine": SimpleNamespace(checkpoint=loaded)}
    context = AppContext(taggers=taggers, examples={}, max_s=60.0, max_bytes=1)
    json.dumps(api._describe(context, "mine"))
    session = opened()
    json.dumps(export._settings(context, session))
    show_calibration(context, session, {})


@cache
def opened() -> Session:
    noise = np.random.default_rng(0).normal(0, 0.1, 12_000).astype(np.float32)
    prediction = Tagger.from_checkpoint("fcn5", device="cpu").tag((noise, 12_000))
    return Session(Path("x.wav"), "x", None, {"mine": prediction}, prediction)


@pytest.mark.parametrize("path", FIELDS, ids=lambda path: ".".join(map(str, path)))
@settings(max_examples=3, deadline=None, suppress_health_check=[*HealthCheck])
@given(value=ANYTHING)
def test_whatever_a_field_holds_it_is_refused_in_a_sentence_or_can_be_shown(
    folder: Path, path: tuple[str | int, ...], value: Any
) -> None:
    if path[0] not in CARDS["fcn5"]:
        pytest.skip("of another bundled card")
    try:
        card = changed(CARDS["fcn5"], path, value)
    except (KeyError, IndexError):
        pytest.skip("of another bundled card")
    (folder / CARD).write_text(json.dumps(card), encoding="utf-8")
    try:
        loaded = checkpoint.load(folder)
    except CheckpointError as error:
        sentence = str(error)
    else:
        use(loaded)
        return
    assert "\n" not in sentence
    assert "Error" not in sentence


def test_a_card_without_a_field_is_refused_or_can_be_shown(folder: Path) -> None:
    for name in CARDS["fcn5"]:
        (folder / CARD).write_text(json.dumps({key: part for key, part in CARDS["fcn5"].items() if key != name}))
        try:
            loaded = checkpoint.load(folder)
        except CheckpointError:
            continue
        use(loaded)


@pytest.mark.parametrize(
    "calibration", [7, "rows", [7], [{}], {"bins": None}, {}, [{"claimed": "x", "true": 0.1, "n": 1}], [[0.1]]]
)
def test_a_calibration_that_cannot_be_drawn_is_refused(folder: Path, calibration: Any) -> None:
    (folder / CARD).write_text(json.dumps(CARDS["fcn5"] | {"calibration": calibration}))
    with pytest.raises(CheckpointError, match="calibration must be rows of numbers"):
        checkpoint.load(folder)


SELFTEST_TENSORS = sorted({name for card in CARDS for name in load_file(BUNDLED / card / SELFTEST)})


@pytest.fixture(scope="module")
def verified(tmp_path_factory: pytest.TempPathFactory) -> checkpoint.Checkpoint:
    folder = tmp_path_factory.mktemp("verified") / "msecnn"
    return checkpoint.load(shutil.copytree(BUNDLED / "msecnn", folder))


@pytest.mark.parametrize("name", SELFTEST_TENSORS)
@pytest.mark.parametrize(
    "wrong",
    [
        None,
        torch.zeros(0),
        torch.zeros(()),
        torch.zeros(3, 3),
        torch.zeros(5, dtype=torch.bool),
        torch.ones(5, dtype=torch.int8),
        torch.full((12_000,), math.nan),
    ],
    ids=["missing", "empty", "scalar", "square", "bool", "int8", "nan"],
)
def test_a_self_test_with_another_tensor_fails_with_a_sentence(
    verified: checkpoint.Checkpoint, name: str, wrong: torch.Tensor | None
) -> None:
    tensors = load_file(BUNDLED / "msecnn" / SELFTEST)
    if name not in tensors:
        pytest.skip("of another bundled checkpoint")
    del tensors[name]
    save_file(tensors if wrong is None else tensors | {name: wrong}, verified.folder / SELFTEST)
    with pytest.raises(CheckpointError) as told:
        checkpoint.verify(verified)
    assert "\n" not in str(told.value)


def test_the_right_one_passes(verified: checkpoint.Checkpoint) -> None:
    shutil.copy(BUNDLED / "msecnn" / SELFTEST, verified.folder / SELFTEST)
    checkpoint.verify(verified)
