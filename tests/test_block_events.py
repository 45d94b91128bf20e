"""Evidence from blocks of the complete map: sharp on every example, only where something is there, and adding up."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from msecnn.explain import TOP_SHARE, Explanation, explain
from msecnn.explain.baselines import baseline_mel
from msecnn.explain.block_events import EVENT_SHARE, absences, block_events, block_sums
from msecnn.explain.saliency import SaliencyMaps
from msecnn.explain.sonification import part_mask
from msecnn.explain.winning_cells import WinningCell
from msecnn.frontend import MelConfig
from msecnn.tagger import Tagger

EXAMPLES = sorted((Path(__file__).resolve().parents[1] / "assets/examples").glob("*.mp3"))


def toy_maps(values: np.ndarray) -> SaliencyMaps:
    return SaliencyMaps("shapley", "clip_mean", 0, ("level1",), values[None].astype(np.float32), 0.0, 0.0)


def cell(channel: int, weight: float, relative: float) -> WinningCell:
    return WinningCell("level2", channel, 0.0, weight, 0.0, relative, 0, 0, 0.0, 1.0, 0.0, 1.0, False)


@pytest.fixture(scope="module", params=["msecnn", "fcn5"])
def tagger(request: pytest.FixtureRequest) -> Tagger:
    return Tagger.from_checkpoint(request.param)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_on_every_example_evidence_is_sharp_present_and_adds_up(tagger: Tagger, example: Path) -> None:
    explanation = explain(tagger, tagger.tag(example))
    reference = baseline_mel(tagger.model, explanation.mel, "clip_mean", explanation.mel_config).numpy()
    heard = part_mask(explanation, "evidence")
    assert 0 < heard.mean() <= TOP_SHARE
    assert (explanation.mel > reference)[heard > 0].all()  # only what is there has a sound
    sums, maps = explanation.block_sums, explanation.complete_maps
    change = float(maps.maps.sum(dtype=np.float64)) - float(maps.delta or 0)
    assert sums.presence.sum() + sums.absence.sum() == pytest.approx(change, abs=1e-4)
    check_events(explanation, explanation.mel > reference)


def check_events(explanation: Explanation, above: np.ndarray) -> None:
    """An event is worth what its cells above the reference are worth; those of a scale are few and apart."""
    maps = explanation.complete_maps
    for scale, values in zip(maps.scales, maps.maps.astype(np.float64), strict=True):
        own = [event for event in explanation.events if event.scale == scale]
        if own:
            assert np.sum([event.mask for event in own], axis=0).max() == 1
            assert sum(event.mask.mean() for event in own) <= EVENT_SHARE
        for event in own:
            assert event.share > 0
            assert (above * event.mask).any()
            assert event.share == pytest.approx((values * above * event.mask).sum(), abs=1e-6)


def test_credit_for_an_absence_has_no_place() -> None:
    """A block that is quieter than the reference and yet speaks for the tag is no event; a loud one is."""
    values, mel = np.zeros((96, 200)), np.zeros((96, 200))
    values[:12, :48], mel[:12, :48] = 5.0, -1.0
    values[12:24, 48:96], mel[12:24, 48:96] = 1.0, 1.0
    sums = block_sums(toy_maps(values), mel, np.zeros(mel.shape))
    (event,) = block_events(sums, MelConfig(n_frames=200), window_start_s=10.0)
    assert event.share == 12 * 48
    assert sums.absence.sum() == 5 * 12 * 48
    assert event.start_s == pytest.approx(10 + MelConfig().frame_to_s(48))
    assert event.end_s == pytest.approx(10 + MelConfig().frame_to_s(96))
    assert block_events(sums, MelConfig(n_frames=200), sign=-1) == ()


def test_adjoining_blocks_are_one_event_and_corners_do_not_adjoin() -> None:
    values = np.zeros((96, 1366))
    values[:12, :96] = 1  # two side by side
    values[12:24, 96:144] = 1  # touches them at a corner
    events = block_events(block_sums(toy_maps(values), values, 0 * values), MelConfig())
    assert [event.share for event in events] == [2 * 12 * 48, 12 * 48]


def test_an_absence_is_credit_by_a_negative_weight() -> None:
    """Credit by a positive weight is for a presence, and a negative weight on a loud channel speaks against."""
    cells = [cell(0, -1.0, 0.5), cell(1, 1.0, 2.0), cell(2, -1.0, -3.0), cell(3, -2.0, 1.5)]
    assert [(absence.channel, absence.share) for absence in absences(cells)] == [(3, 1.5), (0, 0.5)]
    assert absences(cells)[0].sentence == "little of what channel 3 of level 2 listens for, anywhere"


def test_a_sum_that_misses_over_two_percent_is_flagged() -> None:
    maps = toy_maps(np.full((96, 200), 1 / (96 * 200)))
    assert not replace(maps, delta=0.019).delta_is_large
    assert replace(maps, delta=0.03).delta_is_large
    assert not replace(maps, delta=None).delta_is_large
