"""A distilled network's card says what follows from its run, and nothing else."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from msecnn.data.manifest import Clip, Manifest
from msecnn.distillation.linear_head import LinearHead, logit
from msecnn.distillation.model_card import Measured, model_card, rank_correlations, sentences, weakest
from msecnn.distillation.soft_labels import SoftLabels
from msecnn.tags import MAGNATAGATUNE_TAGS

OWN_TAGS = ("bell", "drone", "hiss", "whistle")


def clips(n_train: int, n_valid: int, licence: str = "CC0-1.0") -> tuple[Clip, ...]:
    splits = ["train"] * n_train + ["valid"] * n_valid
    return tuple(
        Clip(str(i), Path(str(i)), split, np.full(len(OWN_TAGS), np.nan), hash=str(i), extra={"licence": licence})
        for i, split in enumerate(splits)
    )


def labels(name: str, architecture: str, tags: tuple[str, ...] = OWN_TAGS) -> SoftLabels:
    return SoftLabels(name, architecture, "f", tags, 3.0, {})


def measured(n_tags: int = len(OWN_TAGS)) -> Measured:
    """Validation clips on which the last tag is ranked backwards; training clips that never have the first one."""
    targets = np.tile(np.linspace(0.1, 0.9, 9)[:, None], (1, n_tags))
    said = targets.copy()
    said[:, -1] = targets[::-1, -1]
    train = targets.copy()
    train[:, 0] = 0.2
    head = LinearHead(np.zeros((n_tags, 3)), np.zeros(n_tags), 0.1, 0.01, 0.5)
    return Measured(head, {"level5": 1.0}, train, logit(said), targets)


def made_up(licence: str = "CC0-1.0", **run: Any) -> dict[str, Any]:
    """The card of a run from nothing, of two teachers that nobody knows, with tags of their own."""
    manifest = Manifest(OWN_TAGS, clips(20, 9, licence), "noises")
    config = {"order": "literal", "epochs": 3}
    record = {"config": config, "distillation": {"auxiliary": False}, "best_epoch": 2} | run
    teachers = [labels("ada", "a_network_of_theirs"), labels("bea", "another")]
    return model_card(record, manifest, teachers, measured(), came_from={"warm_start": None})


def test_nothing_of_the_bundled_networks_is_said_of_another() -> None:
    prose = " ".join(made_up()[key] for key in ("trained_on", "limits", "differences_from_paper"))
    for word in ("synth", "sitar", "games", "start from", "pooling", "second classifier", "musicnn"):
        assert word not in prose
    assert "terms" not in made_up(), "nothing is known of what these teachers learned from"
    assert "licence" not in made_up(), "whoever publishes weights says under which licence"


def test_each_sentence_follows_from_the_run() -> None:
    card = made_up()
    assert card["trained_on"] == "what ada, bea say of 20 clips (noises); not on MagnaTagATune itself"
    assert card["limits"] == (
        "It imitates ada, bea, mistakes included. It was not trained on MagnaTagATune's audio and has no score on it. "
        "It ranks the 9 validation clips least as their mean does (rank correlation) for whistle -1.00, bell 1.00. "
        "No clip of its training music has a target of 0.5 or more for bell."
    )
    assert card["differences_from_paper"] == (
        "Trained on the mean probability of 2 networks instead of labels; the classifier is fitted to the trained "
        "path afterwards (ridge and logistic regression, averaged and calibrated)."
    )
    assert card["metrics"][0]["protocol"].endswith("which also chose epoch, penalties and calibration")


def test_what_a_run_did_is_said() -> None:
    told = made_up(config={"order": "pool_first"}, distillation={"auxiliary": True})["differences_from_paper"]
    assert "pooling comes before normalisation" in told
    assert "a second classifier" in told


def test_levels_of_another_student_are_said_to_be_so() -> None:
    record = {"distillation": {"auxiliary": True, "train": {"order": "pool_first"}}}
    manifest = Manifest(OWN_TAGS, clips(20, 9), "noises")
    came_from = {"path": {"name": "mine"}, "warm_start": {"name": "donor"}}
    card = model_card(record, manifest, [labels("ada", "x")], measured(), came_from=came_from)
    assert "all levels are those of mine" in card["differences_from_paper"]
    assert "another network's probabilities" in card["differences_from_paper"]
    for word in ("start from", "pooling", "second classifier"):
        assert word not in card["differences_from_paper"], "nothing of this was trained"
    assert card["metrics"][0]["protocol"].endswith("which also chose penalties and calibration")


def test_non_commercial_clips_are_counted() -> None:
    assert "terms" not in made_up("CC-BY-4.0")
    assert made_up("CC-BY-NC-SA-4.0")["terms"] == "20 of its 20 training clips are for non-commercial use only."


@pytest.mark.parametrize(("tags", "told"), [(MAGNATAGATUNE_TAGS, True), (OWN_TAGS, False)])
def test_magnatagatunes_terms_go_with_teachers_that_know_its_tags(tags: tuple[str, ...], told: bool) -> None:
    manifest = Manifest(OWN_TAGS, clips(20, 9), "noises")
    card = model_card({}, manifest, [labels("t", "musicnn", tags)], measured(len(tags)), came_from={})
    assert ("t learned from MagnaTagATune" in card.get("terms", "")) is told


def test_the_weakest_tags_are_those_of_the_lowest_correlation() -> None:
    correlations = np.array([0.9, np.nan, 0.2, 0.5])
    assert weakest(OWN_TAGS, correlations) == {"hiss": 0.2, "whistle": 0.5}
    rng = np.random.default_rng(0)
    same = rng.random((30, 2))
    np.testing.assert_allclose(rank_correlations(same, same**3), 1)
    assert np.isnan(rank_correlations(np.zeros((30, 1)), same[:, :1])).all()


@pytest.mark.parametrize("name", ["fcn5", "msecnn"])
def test_bundled_cards_say_what_their_facts_say(name: str) -> None:
    path = Path(__file__).resolve().parents[1] / "checkpoints" / name / "card.json"
    card = json.loads(path.read_text(encoding="utf-8"))
    prose = sentences(card, card["tags"])
    assert {key: card[key] for key in prose} == prose
