"""What is measured of kept and left parts, of sounds tagged again, and of mixes: closed forms."""

from pathlib import Path

import numpy as np
import pytest
from toy_networks import tone_burst

from msecnn.audio import write_wav
from msecnn.evaluation.localisation import MOMENTS_S, Mix, aucs, measure_mix, mix
from msecnn.evaluation.sound_faithfulness import (
    SOUND_PERCENTAGES,
    as_claimed,
    measure_cells,
    measure_events,
    measure_sounds,
)
from msecnn.explain import explain
from msecnn.explain.concentration import complexity, sparseness
from msecnn.explain.masked_metrics import METRICS, masked_metrics
from msecnn.explain.sonification import loudness_db
from msecnn.frontend import MelConfig
from msecnn.tagger import Tagger

CONFIG = MelConfig()


def logit(p: float) -> float:
    return float(np.log(p / (1 - p)))


def test_masked_metrics_of_a_part_that_says_more_and_of_one_that_says_less() -> None:
    clip, more, less = (np.array([0.0, logit(p)]) for p in (0.5, 0.8, 0.2))
    found = masked_metrics(clip, more, less, 1)
    assert tuple(found) == METRICS
    assert found["AI"] == 100
    assert found["AD"] == 0
    assert found["AG"] == pytest.approx(60)  # .3 of the .5 that is left to certainty
    assert found["FF"] == pytest.approx(0.3)
    assert found["FF_logit"] == pytest.approx(logit(0.8))
    assert found["Fid-In"] == 0  # equal logits: the first is on top, then the second
    other = masked_metrics(clip, less, more, 1)
    assert (other["AI"], other["AG"], other["Fid-In"]) == (0, 0, 1)
    assert other["AD"] == pytest.approx(60)
    assert other["FF"] == pytest.approx(-0.3)


def test_concentration_of_one_cell_and_of_all_alike() -> None:
    one, alike = np.zeros((4, 5)), np.full((4, 5), -3.0)
    one[2, 3] = -7
    assert sparseness(one) == pytest.approx(1 - 1 / 20)
    assert complexity(one) == 0
    assert sparseness(alike) == pytest.approx(0)
    assert complexity(alike) == pytest.approx(np.log(20))
    assert sparseness(0 * one) == complexity(0 * one) == 0
    values = np.array([1.0, 2.0, 5.0])
    pairs = np.abs(values[:, None] - values).sum() / (2 * 3 * values.sum())  # Gini's mean difference
    assert sparseness(values) == pytest.approx(pairs)


def test_concentration_is_quantus() -> None:
    quantus = pytest.importorskip("quantus", reason="Quantus is not installed (it was, version 0.6.0, for this test)")
    attribution = np.random.default_rng(0).normal(size=(1, 6, 7))
    for metric, ours in ((quantus.Sparseness, sparseness), (quantus.Complexity, complexity)):
        (theirs,) = metric(disable_warnings=True).evaluate_batch(x_batch=attribution, a_batch=np.abs(attribution))
        assert theirs == pytest.approx(ours(attribution), abs=1e-5)


def test_auc_is_one_for_the_known_time_and_half_for_a_flat_map() -> None:
    mixed = Mix(np.zeros(CONFIG.window_samples, np.float32), 10.0, 15.0)
    frames_s = np.array([CONFIG.frame_to_s(frame) for frame in range(CONFIG.n_frames)])
    known = np.tile(((frames_s >= 10) & (frames_s < 15)).astype(np.float32), (96, 1))
    for name in MOMENTS_S:
        assert aucs(known, mixed, CONFIG)[name] == pytest.approx(1, abs=1e-3)
        assert aucs(-known, mixed, CONFIG)[name] == pytest.approx(0, abs=1e-3)
        assert aucs(0 * known, mixed, CONFIG)[name] == 0.5


def test_a_mix_differs_for_the_known_time_only_and_is_no_louder() -> None:
    rng = np.random.default_rng(1)
    bed, over = (rng.normal(0, level, 29 * 12_000).astype(np.float32) for level in (0.02, 0.2))
    mixed = mix(bed, over, 12_000, seed=3)
    start, end = (round(second * 12_000) for second in (mixed.start_s, mixed.end_s))
    assert 5 <= mixed.end_s - mixed.start_s <= 10
    np.testing.assert_array_equal(mixed.waveform[:start], bed[:start])
    np.testing.assert_array_equal(mixed.waveform[end:], bed[end:])
    inside, before = mixed.waveform[start:end], bed[start:end]
    assert np.abs(inside - before).mean() > 0.005
    assert loudness_db(inside, 12_000) == pytest.approx(loudness_db(before, 12_000), abs=0.3)


def test_events_that_move_as_claimed_are_told_from_those_that_do_not() -> None:
    events = [(0.5, 0.2), (0.5, 0.0), (-0.3, -0.1), (0.2, -0.1)]
    assert as_claimed(events) == {"as_claimed": 50, "unmoved": 25, "other_way": 25}


@pytest.fixture(scope="module")
def tagger() -> Tagger:
    return Tagger.from_checkpoint("fcn5", device="cpu")


def test_evidence_is_tagged_again_beside_as_much_of_the_loudest(tagger: Tagger, tmp_path: Path) -> None:
    path = tmp_path / "burst.wav"
    write_wav(path, tone_burst(3, 6, 800, CONFIG), CONFIG.sample_rate)
    explanation = explain(tagger, tagger.tag(path), None, 0, recording=path)
    rows = measure_sounds(explanation, fills=("mean",))
    assert [(row["percentage"], row["order"]) for row in rows] == [
        (percentage, order) for percentage in SOUND_PERCENTAGES for order in ("blocks", "loudest blocks")
    ]
    for blocks, loudest in zip(rows[::2], rows[1::2], strict=True):
        assert 0 <= float(loudest["cells"]) <= float(blocks["cells"]) <= float(blocks["percentage"])
    for cells, loudest in zip(*[iter(measure_cells(explanation))] * 2, strict=True):
        assert (cells["order"], loudest["order"]) == ("evidence", "loudest cells")
        for row in (cells, loudest):
            assert 0 < float(row["cells"]) <= float(row["percentage"])
    for side, events in measure_events(explanation).items():
        listed = explanation.events if side == "in_favour" else explanation.events_against
        assert [share for share, _ in events] == [event.share for event in listed]


def test_a_mix_is_explained_by_methods_and_blind_orders(tagger: Tagger) -> None:
    bed, over = (tone_burst(2, 20, hz, CONFIG) for hz in (300, 2000))
    rows = measure_mix(tagger, bed, over, methods=("gradient_x_input", "loudness"))
    assert [row["method"] for row in rows] == ["gradient_x_input", "loudness"]
    assert all(0 <= row[moment] <= 1 for row in rows for moment in MOMENTS_S)
