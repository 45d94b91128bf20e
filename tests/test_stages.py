"""Unsupervised stages against scikit-learn and closed forms."""

from itertools import product

import numpy as np
import pytest
import torch
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from torch import Tensor

from msecnn.models.stages.gaussian_rbm import GaussianRBM, RBMTraining
from msecnn.models.stages.spherical_kmeans import SphericalKMeans
from msecnn.models.stages.standardisation import Standardisation
from msecnn.models.stages.whitening import PCAWhitening


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def frames() -> Tensor:
    """500 frames of 12 dimensions that hang together, of unequal spread, off the origin."""
    mixing = torch.randn(12, 12, generator=generator(1)) * torch.logspace(-1, 1, 12)
    return torch.randn(500, 12, generator=generator(2)) @ mixing + 5


def test_standardised_frames_have_mean_zero_and_variance_one_and_what_never_moves_stays_finite(frames: Tensor) -> None:
    stage = Standardisation(13)
    with_constant = torch.cat([frames, torch.ones(500, 1)], 1)
    stage.fit(with_constant)
    out = stage(with_constant)
    torch.testing.assert_close(out.mean(0), torch.zeros(13), atol=1e-5, rtol=0)
    torch.testing.assert_close(out[:, :12].std(0, correction=0), torch.ones(12), atol=1e-4, rtol=0)
    assert torch.equal(out[:, 12], torch.zeros(500))


def test_whitening_is_scikit_learns_but_for_signs(frames: Tensor) -> None:
    stage = PCAWhitening(12, 5)
    stage.fit(frames)
    expected = PCA(5, whiten=True).fit_transform(frames.double().numpy())
    np.testing.assert_allclose(np.abs(stage(frames).numpy()), np.abs(expected), atol=1e-3)
    largest = stage.components.gather(1, stage.components.abs().argmax(1, keepdim=True))
    assert (largest > 0).all(), "the sign does not hang on the linear algebra library"


def test_whitening_keeps_the_share_it_is_told_and_its_size(frames: Tensor) -> None:
    stage = PCAWhitening(12, 12, share=0.9)
    stage.fit(frames)
    n_kept = PCA(0.9, svd_solver="full").fit(frames.double().numpy()).n_components_
    out = stage(frames)
    assert out.shape == (500, 12)
    assert int((out.abs().amax(0) > 0).sum()) == n_kept < 12


def test_whitened_variances_are_held_down_by_epsilon(frames: Tensor) -> None:
    stage = PCAWhitening(12, 12, epsilon=0.5)
    stage.fit(frames)
    variances = torch.from_numpy(PCA().fit(frames.double().numpy()).explained_variance_)
    torch.testing.assert_close(stage(frames).double().var(0), variances / (variances + 0.5), atol=1e-3, rtol=1e-3)


def test_k_means_finds_directions_as_near_as_scikit_learns() -> None:
    centres = torch.nn.functional.normalize(torch.randn(6, 10, generator=generator(3)), dim=1)
    points = centres.repeat(60, 1) + 0.15 * torch.randn(360, 10, generator=generator(4))
    points = points * torch.rand(360, 1, generator=generator(5)).add(0.5)  # lengths mean nothing
    stage = SphericalKMeans(10, 6)
    objectives = []
    for seed in range(10):  # as scikit-learn: the best of ten starts
        stage.fit(points, generator(seed))
        objectives.append(stage.objective(points))
    units = torch.nn.functional.normalize(points, dim=1)
    reference = KMeans(6, n_init=10, random_state=0).fit(units.numpy()).cluster_centers_
    cosines = units.numpy() @ (reference / np.linalg.norm(reference, axis=1, keepdims=True)).T
    assert max(objectives) == pytest.approx(cosines.max(1).mean(), abs=1e-3)
    torch.testing.assert_close(stage.means.norm(dim=1), torch.ones(6))


def test_k_means_follows_from_its_generator_and_refuses_too_few_frames(frames: Tensor) -> None:
    first, second = SphericalKMeans(12, 8), SphericalKMeans(12, 8)
    first.fit(frames, generator(1))
    second.fit(frames, generator(1))
    assert torch.equal(first.means, second.means)
    with pytest.raises(ValueError, match="fewer than 8"):
        first.fit(frames[:7], generator())


def test_codes_are_what_is_nearer_than_the_mean_of_all(frames: Tensor) -> None:
    stage = SphericalKMeans(12, 8)
    stage.fit(frames, generator())
    code = stage(frames)
    similarity = frames.numpy() @ stage.means.numpy().T
    expected = np.maximum(0, similarity - similarity.mean(1, keepdims=True))
    np.testing.assert_allclose(code.numpy(), expected, atol=1e-4)


def toy_machine() -> GaussianRBM:
    machine = GaussianRBM(3, 4)
    for tensor, seed in ((machine.weight, 6), (machine.visible_bias, 7), (machine.hidden_bias, 8)):
        tensor.copy_(torch.randn(tensor.shape, generator=generator(seed)))
    return machine


def test_free_energy_is_the_sum_over_all_hidden_states() -> None:
    machine, visible = toy_machine(), torch.randn(5, 3, generator=generator(9))
    total = torch.zeros(5)
    for state in product((0.0, 1.0), repeat=4):
        hidden = torch.tensor(state)
        outside = (visible - machine.visible_bias).square().sum(1) / 2
        total += torch.exp(-(outside - machine.hidden_bias @ hidden - visible @ machine.weight.T @ hidden))
    torch.testing.assert_close(machine.free_energy(visible), -total.log(), atol=1e-5, rtol=1e-5)


def test_probabilities_and_free_energys_slope_are_one_thing() -> None:
    """dF/dv = v - b - W' p(h = 1 | v): the forward pass is the posterior of that very energy."""
    machine = toy_machine()
    visible = torch.randn(5, 3, generator=generator(9)).requires_grad_()
    machine.free_energy(visible).sum().backward()
    expected = visible - machine.visible_bias - machine(visible) @ machine.weight
    torch.testing.assert_close(visible.grad, expected.detach(), atol=1e-5, rtol=1e-5)


def test_contrastive_divergence_tells_the_data_from_its_shuffle() -> None:
    """Two clusters: after learning, data have less free energy than the same values put together at random."""
    signs = torch.where(torch.rand(400, 1, generator=generator(1)) < 0.5, -1.0, 1.0)
    data = 1.5 * signs * torch.tensor([1.0, 1.0, -1.0, -1.0]) + 0.3 * torch.randn(400, 4, generator=generator(2))
    shuffled = torch.stack([column[torch.randperm(400, generator=generator(i))] for i, column in enumerate(data.T)], 1)
    machine = GaussianRBM(4, 8, RBMTraining(epochs=40, batch_size=20, sparsity=0.5, rate=0.02, least_rate=0.01))
    machine.fit(data, generator())
    assert machine.free_energy(data).mean() < machine.free_energy(shuffled).mean() - 0.5
    again = GaussianRBM(4, 8, machine.how)
    again.fit(data, generator())
    assert torch.equal(machine.weight, again.weight)


def test_hidden_units_are_as_rare_as_they_are_told(frames: Tensor) -> None:
    whitening = PCAWhitening(12, 12)
    whitening.fit(frames)
    machine = GaussianRBM(12, 20, RBMTraining(epochs=15, batch_size=50, sparsity=0.05))
    machine.fit(whitening(frames), generator())
    assert float(machine(whitening(frames)).mean()) == pytest.approx(0.05, abs=0.03)
