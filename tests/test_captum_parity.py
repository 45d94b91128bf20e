"""Captum itself, on the network as the paper draws it, against our maps: every method, a toy and a bundled network.

Ours run a folded network, one backward pass for all scales, and occlusion that recomputes only what a patch changes;
here nothing but the plain network and Captum's own code with Captum's own gradients.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import captum.attr
import numpy as np
import pytest
import torch
from torch import Tensor, nn
from toy_networks import TOY_CONFIG, toy, toy_mel

from msecnn import checkpoint
from msecnn.audio import read_recording
from msecnn.explain import METHODS
from msecnn.explain import saliency as module
from msecnn.explain.baselines import baseline_mel
from msecnn.explain.contributions import with_scales
from msecnn.explain.saliency import saliency
from msecnn.frontend import LogMelSpectrogram, MelConfig
from msecnn.models.layers import INPUT, MultiScaleCNN

PIANO = Path(__file__).resolve().parents[1] / "assets" / "examples" / "piano.mp3"
SEED = 3
#: Methods that Captum does not have.
OURS_ALONE = {"shapley"}

#: One scale's term (B,) of (B, 1, F, L), the clip and the baseline, to a map of the same shape.
Peer = Callable[[nn.Module, Tensor, Tensor], Tensor]


class Term(nn.Module):
    """One scale's summand of a tag's logit, by the network's own layers."""

    def __init__(self, model: MultiScaleCNN, scale: str, tag_index: int) -> None:
        super().__init__()
        self.model, self.scale = model, scale
        first = sum(model.n_features[name] for name in model.scales[: model.scales.index(scale)])
        self.weight = model.classifier.weight[tag_index, first : first + model.n_features[scale]].detach()

        self.watched = nn.Identity()  # the normalised input, for a method that watches layers

    def forward(self, mel: Tensor) -> Tensor:
        if self.scale != INPUT:
            return self.model.features(mel)[self.scale] @ self.weight
        normalised = self.watched(self.model.input_norm(mel.transpose(1, 2)).transpose(1, 2))
        return self.model.global_max(INPUT, normalised) @ self.weight


def gradient(term: Term, x: Tensor, _reference: Tensor) -> Tensor:
    return captum.attr.Saliency(term).attribute(x, abs=False)


def gradient_x_input(term: Term, x: Tensor, reference: Tensor) -> Tensor:
    """Captum multiplies by the input itself, so the input is the height above the baseline."""
    return captum.attr.InputXGradient(lambda height: term(height + reference)).attribute(
        (x - reference).detach().requires_grad_()
    )


def integrated_gradients(term: Term, x: Tensor, reference: Tensor) -> Tensor:
    return captum.attr.IntegratedGradients(term).attribute(x, reference, n_steps=module.N_STEPS, internal_batch_size=1)


def smooth_gradient(term: Term, x: Tensor, _reference: Tensor) -> Tensor:
    """Captum draws noise by `torch.normal`; here it gets ours."""
    generator = torch.Generator().manual_seed(SEED)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch, "normal", lambda mean, std: mean + std * torch.randn(std.shape, generator=generator))
        return captum.attr.NoiseTunnel(captum.attr.Saliency(term)).attribute(
            x, nt_samples=module.N_NOISY, nt_samples_batch_size=1, stdevs=module.NOISE_DB, abs=False
        )


def grad_cam(term: Term, x: Tensor, _reference: Tensor) -> Tensor:
    """Captum's map of the level's cells, each drawn over the block that was pooled into it."""
    model, layer = term.model, layer_of(term)
    cam = captum.attr.LayerGradCam(term, layer).attribute(x)[0, 0].detach()
    depth = model.maps.index(term.scale)
    rows, columns = model.receptive_crop[term.scale]
    height, width = (int(np.prod([pool[axis] for pool in model.pools[:depth]])) for axis in (0, 1))
    blocks = torch.kron(cam[:rows, :columns], torch.ones(height, width))
    drawn = torch.zeros_like(x[0, 0]).detach()
    drawn[: blocks.shape[0], : blocks.shape[1]] = blocks
    return drawn[None, None]


def layer_of(term: Term) -> nn.Module:
    """What makes the scale's map; the input's normalisation itself has bands for channels."""
    depth = term.model.maps.index(term.scale)
    return term.model.levels[depth - 1] if depth else term.watched


def occlusion(term: Term, x: Tensor, reference: Tensor) -> Tensor:
    patch = (1, *module.PATCH)
    return captum.attr.Occlusion(term).attribute(x, patch, strides=patch, baselines=reference)


PEERS: dict[str, Peer] = {
    "gradient": gradient,
    "gradient_x_input": gradient_x_input,
    "integrated_gradients": integrated_gradients,
    "grad_cam": grad_cam,
    "occlusion": occlusion,
    "smooth_gradient": smooth_gradient,
}


def captums(method: str, model: MultiScaleCNN, mel: np.ndarray, tag_index: int, scale: str) -> np.ndarray:
    # In order: the front end's mels run along the bands, and there torch's own gradient of a BatchNorm is wrong.
    x = torch.from_numpy(np.ascontiguousarray(mel))[None, None].requires_grad_()
    reference = baseline_mel(model, mel, "clip_mean")[None, None]
    return PEERS[method](Term(model, scale, tag_index), x, reference)[0, 0].detach().numpy()


def test_every_method_that_captum_has_is_compared_with_captums() -> None:
    assert set(PEERS) == set(METHODS) - OURS_ALONE


@pytest.mark.parametrize("scale", ["input", "level1", "level2"])
@pytest.mark.parametrize("method", PEERS)
def test_maps_of_a_toy_are_captums(method: str, scale: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATCH", (2, 3))
    model, mel = toy(), toy_mel()
    maps = saliency(model, mel, 1, method=method, baseline="clip_mean", mel_config=TOY_CONFIG, seed=SEED)
    expected = captums(method, model, mel, 1, scale)
    ours = maps.maps[model.scales.index(scale)]
    assert np.abs(expected).max() > 0
    np.testing.assert_allclose(ours, expected, rtol=1e-4, atol=1e-5 * max(1.0, float(np.abs(expected).max())))


@pytest.fixture(scope="module")
def piano() -> Iterator[np.ndarray]:
    config = MelConfig()
    waveform = read_recording(PIANO, sample_rate=config.sample_rate, duration_s=config.window_s).waveform
    with torch.no_grad():
        yield LogMelSpectrogram(config)(torch.from_numpy(waveform[: config.window_samples])[None])[0, 0].numpy()


@pytest.mark.slow
@pytest.mark.parametrize("method", PEERS)
def test_maps_of_a_bundled_network_are_captums(method: str, piano: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    """One clip, level 3: deep enough for every rule, and half as slow as the whole network."""
    monkeypatch.setattr(module, "PATCH", (24, 342))
    monkeypatch.setattr(module, "N_STEPS", 4)
    monkeypatch.setattr(module, "N_NOISY", 4)
    loaded = checkpoint.load("msecnn")
    model, tag_index = with_scales(loaded.model), loaded.tags.index("piano")
    maps = saliency(model, piano, tag_index, method=method, baseline="clip_mean", scales=("level3",), seed=SEED)
    expected = captums(method, model, piano, tag_index, "level3")
    missed = float(np.linalg.norm(maps.maps[0] - expected) / np.linalg.norm(expected))
    assert missed < 0.01  # float32 rounding moves a winner where two cells are nearly equal
