"""The split of a logit over scales is exact, for every network with scales, and removing a scale is arithmetic."""

import itertools
import math

import numpy as np
import pytest
import torch
from toy_networks import toy, toy_mel

from msecnn.explain import ExplanationError
from msecnn.explain.contributions import Contributions, ablate, contributions, with_scales
from msecnn.models import registry

DEVICES = ["cpu", pytest.param("cuda", marks=pytest.mark.gpu)]


def with_random_norms(name: str, device: str) -> torch.nn.Module:
    """A registered model whose normalisations do something, as after training."""
    torch.manual_seed(0)
    model = registry.create(name).eval()
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.running_mean, -1, 1)
            torch.nn.init.uniform_(module.running_var, 0.5, 2)
    return model.to(device)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", [name for name in registry.names() if registry.create(name).scales])
def test_terms_add_up_to_the_networks_logits(name: str, device: str) -> None:
    if device == "cuda" and not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    model = with_random_norms(name, device)
    mel = torch.randn(2, 1, 96, 1366, device=device)
    with torch.no_grad():
        logits, features = model(mel).cpu().numpy(), model.features(mel)
    mean = {scale: value.mean(0) for scale, value in features.items()}
    split = contributions(model, features, mean_features=mean)
    tolerance = 1e-5 * max(1, np.abs(split.terms).sum(1).max())
    np.testing.assert_allclose(split.bias + split.terms.sum(1), logits, rtol=0, atol=tolerance)
    np.testing.assert_allclose(split.base_value + split.relative.sum(1), logits, rtol=0, atol=tolerance)
    np.testing.assert_allclose(split.relative.mean(0), 0, atol=1e-5)  # these two windows are their own average
    assert split.scales == model.scales
    assert split.n_features == model.n_features


def of_toy() -> tuple[torch.nn.Module, dict[str, torch.Tensor], dict[str, torch.Tensor], Contributions]:
    model = toy()
    mels = torch.from_numpy(np.stack([toy_mel(seed=seed) for seed in range(4)]))[:, None]
    with torch.no_grad():
        features = model.features(mels)
    mean = {scale: value.mean(0) + 1 for scale, value in features.items()}
    return model, features, mean, contributions(model, features, mean_features=mean, tags=("a", "b", "c"))


def test_relative_terms_are_the_shapley_values_of_the_scales() -> None:
    model, features, mean, split = of_toy()
    scales = model.scales

    def value(present: tuple[str, ...]) -> np.ndarray:
        joined = [features[s] if s in present else mean[s].expand_as(features[s]) for s in scales]
        with torch.no_grad():
            return model.classifier(torch.cat(joined, 1)).numpy()

    for s, scale in enumerate(scales):
        others = [other for other in scales if other != scale]
        shapley = sum(
            math.factorial(n) * math.factorial(len(others) - n) / math.factorial(len(scales))
            * (value((*present, scale)) - value(present))
            for n in range(len(scales))
            for present in itertools.combinations(others, n)
        )  # fmt: skip
        np.testing.assert_allclose(split.relative[:, s], shapley, atol=1e-4)
    np.testing.assert_allclose(split.base_value, value(())[0], atol=1e-4)


@pytest.mark.parametrize("replace", ["mean", "zero"])
def test_ablation_is_the_network_without_those_features(replace: str) -> None:
    model, features, mean, split = of_toy()
    subsets = np.array(list(itertools.product([False, True], repeat=len(model.scales))))
    probabilities = ablate(split, subsets, replace=replace)
    assert probabilities.shape == (8, 4, 3)
    for keep, found in zip(subsets, probabilities, strict=True):
        joined = [
            features[s] if kept else (mean[s].expand_as(features[s]) if replace == "mean" else 0 * features[s])
            for s, kept in zip(model.scales, keep, strict=True)
        ]
        with torch.no_grad():
            expected = torch.sigmoid(model.classifier(torch.cat(joined, 1))).numpy()
        np.testing.assert_allclose(found, expected, atol=1e-5)
        np.testing.assert_array_equal(ablate(split, keep, replace=replace), found)


def test_without_mean_features_the_two_readings_are_one() -> None:
    model, features, _, _ = of_toy()
    split = contributions(model, features)
    assert not split.mean_known
    np.testing.assert_array_equal(split.relative, split.terms)
    np.testing.assert_array_equal(split.base_value, split.bias)


def test_features_may_be_arrays_and_the_result_is_plain_json() -> None:
    model, features, mean, split = of_toy()
    again = contributions(model, {s: f.numpy() for s, f in features.items()}, mean_features=mean, tags=split.tags)
    assert again.to_json() == split.to_json()
    assert np.shape(split.to_json()["terms"]) == (4, 3, 3)


def test_bad_questions_get_one_sentence() -> None:
    split = of_toy()[-1]
    with pytest.raises(ExplanationError, match="has no scales"):
        with_scales(registry.create("musicnn"))
    with pytest.raises(ExplanationError, match="not by 'noise'"):
        ablate(split, [True, True, True], replace="noise")
    with pytest.raises(ExplanationError, match="Name 3 scales"):
        ablate(split, [True, False])
