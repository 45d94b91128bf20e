"""The way of a feature is the network's own arithmetic: each step against torch's modules, and the sums by hand."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch

from msecnn import checkpoint
from msecnn.explain import ExplanationError
from msecnn.explain.feature_path import FeaturePath, FilterStep, feature_path
from msecnn.explain.winning_cells import all_maps
from msecnn.models import registry


@pytest.fixture(scope="module", params=["msecnn", "fcn5"])
def loaded(request: pytest.FixtureRequest) -> Any:
    return checkpoint.load(request.param)


@pytest.fixture(scope="module")
def mel() -> np.ndarray:
    return np.random.default_rng(3).normal(-40, 12, (96, 1366)).astype(np.float32)


def path_of(loaded: Any, mel: np.ndarray, scale: str, channel: int) -> FeaturePath:
    config, means = loaded.mel_config, loaded.mean_features
    return feature_path(loaded.model, mel, scale, channel, tag_index=0, mel_config=config, mean_features=means)


def conv_output(loaded: Any, maps: dict[str, torch.Tensor], step: FilterStep) -> torch.Tensor:
    """(C, F', L') what the level's own modules give before pooling."""
    level = loaded.model.conv_levels[loaded.model.maps.index(step.level) - 1]
    with torch.no_grad():
        output: torch.Tensor = level.activation(level.norm(level.conv(maps[step.input_level][None])))[0]
    return output


def test_every_step_is_what_the_modules_compute(loaded: Any, mel: np.ndarray) -> None:
    maps = all_maps(loaded.model, mel)
    for scale in loaded.model.scales:
        path = path_of(loaded, mel, scale, loaded.model.n_features[scale] // 2)
        for step in path.steps:
            pool = loaded.model.pools[loaded.model.maps.index(step.level) - 1]
            output = conv_output(loaded, maps, step)[step.channel]
            top, left = step.row * pool[0], step.column * pool[1]
            block = output[top : top + pool[0], left : left + pool[1]].numpy()
            np.testing.assert_allclose(step.block, block, atol=2e-4)  # float32 beside float64
            assert step.value == step.block[step.winner] == step.block.max()
            assert step.value == pytest.approx(float(maps[step.level][step.channel, step.row, step.column]), abs=2e-4)


def test_the_sums_add_up(loaded: Any, mel: np.ndarray) -> None:
    scale = loaded.model.scales[-1]
    path = path_of(loaded, mel, scale, 7)
    for step in path.steps:
        assert (step.patch * step.weights).sum() == pytest.approx(step.channel_sums[step.input_channel])
        assert step.filter_sum == pytest.approx(step.channel_sums.sum() + step.bias)
        normalised = step.norm_scale * step.filter_sum + step.norm_shift
        assert step.value == pytest.approx(normalised if normalised > 0 else np.expm1(normalised))
        row, column = step.input_row, step.input_column
        followed = all_maps(loaded.model, mel)[step.input_level][step.input_channel, row, column]
        assert step.patch[step.input_place] == pytest.approx(float(followed), abs=1e-6)
    cell = path.cell
    assert cell.decibels == mel[cell.band, cell.frame]
    assert cell.value == pytest.approx(cell.norm_scale * cell.decibels + cell.norm_shift)
    assert path.relative == pytest.approx(path.weight * (path.value - path.average))


def test_each_field_lies_in_the_one_above(loaded: Any, mel: np.ndarray) -> None:
    path = path_of(loaded, mel, loaded.model.scales[-1], 3)
    fields = [step.field for step in path.steps] + [path.cell.field]
    for outer, inner in pairwise(fields):
        assert outer.start_s <= inner.start_s <= inner.end_s <= outer.end_s
        assert outer.low_hz <= inner.low_hz <= inner.high_hz <= outer.high_hz


def test_the_input_scale_is_a_cell_of_the_mel(mel: np.ndarray) -> None:
    loaded = checkpoint.load("msecnn")
    path = path_of(loaded, mel, "input", 0)
    assert path.steps == ()
    assert path.cell.value == pytest.approx(path.value, abs=1e-5)


@pytest.mark.parametrize("negative", [False, True])
def test_normalisation_that_turns_signs_round(negative: bool, mel: np.ndarray) -> None:
    """With a negative weight the largest value after ELU is the smallest sum of the filter."""
    torch.manual_seed(0)
    model: Any = registry.create("fcn5").eval()
    if negative:
        with torch.no_grad():
            for level in model.conv_levels:
                level.norm.weight.neg_()
    maps = all_maps(model, mel)
    path = feature_path(model, mel, "level5", 0, tag_index=0, mel_config=model.front_end)
    for step in path.steps:
        assert step.value == pytest.approx(float(maps[step.level][step.channel, step.row, step.column]), abs=2e-4)


def test_what_the_classifier_does_not_see(mel: np.ndarray) -> None:
    loaded = checkpoint.load("fcn5")
    with pytest.raises(ExplanationError, match="level5, not 'level1'"):
        path_of(loaded, mel, "level1", 0)
    with pytest.raises(ExplanationError, match="channels 0 to 63, not 64"):
        path_of(loaded, mel, "level5", 64)
