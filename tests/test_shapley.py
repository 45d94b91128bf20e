"""Shapley values of every maximum: all subsets, the axioms, a literal slow network, completeness."""

from collections.abc import Sequence
from itertools import combinations, pairwise
from math import factorial

import numpy as np
import pytest
import torch
from torch import nn
from toy_networks import TOY_CONFIG, Toy, maximum_of_input, toy, toy_mel

from msecnn import checkpoint
from msecnn.explain import BASELINES
from msecnn.explain.contributions import with_scales
from msecnn.explain.saliency import baseline_mel, saliency
from msecnn.models import registry
from msecnn.models.fast import folded, shapley_maximum
from msecnn.models.fast.shapley_maximum import FEW, shapley_values
from msecnn.models.layers import MultiScaleCNN

TAG = 1
WITH_SCALES = [name for name in registry.names() if getattr(registry.create(name), "scales", ())]
#: Added up over 131,136 cells and five levels of float32 (7 digits), what a scale's map misses of its term's change, as
#: a share of the size of what the term adds up, `sum |w f|`: the terms cancel, so that their sum may be near 0.
COMPLETE = 1e-5


def by_definition(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Each player's mean change over all subsets of the others, weighted as Shapley has it."""
    n = len(x)
    shares = np.zeros(n)
    for player in range(n):
        others = [i for i in range(n) if i != player]
        for size in range(n):
            weight = factorial(size) * factorial(n - size - 1) / factorial(n)
            for present in combinations(others, size):
                before = max(x[i] if i in present else y[i] for i in range(n))
                after = max(x[i] if i in present or i == player else y[i] for i in range(n))
                shares[player] += weight * (after - before)
    return shares


def by_thresholds(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The integral over thresholds, one stretch after another, both kinds of players counted in its middle."""
    shares = np.zeros(len(x))
    for low, high in pairwise(np.unique(np.concatenate([x, y]))):
        middle = (low + high) / 2
        if np.any(np.minimum(x, y) > middle):
            continue
        up, down = np.flatnonzero(x > middle), np.flatnonzero(y > middle)
        u, d = len(up), len(down)
        shares[up] += (high - low) * factorial(d) * factorial(u - 1) / factorial(u + d) if u else 0
        shares[down] -= (high - low) * factorial(u) * factorial(d - 1) / factorial(u + d) if d else 0
    return shares


def game(n: int, seed: int, *, ties: bool) -> tuple[np.ndarray, np.ndarray]:
    """What n players bring, present and absent; with ties on a grid of five values, so that many are equal."""
    rng = np.random.default_rng([n, seed])
    return (rng.integers(-2, 3, (2, n)) / 2 if ties else rng.normal(0, 1, (2, n))).astype(np.float64)


def values(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return shapley_values(torch.from_numpy(x), torch.from_numpy(y)).numpy()


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("n", range(1, 7))
def test_values_are_those_of_the_definition(n: int, ties: bool) -> None:
    games = [game(n, seed, ties=ties) for seed in range(40)]
    assert n < 3 or any((x > y).any() and (x < y).any() for x, y in games)  # players of both kinds
    found = values(np.stack([x for x, _ in games], 1), np.stack([y for _, y in games], 1))  # side by side
    np.testing.assert_allclose(found, np.stack([by_definition(x, y) for x, y in games], 1), atol=1e-12)


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("n", [4, 8, FEW, FEW + 1, 150])
def test_counting_and_sorting_agree_with_the_integral(n: int, ties: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = game(n, 7, ties=ties)
    expected = by_thresholds(x, y)
    np.testing.assert_allclose(values(x, y), expected, atol=1e-12)
    monkeypatch.setattr(shapley_maximum, "FEW", 0)
    np.testing.assert_allclose(values(x, y), expected, atol=1e-12)


def test_the_integral_is_the_definition() -> None:
    for seed in range(20):
        x, y = game(6, seed, ties=seed % 2 == 0)
        np.testing.assert_allclose(by_thresholds(x, y), by_definition(x, y), atol=1e-12)


@pytest.mark.parametrize("n", [8, 131_136])
def test_values_add_up_and_none_is_larger_than_its_change(n: int) -> None:
    rng = np.random.default_rng(n)
    x, y = rng.normal(0, 1, (2, n, 3)).astype(np.float32)
    found = values(x, y)
    np.testing.assert_allclose(found.sum(0), x.max(0) - y.max(0), atol=1e-6)  # float32 inputs of size 1 to 5
    assert np.all(found * (x - y) >= 0)
    assert np.all(np.abs(found) <= np.abs(x - y) * (1 + 1e-6))


def test_equal_players_have_equal_values_and_order_does_not_matter() -> None:
    x, y = game(8, 0, ties=False)
    x[5], y[5] = x[2], y[2] = 3.0, -3.0  # both up, and the highest, so that their value is not 0
    found = values(x, y)
    assert found[5] == found[2] > 0
    order = np.random.default_rng(0).permutation(8)
    np.testing.assert_allclose(values(x[order], y[order]), found[order], atol=1e-15)


def test_a_player_that_changes_nothing_has_the_value_zero() -> None:
    x, y = game(8, 1, ties=False)
    x[3] = y[3] = 5.0  # the highest, but whether present or not
    np.testing.assert_array_equal(values(x, y), np.zeros(8))
    x[3] = y[3] = 0.0
    x[4], y[4] = -0.5, -1.0  # changes, below what is always there
    assert values(x, y)[3] == 0
    assert values(x, y)[4] == 0
    assert np.abs(values(x, y)).sum() > 0


def test_exchanging_clip_and_reference_turns_the_signs() -> None:
    x, y = game(16, 2, ties=True)
    np.testing.assert_array_equal(values(x, y), -values(y, x))


def test_the_maximum_of_the_input_is_shared_as_a_runway_is() -> None:
    """All up from an even floor is the airport game: each stretch of the height is paid by all who reach it."""
    mel = toy_mel()
    found = saliency(maximum_of_input(3.0), mel, TAG, method="shapley", baseline="floor", mel_config=TOY_CONFIG)
    heights = np.sort(mel[:, :8].astype(np.float64).ravel()) + 100
    stretches = np.diff(heights, prepend=0) / np.arange(32, 0, -1)
    expected = np.zeros((4, 9))
    expected[:, :8] = 3 * np.cumsum(stretches)[mel[:, :8].ravel().argsort().argsort()].reshape(4, 8)
    np.testing.assert_allclose(found.total, expected, rtol=1e-5)


# ---- the network


def literal_elu(z: float) -> float:
    return z if z > 0 else float(np.expm1(z))


def secant(z: float, z0: float) -> float:
    return (literal_elu(z) - literal_elu(z0)) / (z - z0) if z != z0 else 0.0


def per_change(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The multipliers of one maximum over flat players."""
    shares, change = by_thresholds(x, y), x - y
    return np.array([share / step if step else 0.0 for share, step in zip(shares, change, strict=True)])


def literal_norm(norm: nn.BatchNorm2d, channel: int) -> tuple[float, float]:
    weight, bias, mean, variance = (
        float(values[channel].detach().double())
        for values in (norm.weight, norm.bias, norm.running_mean, norm.running_var)
    )
    scale = weight / np.sqrt(variance + norm.eps)
    return scale, bias - mean * scale


class LiteralLevel:
    """One level of one input (C, F, L), by loops in Figure 1's order: convolution, normalisation, ELU, pooling."""

    def __init__(self, model: Toy, index: int, x: np.ndarray) -> None:
        self.level, self.pool, self.input = model.levels[index], model.pools[index], x
        self.weight = self.level.conv.weight.detach().double().numpy()
        bias = self.level.conv.bias.detach().double().numpy()
        (n_channels, _, _, _), (_, n_rows, n_columns) = self.weight.shape, x.shape
        self.z = np.zeros((n_channels, n_rows, n_columns))
        for channel, row, column in np.ndindex(self.z.shape):
            total = bias[channel] + sum(self.weight[channel][tap] * x[cell] for tap, cell in self.taps(row, column))
            scale, shift = literal_norm(self.level.norm, channel)
            self.z[channel, row, column] = scale * total + shift
        self.activated = np.vectorize(literal_elu)(self.z)
        self.output = np.zeros((n_channels, n_rows // self.pool[0], n_columns // self.pool[1]))
        for index in np.ndindex(self.output.shape):
            self.output[index] = max(self.activated[cell] for cell in self.pooled(*index))

    def taps(self, row: int, column: int) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
        """Which weight meets which cell of the input, around one cell of the convolution's map."""
        channels, n_rows, n_columns = self.input.shape
        return [
            ((c, i + 1, j + 1), (c, row + i, column + j))
            for c in range(channels)
            for i in (-1, 0, 1)
            for j in (-1, 0, 1)
            if 0 <= row + i < n_rows and 0 <= column + j < n_columns
        ]

    def pooled(self, channel: int, row: int, column: int) -> list[tuple[int, int, int]]:
        n_rows, n_columns = self.pool
        return [(channel, row * n_rows + i, column * n_columns + j) for i in range(n_rows) for j in range(n_columns)]


def literal_downwards(clip: LiteralLevel, reference: LiteralLevel, multipliers: np.ndarray) -> np.ndarray:
    """Multipliers of a level's output to those of its input, cell by cell."""
    below = np.zeros(clip.input.shape)
    for index in np.ndindex(clip.output.shape):
        cells = clip.pooled(*index)
        x = np.array([clip.activated[cell] for cell in cells])
        y = np.array([reference.activated[cell] for cell in cells])
        for cell, share in zip(cells, per_change(x, y), strict=True):
            scale, _ = literal_norm(clip.level.norm, cell[0])
            passed = multipliers[index] * share * secant(clip.z[cell], reference.z[cell]) * scale
            for tap, source in clip.taps(*cell[1:]):
                below[source] += passed * clip.weight[cell[0]][tap]
    return below


def literal_shapley(model: Toy, mel: np.ndarray, reference: np.ndarray, scale: str) -> np.ndarray:
    """(F, L): the attributions of one scale's term, in float64 and by loops only."""
    norms = np.array([literal_norm(model.input_norm, band) for band in range(len(mel))])[:, :, None]
    both = [(norms[:, 0] * values.astype(np.float64) + norms[:, 1])[None] for values in (mel, reference)]
    levels: list[Sequence[LiteralLevel]] = []
    for index in range(model.maps.index(scale)):
        levels.append([LiteralLevel(model, index, x) for x in both])
        both = [level.output for level in levels[-1]]
    before = sum(model.n_features[s] for s in model.scales[: model.scales.index(scale)])
    rows, columns = model.receptive_crop[scale]
    multipliers = np.zeros(both[0].shape)
    for channel in range(len(multipliers)):
        x, y = (values[channel, :rows, :columns] for values in both)
        weight = float(model.classifier.weight[TAG, before + channel].detach())
        multipliers[channel, :rows, :columns] = weight * per_change(x.ravel(), y.ravel()).reshape(x.shape)
    for pair in reversed(levels):
        multipliers = literal_downwards(*pair, multipliers)
    return (multipliers[0] * norms[:, 0]) * (mel.astype(np.float64) - reference)


@pytest.mark.parametrize("baseline", BASELINES)
@pytest.mark.parametrize("seed", [0, 1])
def test_a_literal_slow_network_agrees(baseline: str, seed: int) -> None:
    model, mel = toy(seed=seed), toy_mel(seed=seed)
    with torch.no_grad():
        model.levels[1].norm.weight[0] *= -1  # a channel turned over
        model.input_norm.running_mean -= 50  # about where the clip is, so that both sides of the ELU occur
    found = saliency(model, mel, TAG, method="shapley", baseline=baseline, mel_config=TOY_CONFIG)
    reference = baseline_mel(model, mel, baseline, TOY_CONFIG).numpy()
    for scale, attribution in zip(found.scales, found.maps, strict=True):
        expected = literal_shapley(model, mel, reference, scale)
        np.testing.assert_allclose(attribution, expected, rtol=1e-4, atol=1e-5 * np.abs(expected).max())


def test_strips_and_rows_that_poolings_leave_over_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Five bands and 15 frames, of which poolings of 4x8 cells leave over one and seven."""
    model = toy(n_mels=5, n_frames=15)
    mel = np.random.default_rng(0).normal(0, 1, (5, 15)).astype(np.float32)
    whole = saliency(model, mel, TAG, method="shapley", baseline="clip_mean").maps
    monkeypatch.setattr(folded, "STRIP", 4)
    in_strips = saliency(model, mel, TAG, method="shapley", baseline="clip_mean").maps
    np.testing.assert_allclose(in_strips, whole, atol=1e-6)
    reference = baseline_mel(model, mel, "clip_mean").numpy()
    for scale, attribution in zip(model.scales, whole, strict=True):
        np.testing.assert_allclose(attribution, literal_shapley(model, mel, reference, scale), atol=1e-5)


def sizes_and_changes(
    model: MultiScaleCNN, mel: np.ndarray, reference: np.ndarray
) -> tuple[dict[str, float], np.ndarray]:
    """Of each scale `sum |w f|` of the clip and the reference, and the change of its term, by the literal network."""
    both = torch.from_numpy(np.stack([mel, reference]))[:, None]
    with torch.no_grad():
        features = model.features(both)
    weights = model.classifier.weight[TAG].detach().split([model.n_features[scale] for scale in model.scales])
    products = {scale: (features[scale] * w).double() for scale, w in zip(model.scales, weights, strict=True)}
    changes = [float((terms[0] - terms[1]).sum()) for terms in products.values()]
    return {scale: float(terms.abs().sum()) for scale, terms in products.items()}, np.array(changes)


def models() -> list[tuple[str, bool]]:
    bundled = set(checkpoint.bundled())
    return [(name, trained) for name in WITH_SCALES for trained in (False, True) if not trained or name in bundled]


@pytest.mark.parametrize(("name", "trained"), models())
@pytest.mark.parametrize("baseline", BASELINES)
def test_maps_are_complete_per_scale_and_in_all(name: str, trained: bool, baseline: str) -> None:
    torch.manual_seed(0)
    model = with_scales(checkpoint.load(name).model if trained else registry.create(name).eval())
    if not trained:
        model.input_norm.running_mean.fill_(-55)
        model.input_norm.running_var.fill_(200)
    rng = np.random.default_rng(0)
    mel = (rng.normal(-50, 12, (96, 1366)) + rng.normal(0, 8, (96, 1))).astype(np.float32).clip(-100, 30)
    mel[:, 600:700] = -100  # as silent as the floor
    reference = baseline_mel(model, mel, baseline).numpy()
    found = saliency(model, mel, TAG, method="shapley", baseline=baseline)
    sizes, changes = sizes_and_changes(model, mel, reference)
    for scale, attribution, change in zip(found.scales, found.maps, changes, strict=True):
        assert abs(attribution.sum(dtype=np.float64) - change) <= COMPLETE * sizes[scale], scale
    assert abs(found.total.sum(dtype=np.float64) - changes.sum()) <= COMPLETE * sum(sizes.values())
    assert abs(found.delta) <= COMPLETE * sum(sizes.values())
    assert found.sum_check <= COMPLETE
    assert np.abs(found.maps).max() > 0
    assert not found.maps[:, mel == reference].any()  # what is as in the reference has no share


def test_nothing_is_explained_where_clip_and_reference_are_one() -> None:
    mel = np.full((4, 9), -100.0, dtype=np.float32)
    found = saliency(toy(), mel, TAG, method="shapley", baseline="floor", mel_config=TOY_CONFIG)
    np.testing.assert_array_equal(found.maps, np.zeros((3, 4, 9)))
    assert found.delta == 0


def test_what_no_maximum_reaches_has_no_share() -> None:
    """The last 86 frames, which are cropped on the input's way up."""
    model = with_scales(checkpoint.load("msecnn").model)
    mel = np.random.default_rng(1).normal(-50, 15, (96, 1366)).astype(np.float32)
    found = saliency(model, mel, TAG, method="shapley", scales=("input",), baseline="clip_mean")
    assert not found.total[:, 1280:].any()
    assert found.total[:, :1280].any()
