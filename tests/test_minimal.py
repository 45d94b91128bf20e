"""The smallest sound that keeps a tag, the smallest cut that loses it, and what would have to be louder."""

from pathlib import Path

import numpy as np
import pytest
import torch

from msecnn.explain import ExplanationError, explain, minimal
from msecnn.explain.baselines import baseline_mel
from msecnn.explain.explanation import Explanation
from msecnn.explain.sonification import MINIMAL, NothingToHear
from msecnn.tagger import Tagger

RECORDING = Path(__file__).resolve().parent.parent / "assets" / "examples" / "piano.mp3"


@pytest.fixture(scope="module")
def explanation() -> Explanation:
    tagger = Tagger.from_checkpoint("fcn5", device="cpu")
    return explain(tagger, tagger.tag(RECORDING), "piano", 0, recording=RECORDING)


def tagged(explanation: Explanation, name: str) -> float:
    sound = explanation.sound(name, equal_loudness=False)
    again = explanation.tagger.tag((sound, explanation.mel_config.sample_rate))
    return float(again.window_probabilities[0, explanation.tag_index])


def test_what_one_hears_was_tagged_again_and_keeps_or_loses_the_tag(explanation: Explanation) -> None:
    threshold = minimal.KEPT_SHARE * explanation.probability
    smallest, cut = explanation.smallest_sound, explanation.smallest_cut
    assert smallest.probability == pytest.approx(tagged(explanation, "smallest"), abs=1e-4)
    assert smallest.probability >= threshold
    assert smallest.cells == pytest.approx(smallest.mask.mean())
    assert 0 < smallest.cells < 0.5
    assert cut is not None
    assert cut.probability == pytest.approx(tagged(explanation, "cut"), abs=1e-4)
    assert cut.probability < threshold
    assert cut.cells == pytest.approx(1 - cut.mask.mean())


def test_one_block_fewer_than_halving_finds_is_too_few(explanation: Explanation) -> None:
    search = minimal._Search(explanation, cut=False)
    n_blocks = search.halved()
    assert search._is_enough(search._first(n_blocks))
    assert n_blocks == 1 or not search._is_enough(search._first(n_blocks - 1))


@pytest.mark.parametrize("cut", [False, True])
def test_the_search_is_bounded(explanation: Explanation, cut: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def render(waveform: np.ndarray, mask: np.ndarray, _config: object) -> np.ndarray:
        asked.append(float(mask.mean()))
        return waveform

    monkeypatch.setattr(minimal, "render", render)
    search = minimal._Search(explanation, cut=cut)
    search.part("", search.pruned(search.halved()))
    assert 1 < len(asked) <= minimal.MAX_TAGGINGS


def test_a_tag_that_no_cut_loses_has_no_such_sound(explanation: Explanation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(minimal, "KEPT_SHARE", 0.0)
    assert minimal.smallest_cut(explanation) is None
    monkeypatch.setitem(vars(explanation), "smallest_cut", None)
    with pytest.raises(NothingToHear, match="whatever part"):
        explanation.sound("cut")


def test_louder_is_where_quiet_speaks_against_the_tag(explanation: Explanation) -> None:
    found = explanation.louder
    assert found is not None
    assert found.event.kind == "absence"
    assert found.event.share < 0
    assert 0 < found.event.mask.mean() <= 0.05
    mel = explanation.mel
    mean = baseline_mel(explanation.tagger.model, mel, "clip_mean").numpy()
    raised = np.where(found.event.mask > 0, np.maximum(mel, mean), mel).astype(np.float32)
    with torch.no_grad():
        logit = float(explanation.tagger.model(torch.from_numpy(raised)[None, None])[0, explanation.tag_index])
    assert found.logit_change == pytest.approx(logit - explanation.logit, abs=1e-3)


def test_the_answer_tells_them_where_there_is_a_recording(explanation: Explanation) -> None:
    told = explanation.to_json()
    assert explanation.louder is not None
    assert [part["kind"] for part in told["minimal"]] == list(MINIMAL)
    assert told["louder"]["sentence"] == explanation.louder.sentence
    silent = explain(explanation.tagger, explanation.prediction, "piano", 0)
    assert silent.to_json()["minimal"] == []
    with pytest.raises(ExplanationError, match="with its recording"):
        _ = silent.smallest_sound
