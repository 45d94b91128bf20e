"""The smallest cut as an edit: it does what the search found; boxes cover their cells and no others."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from msecnn.explain import Cancelled, explain, minimal
from msecnn.explain.explanation import Explanation
from msecnn.frontend import MelConfig
from msecnn.tagger import Tagger
from msecnn.what_if import what_if
from msecnn.what_if.smallest_cut import boxes, find_smallest_cut, rectangles

RECORDING = Path(__file__).resolve().parents[1] / "assets" / "examples" / "piano.mp3"


@pytest.fixture(scope="module")
def explanation() -> Explanation:
    tagger = Tagger.from_checkpoint("fcn5", device="cpu")
    return explain(tagger, tagger.tag(RECORDING), "piano", 0, recording=RECORDING)


def test_the_edit_loses_the_tag_as_the_search_found(explanation: Explanation) -> None:
    shares: list[float] = []
    cut = find_smallest_cut(explanation, progress=shares.append)
    assert cut is not None
    assert cut.edit is not None
    assert cut.before == explanation.probability
    assert cut.after < minimal.KEPT_SHARE * cut.before
    assert 0 < cut.cells < 0.5
    assert shares == sorted(shares)
    assert len(shares) <= minimal.MAX_TAGGINGS
    (change,) = what_if([explanation.tagger], RECORDING, [cut.edit], duration_s=explanation.mel_config.window_s).changes
    assert change.after.probabilities[explanation.tag_index] == pytest.approx(cut.after, abs=2e-3)


def test_the_search_stops_when_asked(explanation: Explanation) -> None:
    asked: list[int] = []
    with pytest.raises(Cancelled):
        find_smallest_cut(explanation, cancelled=lambda: asked.append(1) or len(asked) == 3)
    assert len(asked) == 3


@given(arrays(bool, st.tuples(st.integers(1, 9), st.integers(1, 12))))
def test_rectangles_cover_each_true_cell_once(cells: np.ndarray) -> None:
    counts = np.zeros(cells.shape, int)
    for low, high, first, end in rectangles(cells):
        counts[low:high, first:end] += 1
    np.testing.assert_array_equal(counts, cells)


def test_boxes_meet_and_reach_to_the_edges() -> None:
    config = MelConfig()
    cells = np.zeros((config.n_mels, config.n_frames), bool)
    cells[:12, :48] = cells[12:24, 48:96] = True
    first, second = boxes(cells, config, start_s=10)
    assert (first.start_s, first.low_hz) == (10, 0)
    assert (first.end_s, first.high_hz) == (second.start_s, second.low_hz)
    assert first.end_s == pytest.approx(10 + 47.5 * config.hop_length / config.sample_rate, abs=1e-3)
    assert boxes(np.ones_like(cells), config)[0].high_hz == config.f_max
