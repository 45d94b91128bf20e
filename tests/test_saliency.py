"""Saliency maps: closed forms, parity with Captum's own methods, scales that add up, threads, cancelling."""

from concurrent.futures import ThreadPoolExecutor

import captum.attr
import numpy as np
import pytest
import torch
from toy_networks import TOY_CONFIG, Toy, maximum_of_input, toy, toy_mel

from msecnn.explain import METHODS, Cancelled, ExplanationError
from msecnn.explain import saliency as module
from msecnn.explain.baselines import baseline_mel
from msecnn.explain.saliency import saliency
from msecnn.models import registry

TAG = 1
ADDITIVE = [method for method in METHODS if method != "grad_cam"]


@pytest.fixture(autouse=True)
def small_patches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATCH", (2, 3))


def as_input(mel: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(mel)[None, None].requires_grad_()


def partial_logit(model: Toy, scale: str):
    """One scale's term, written down from the network's own features."""

    def forward(mel: torch.Tensor) -> torch.Tensor:
        features = model.features(mel)
        before = sum(model.n_features[s] for s in model.scales[: model.scales.index(scale)])
        weight = model.classifier.weight[TAG, before : before + model.n_features[scale]].detach()
        return features[scale] @ weight

    return forward


def test_the_maximum_of_the_input_has_its_gradient_in_one_cell() -> None:
    mel = toy_mel()
    found = saliency(maximum_of_input(3.0), mel, TAG)
    expected = np.zeros((4, 9), dtype=np.float32)
    expected[np.unravel_index(mel[:, :8].argmax(), (4, 8))] = 3
    np.testing.assert_allclose(found.maps[0], expected, rtol=1e-5)
    times_input = saliency(maximum_of_input(3.0), mel, TAG, method="gradient_x_input", baseline="floor")
    np.testing.assert_allclose(times_input.maps[0], expected * (mel + 100), rtol=1e-5)
    assert times_input.baseline == "floor"
    assert found.baseline is None


def test_integrated_gradients_of_the_maximum_are_the_rise_above_the_floor() -> None:
    mel = toy_mel()
    found = saliency(maximum_of_input(3.0), mel, TAG, method="integrated_gradients")
    # on the way from an even floor the largest cell leads from the first step on
    assert found.total.sum() == pytest.approx(3 * (mel[:, :8].max() + 100), rel=1e-4)
    assert found.delta == pytest.approx(0, abs=1e-2)
    assert np.count_nonzero(found.total) == 1


@pytest.mark.parametrize("method", ADDITIVE)
def test_the_scales_maps_add_up(method: str) -> None:
    model, mel = toy(), toy_mel()
    found = saliency(model, mel, TAG, method=method, mel_config=TOY_CONFIG)
    assert found.maps.shape == (3, 4, 9)
    assert found.maps.dtype == np.float32
    assert found.sum_check < 1e-5
    subset = saliency(model, mel, TAG, method=method, scales=("level2", "input"), mel_config=TOY_CONFIG)
    assert subset.scales == ("input", "level2")
    np.testing.assert_allclose(subset.maps, found.maps[[0, 2]], atol=1e-5)


def test_per_scale_gradients_add_up_to_the_whole_gradient_of_the_paper_network() -> None:
    torch.manual_seed(0)
    model = registry.create("msecnn").eval()
    mel = np.random.default_rng(0).normal(0, 1, (96, 1366)).astype(np.float32)
    whole = captum.attr.Saliency(model).attribute(as_input(mel), target=TAG, abs=False)[0, 0].numpy()
    found = saliency(model, mel, TAG)
    np.testing.assert_allclose(found.total, whole, atol=1e-5 * np.abs(whole).max())
    n_cells = [np.count_nonzero(values) for values in found.maps]
    assert n_cells[0] == 1
    assert n_cells == sorted(n_cells)


@pytest.mark.parametrize("scale", ["input", "level1", "level2"])
def test_each_map_is_captums_own_on_the_partial_logit(scale: str) -> None:
    model, mel = toy(), toy_mel()
    x, forward = as_input(mel), partial_logit(model, scale)
    s = model.scales.index(scale)
    options = {"mel_config": TOY_CONFIG, "baseline": "clip_mean"}
    reference = baseline_mel(model, mel, "clip_mean")[None, None]
    captums = {
        "gradient": captum.attr.Saliency(forward).attribute(x, abs=False),
        "integrated_gradients": captum.attr.IntegratedGradients(forward).attribute(
            x, reference, n_steps=module.N_STEPS, internal_batch_size=1
        ),
        "occlusion": captum.attr.Occlusion(forward).attribute(x, (1, 2, 3), strides=(1, 2, 3), baselines=reference),
    }
    for method, expected in captums.items():
        found = saliency(model, mel, TAG, method=method, **options).maps[s]
        np.testing.assert_allclose(found, expected[0, 0].detach().numpy(), rtol=1e-4, atol=1e-5)


def test_delta_is_captums_convergence_delta() -> None:
    model, mel = toy(), toy_mel()
    found = saliency(model, mel, TAG, method="integrated_gradients", mel_config=TOY_CONFIG)
    _, delta = captum.attr.IntegratedGradients(model).attribute(
        as_input(mel),
        torch.full((1, 1, 4, 9), -100.0),
        target=TAG,
        n_steps=module.N_STEPS,
        return_convergence_delta=True,
    )
    assert found.delta == pytest.approx(float(delta), abs=1e-3)


def test_smooth_gradient_averages_gradients_of_noisy_clips(monkeypatch: pytest.MonkeyPatch) -> None:
    model, mel = toy(), toy_mel()
    found = saliency(model, mel, TAG, method="smooth_gradient", seed=3)
    generator = torch.Generator().manual_seed(3)
    noisy = [
        mel + module.NOISE_DB * torch.randn(1, 1, 4, 9, generator=generator)[0, 0].numpy()
        for _ in range(module.N_NOISY)
    ]
    np.testing.assert_allclose(found.maps, np.mean([saliency(model, x, TAG).maps for x in noisy], 0), atol=1e-6)
    monkeypatch.setattr(module, "NOISE_DB", 0.0)
    still = saliency(model, mel, TAG, method="smooth_gradient")
    np.testing.assert_allclose(still.maps, saliency(model, mel, TAG).maps, atol=1e-6)


def test_grad_cam_of_a_scale_is_its_map_weighted_by_the_classifier() -> None:
    model, mel = toy(), toy_mel()
    found = saliency(model, mel, TAG, method="grad_cam")
    with torch.no_grad():
        maps = model.level_maps(as_input(mel))
    blocks = {"input": (1, 1), "level1": (2, 2), "level2": (4, 8)}
    first = 0
    for s, (scale, block) in enumerate(blocks.items()):
        level_map = maps[scale][0].numpy()
        weight = model.classifier.weight[TAG, first : first + len(level_map)].detach().numpy()
        first += len(level_map)
        cam = np.tensordot(weight, level_map, 1) / level_map[0].size  # only one cell of each channel has a gradient
        rows, columns = model.receptive_crop[scale]
        expected = np.pad(np.kron(cam[:rows, :columns], np.ones(block)), ((0, 0), (0, 1)))
        np.testing.assert_allclose(found.maps[s], expected, atol=1e-5)
    assert found.sum_check is None


def test_negative_normalisation_weights_turn_no_gradient_over() -> None:
    model, mel = toy(), toy_mel()
    with torch.no_grad():
        model.levels[0].norm.weight[0] *= -1
    expected = captum.attr.Saliency(partial_logit(model, "level2")).attribute(as_input(mel), abs=False)
    np.testing.assert_allclose(saliency(model, mel, TAG).maps[2], expected[0, 0].numpy(), atol=1e-6)


def test_baselines_are_what_they_say() -> None:
    model, mel = toy(), toy_mel()
    assert float(baseline_mel(model, mel, "floor", TOY_CONFIG).unique()) == -100
    np.testing.assert_allclose(baseline_mel(model, mel, "clip_mean")[:, 3], mel.mean(1), rtol=1e-5)
    np.testing.assert_array_equal(baseline_mel(model, mel, "training_mean")[:, 3], model.input_norm.running_mean)
    model.input_norm.running_mean.zero_()
    with pytest.raises(ExplanationError, match="no training mean"):
        saliency(model, mel, TAG, method="occlusion", baseline="training_mean")


@pytest.mark.parametrize("method", METHODS)
def test_progress_rises_to_one_and_cancelling_stops(method: str) -> None:
    model, mel = toy(), toy_mel()
    told: list[float] = []
    saliency(model, mel, TAG, method=method, mel_config=TOY_CONFIG, progress=told.append)
    assert told == sorted(told)
    assert told[-1] == 1
    asked = []
    with pytest.raises(Cancelled):
        saliency(model, mel, TAG, method=method, cancelled=lambda: asked.append(1) or True)
    assert len(asked) == 1


def test_ten_threads_get_the_answers_of_one() -> None:
    model = toy()
    questions = [(method, toy_mel(seed=seed)) for seed in range(5) for method in METHODS]

    def answer(question: tuple[str, np.ndarray]) -> np.ndarray:
        return saliency(model, question[1], TAG, method=question[0], mel_config=TOY_CONFIG).maps

    alone = [answer(question) for question in questions]
    with ThreadPoolExecutor(10) as threads:
        together = list(threads.map(answer, questions))
    for a, b in zip(alone, together, strict=True):
        np.testing.assert_array_equal(a, b)
    assert not any(module._forward_hooks for module in model.modules())  # nothing is left hanging on the model


def test_the_model_is_left_as_it_was() -> None:
    model, mel = toy(), toy_mel()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    for method in METHODS:
        saliency(model, mel, TAG, method=method)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())
    assert not model.training


def test_bad_questions_get_one_sentence() -> None:
    model, mel = toy(), toy_mel()
    with pytest.raises(ExplanationError, match="no method 'lrp'"):
        saliency(model, mel, TAG, method="lrp")
    with pytest.raises(ExplanationError, match="scales of toy are input, level1, level2"):
        saliency(model, mel, TAG, scales=("level9",))
    with pytest.raises(ExplanationError, match="no baseline 'pink'"):
        saliency(model, mel, TAG, method="occlusion", baseline="pink")
    with pytest.raises(ExplanationError, match="has no scales"):
        saliency(registry.create("won_musicnn"), mel, TAG)
