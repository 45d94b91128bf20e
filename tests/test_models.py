"""The networks are the paper's: sizes, counts, and Figure 1 drawn literally; the fast forms are the same functions."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from msecnn.frontend import LogMelSpectrogram
from msecnn.models import registry
from msecnn.models.fast.folded import FoldedNetwork
from msecnn.models.fast.gradients import scale_gradients
from msecnn.models.fast.incremental import IncrementalNetwork
from msecnn.models.layers import POOLS, MultiScaleCNN

CONVOLUTIONAL = ("fcn5", "msecnn", "msecnn_wide")


def build(name: str, **parameters: Any) -> MultiScaleCNN:
    """A network whose normalisations have lived: none of their statistics or weights is at its start value."""
    torch.manual_seed(0)
    model = registry.create(name, **parameters)
    for norm in (module for module in model.modules() if isinstance(module, nn.BatchNorm2d)):
        nn.init.normal_(norm.running_mean, std=0.3)
        nn.init.uniform_(norm.running_var, 0.5, 2.0)
        nn.init.uniform_(norm.weight, 0.5, 1.5)
        nn.init.normal_(norm.bias, std=0.3)
    model.input_norm.running_mean.fill_(-40)
    model.input_norm.running_var.fill_(400)
    return model.eval()


@pytest.fixture(scope="module")
def mel() -> Tensor:
    return torch.randn(2, 1, 96, 1366, generator=torch.Generator().manual_seed(1)) * 20 - 40


@pytest.mark.parametrize(("name", "count"), [("fcn5", 447_922), ("msecnn", 470_372), ("msecnn_wide", 6_372_900)])
def test_parameter_count(name: str, count: int) -> None:
    assert sum(parameter.numel() for parameter in registry.create(name).parameters()) == count


@pytest.mark.parametrize("name", registry.names())
def test_every_system_keeps_the_contract_of_a_tagging_model(name: str) -> None:
    model = registry.create(name).eval()
    spec = model.input_spec
    inputs = torch.randn(1, spec.window_samples, generator=torch.Generator().manual_seed(2))  # (B, T)
    if spec.front_end is not None:
        inputs = LogMelSpectrogram(spec.front_end)(inputs)  # (B, 1, F, L)
    with torch.no_grad():
        logits, features = model(inputs), model.features(inputs)
    assert logits.shape == (1, 50)
    assert {scale: value.shape for scale, value in features.items()} == {
        scale: (1, model.n_features[scale]) for scale in model.scales
    }
    if model.scales:
        concatenated = torch.cat([features[scale] for scale in model.scales], dim=1)
        assert torch.equal(model.classifier(concatenated), logits)
    again = registry.create(model.architecture, **model.parameters_json())
    again.load_state_dict(model.state_dict())
    assert (again.input_spec, again.scales) == (spec, model.scales)


def test_figure_1_table() -> None:
    assert POOLS == ((2, 4), (2, 4), (2, 4), (3, 5), (4, 4))
    model = build("msecnn")
    assert list(model.n_features.values()) == [1, 64, 128, 128, 128, 64]
    assert model.classifier.in_features == 513
    assert build("msecnn_wide").classifier.in_features == 1985
    assert build("fcn5").n_features == {"level5": 64}
    assert model.receptive_crop == {
        "input": (96, 1280), "level1": (48, 320), "level2": (24, 80), "level3": (12, 20), "level4": (4, 4),
        "level5": (1, 1),
    }  # fmt: skip


def test_map_sizes(mel: Tensor) -> None:
    with torch.no_grad():
        maps = build("msecnn").level_maps(mel)
    assert {name: tuple(level_map.shape[1:]) for name, level_map in maps.items()} == {
        "input": (1, 96, 1366), "level1": (64, 48, 341), "level2": (128, 24, 85), "level3": (128, 12, 21),
        "level4": (128, 4, 4), "level5": (64, 1, 1),
    }  # fmt: skip


@pytest.mark.parametrize("name", ["msecnn", "msecnn_wide"])
def test_equals_figure_1_drawn_literally(name: str, mel: Tensor) -> None:
    model = build(name)
    with torch.no_grad():
        x = skip = torch.nn.functional.batch_norm(
            mel.squeeze(1), model.input_norm.running_mean, model.input_norm.running_var,
            model.input_norm.weight, model.input_norm.bias,
        ).unsqueeze(1)  # fmt: skip
        for level, pool in zip(model.levels, POOLS, strict=True):
            x = torch.max_pool2d(torch.nn.functional.elu(level.norm(level.conv(x))), pool)
            skip = torch.cat([torch.max_pool2d(skip, pool), x], dim=1)
        literal = model.classifier(skip.flatten(1))
        assert torch.equal(model(mel), literal)


@pytest.mark.parametrize("name", CONVOLUTIONAL)
def test_folded_is_the_same_function(name: str, mel: Tensor) -> None:
    model = build(name)
    with torch.no_grad():
        for level in model.levels:  # a negative weight turns a channel over: pooling before it must not
            level.norm.weight[::3] *= -1
        folded = FoldedNetwork(model)
        features, expected = folded.features(mel), model.features(mel)
        for scale in model.scales:
            torch.testing.assert_close(features[scale], expected[scale], atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(folded(mel), model(mel), atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", CONVOLUTIONAL)
def test_gradients_of_the_terms_are_autograds(name: str, mel: Tensor) -> None:
    model, clip = build(name), mel[:1].clone().requires_grad_()
    network = FoldedNetwork(model)
    features = network.features(clip)
    generator = torch.Generator().manual_seed(2)
    weights = {scale: torch.randn(count, generator=generator) for scale, count in model.n_features.items()}
    terms = [features[scale][0] @ weight for scale, weight in weights.items()]
    expected = [torch.autograd.grad(term, clip, retain_graph=True)[0][0, 0] for term in (*terms, sum(terms))]
    found = scale_gradients(network, mel[:1], weights)
    for ours, autograds in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, autograds, rtol=1e-3, atol=1e-5 * float(autograds.abs().max()))
    torch.testing.assert_close(found[:-1].sum(0), found[-1], rtol=1e-4, atol=1e-5 * float(found[-1].abs().max()))
    highest_alone = scale_gradients(network, mel[:1], {model.scales[0]: weights[model.scales[0]]})
    torch.testing.assert_close(highest_alone, found[[0, 0]])


@pytest.mark.parametrize("frames", [(0, 5), (500, 548), (1300, 1366), (1365, 1366), (0, 1366), (7, 7)])
def test_a_spliced_copy_has_the_features_of_the_whole_one(frames: tuple[int, int], mel: Tensor) -> None:
    network = FoldedNetwork(build("msecnn"))
    copy = mel[:1].clone()
    copy[:, :, 12:24, frames[0] : frames[1]] = -60
    with torch.no_grad():
        found, expected = IncrementalNetwork(network, mel[:1]).features(copy), network.features(copy)
    for scale in network.scales:
        torch.testing.assert_close(found[scale], expected[scale], atol=1e-5, rtol=1e-5)


def test_bfloat16_is_near(mel: Tensor) -> None:
    model = build("msecnn")
    with torch.no_grad():
        near = FoldedNetwork(model, torch.bfloat16)(mel)
        exact = model(mel)
    assert near.dtype == torch.float32
    # eight bits of mantissa through five levels: measured 0.005 on logits of spread 0.3
    assert (torch.sigmoid(near) - torch.sigmoid(exact)).abs().max() < 0.02


def test_pool_first_is_the_same_function_in_evaluation(mel: Tensor) -> None:
    literal = build("msecnn")
    pool_first = registry.create("msecnn", order="pool_first").eval()
    pool_first.load_state_dict(literal.state_dict())
    with torch.no_grad():
        torch.testing.assert_close(pool_first(mel), literal(mel), atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", CONVOLUTIONAL)
def test_logits_are_the_bias_plus_one_term_a_scale(name: str, mel: Tensor) -> None:
    model = build(name)
    with torch.no_grad():
        features = model.features(mel)
        weights = model.classifier.weight.split(list(model.n_features.values()), dim=1)
        terms = [features[scale] @ weight.T for scale, weight in zip(model.scales, weights, strict=True)]
        torch.testing.assert_close(sum(terms) + model.classifier.bias, model(mel), atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", CONVOLUTIONAL)
def test_gradients_are_finite_and_evaluation_is_deterministic(name: str, mel: Tensor) -> None:
    model = build(name, dropout=0.5)
    with torch.no_grad():
        assert torch.equal(model(mel), model(mel))
    model.train()
    model(mel).square().sum().backward()
    for parameter in model.parameters():
        assert parameter.grad is not None
        assert parameter.grad.isfinite().all()


def test_receptive_field_is_where_the_gradient_is(mel: Tensor) -> None:
    model = build("msecnn")
    for name, row, column in (("level1", 3, 100), ("level2", 23, 79), ("level3", 0, 0), ("level4", 2, 1)):
        x = mel[:1].clone().requires_grad_()
        maps = model.level_maps(x)
        maps[name][0, :, row, column].sum().backward()
        touched = x.grad[0, 0].nonzero()
        first_band, last_band, first_frame, last_frame = model.receptive_field(name, row, column)
        assert touched[:, 0].min() >= first_band
        assert touched[:, 0].max() <= last_band
        assert touched[:, 1].min() >= first_frame
        assert touched[:, 1].max() <= last_frame
        # and no larger than it must be: some channel reaches each edge, or the pooling's choice stops one pool short
        pool_f, pool_t = POOLS[0]
        assert touched[:, 0].min() - first_band <= pool_f
        assert last_frame - touched[:, 1].max() <= pool_t


def test_the_last_frame_reaches_nothing() -> None:
    """Level 1's pooling leaves two of 1,366 frames over; the convolution's halo sees one of them."""
    model = build("msecnn")
    assert model.receptive_field("level5", 0, 0) == (0, 95, 0, 1364)
    x = torch.randn(1, 1, 96, 1366, generator=torch.Generator().manual_seed(2)).requires_grad_()
    model(x).sum().backward()
    assert x.grad[..., 1365].abs().max() == 0
    assert model.map_sizes["level4"] == (4, 4)


def test_wrong_input_is_told() -> None:
    with pytest.raises(ValueError, match="expected mels"):
        build("fcn5")(torch.zeros(1, 1, 96, 1000))


def test_unknown_model_is_told() -> None:
    with pytest.raises(KeyError, match="no model is called 'resnet'"):
        registry.create("resnet")


def test_parameters_rebuild_the_network() -> None:
    for name in CONVOLUTIONAL:
        model = registry.create(name, n_tags=7)
        again = registry.create(name, **model.parameters_json())
        assert {k: v.shape for k, v in model.state_dict().items()} == {
            k: v.shape for k, v in again.state_dict().items()
        }
