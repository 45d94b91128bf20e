"""A card's command and configuration are held against each other."""

import json
import logging
import shutil
from pathlib import Path
from typing import Any

import pytest

from msecnn import checkpoint
from msecnn.checkpoint import BUNDLED, CARD, CheckpointError, bundled
from msecnn.run_record import complaint, contradictions

CONFIG = {"seed": 2, "mix": 0.3, "patience": None, "frozen": [], "augmentation": {"roll": True, "loop": 0.1}}


def card(command: str, **changes: Any) -> dict[str, Any]:
    distillation = {"auxiliary": True, "train": CONFIG}
    run = {"command": command, "config": CONFIG, "model": "fcn5", "distillation": distillation, "teachers": ["a"]}
    return {"architecture": "fcn5", "teachers": [{"name": "a"}], "run": run, **changes}


@pytest.mark.parametrize(
    "words",
    [
        "",
        "--seed 2 --mix 0.3 --model fcn5",
        "--seed=2 --mix=3e-1",
        "--seed 1 --seed 2",
        "--auxiliary --roll --frozen --out 'a b' --data x.jsonl --teacher a b",
    ],
)
def test_what_agrees_passes(words: str) -> None:
    assert complaint(card(f"python -m msecnn distill {words}")) is None


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("--seed 0", "its command says 0 for seed, its configuration 2"),
        ("--mix 0", "its command says 0 for mix, its configuration 0.3"),
        ("--no-auxiliary", "its command says no for auxiliary, its configuration True"),
        ("--no-roll", "its command says no for roll, its configuration True"),
        ("--loop 0 ", "its command says 0 for loop, its configuration 0.1"),
        ("--patience 3", "its command says 3 for patience, its configuration None"),
        ("--frozen levels.", "its command says levels. for frozen, its configuration []"),
        ("--model msecnn", "its command says msecnn for model, its configuration fcn5"),
    ],
)
def test_what_disagrees_is_told(words: str, sentence: str) -> None:
    assert complaint(card(f"msecnn distill {words}")) == sentence


def test_the_words_of_another_program_are_not_ours_to_read() -> None:
    assert complaint(card("run.py recipes/x.toml --seed 7")) is None


def test_a_known_contradiction_passes_as_it_is_and_not_otherwise() -> None:
    made = card("msecnn distill --seed 0")
    (found,) = contradictions(made)
    known = found.to_json() | {"explanation": "an option of 0 was taken for not given"}
    assert complaint(made | {"known_contradictions": [known]}) is None
    assert "says 0 for seed" in str(complaint(made | {"known_contradictions": [known | {"configuration": 1}]}))
    agreeing = card("msecnn distill --seed 2", known_contradictions=[known])
    assert complaint(agreeing) == "it tells of a contradiction in seed that is not there"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"architecture": "msecnn"}, "its run trained fcn5"),
        ({"teachers": [{"name": "b"}]}, "other teachers"),
        ({"run": []}, "damaged"),
        ({"run": {"command": "msecnn train --out 'half"}}, "No closing quotation"),
        ({"known_contradictions": 3}, "cannot be read"),
    ],
)
def test_other_disagreements_and_damage_are_told(changes: dict[str, Any], sentence: str) -> None:
    assert sentence in str(complaint(card("msecnn distill") | changes))


@pytest.mark.parametrize("name", bundled())
def test_bundled_cards_agree_with_themselves(name: str) -> None:
    whole = json.loads((BUNDLED / name / CARD).read_text(encoding="utf-8"))
    assert complaint(whole) is None
    told = {entry["option"]: entry for entry in whole["known_contradictions"]}
    for entry in told.values():
        assert len(entry["explanation"]) > 40
    words = whole["run"]["command"].split()
    if "seed" not in told:
        assert int(words[words.index("--seed") + 1]) == whole["run"]["config"]["seed"]


def test_a_contradictory_bundled_card_is_refused_and_one_of_your_own_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    folder = Path(shutil.copytree(BUNDLED / "fcn5", tmp_path / "fcn5"))
    whole = json.loads((folder / CARD).read_text(encoding="utf-8"))
    whole["run"]["config"]["seed"] = whole["run"]["distillation"]["train"]["seed"] = 7
    (folder / CARD).write_text(json.dumps(whole), encoding="utf-8")
    with caplog.at_level(logging.WARNING):
        checkpoint.load(folder)
    assert "contradicts itself: its command says 2 for seed, its configuration 7." in caplog.text
    monkeypatch.setattr(checkpoint, "BUNDLED", tmp_path)
    with pytest.raises(CheckpointError, match="contradicts itself: its command says 2 for seed"):
        checkpoint.load("fcn5")
