"""The other eight systems of the paper's table: sizes, and each drawn again from its paper's description, literally."""

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.fft import dct
from torch import Tensor, nn

from msecnn import checkpoint
from msecnn.models import registry
from msecnn.models.published.musicnn import Musicnn
from msecnn.models.stages.standardisation import Standardisation
from msecnn.models.table1 import bag_of_features, multi_scale, pmsc_pooling
from msecnn.models.table1.encoded_tagger import EncodedTagger
from msecnn.models.tagging_model import TaggingModule
from msecnn.tagger import Tagger
from msecnn.tags import MAGNATAGATUNE_TAGS

ROOT = Path(__file__).resolve().parents[1]
SYSTEMS = tuple(n for n in registry.names() if type(registry.create(n)).__module__.startswith("msecnn.models.table1."))
ON_MELS = tuple(name for name in SYSTEMS if registry.create(name).front_end is not None)
ENCODED = tuple(name for name in ON_MELS if isinstance(registry.create(name), EncodedTagger))
COUNTS = [
    ("fcn4", {}, 17_365_938),
    ("end_to_end", {}, 352_090),
    ("end_to_end", {"n_channels": 512, "n_hidden": 500}, 5_926_198),
    ("timbre_cnn", {}, 191_006),
    ("timbre_cnn", {"width": 1}, 74_526),
    ("timbre_cnn", {"width": 4}, 565_278),
    ("conv1d", {}, 74_974),
    ("conv1d", {"n_mels": 96}, 66_782),
    ("conv1d_raw", {}, 107_870),
    ("bag_of_features", {}, 1_075_762),
]


def alive(name: str, **sizes: int) -> TaggingModule:
    """A network none of whose buffers is at its start value."""
    torch.manual_seed(0)
    model = registry.create(name, **sizes).eval()
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            nn.init.normal_(module.running_mean, std=0.3)
            nn.init.uniform_(module.running_var, 0.5, 2.0)
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, std=0.3)
        if isinstance(module, Standardisation):
            nn.init.normal_(module.mean, std=0.1)
            nn.init.uniform_(module.scale, 0.5, 1.5)
    return model


def mels_of(model: TaggingModule, n: int = 1) -> Tensor:
    config = model.front_end
    assert config is not None
    return torch.randn(n, 1, config.n_mels, config.n_frames, generator=torch.Generator().manual_seed(1)) * 15 - 30


def clips(model: TaggingModule, n: int = 3) -> list[Tensor]:
    """Mels as `fit` gets them, a clip long."""
    config = model.clip_front_end
    generator = torch.Generator().manual_seed(2)
    mels = torch.randn(n, 1, config.n_mels, config.n_frames, generator=generator) * 15 - 30
    return [mels[:2], mels[2:]]


@pytest.mark.parametrize(("name", "sizes", "count"), COUNTS)
def test_parameters(name: str, sizes: dict[str, int], count: int) -> None:
    model = registry.create(name, **sizes)
    assert sum(parameter.numel() for parameter in model.parameters()) == count


def test_every_row_of_the_table_but_the_first_two_has_a_file() -> None:
    files = {type(registry.create(name)).__module__.rsplit(".", 1)[1] for name in SYSTEMS}
    assert files == {
        "bag_of_features", "conv1d", "end_to_end", "fcn4", "multi_scale", "pmsc_pooling", "timbre_cnn", "transferred",
    }  # fmt: skip


@pytest.mark.parametrize("name", ON_MELS)
def test_a_small_step_down_the_gradient_lowers_the_loss(name: str) -> None:
    model = alive(name)
    mels = mels_of(model, 1 if name == "fcn4" else 2)
    targets = torch.rand(len(mels), 50, generator=torch.Generator().manual_seed(3))
    losses = []
    for _ in range(2):
        loss = nn.functional.binary_cross_entropy_with_logits(model(mels), targets)
        losses.append(float(loss.detach()))
        model.zero_grad()
        loss.backward()
        gradients = [p for p in model.parameters() if p.grad is not None]
        rate = 0.01 * loss.detach() / sum(p.grad.square().sum() for p in gradients)  # a hundredth, if it were linear
        with torch.no_grad():
            for p in gradients:
                p -= rate * p.grad
    assert losses[1] < losses[0]


@pytest.mark.parametrize("name", ON_MELS)
def test_a_checkpoint_of_it_tags_a_recording_as_the_network_does(name: str, tmp_path: Path) -> None:
    model = alive(name)
    checkpoint.save(tmp_path / name, model, mel_config=model.front_end, tags=MAGNATAGATUNE_TAGS, card={})
    loaded = checkpoint.load(tmp_path / name)
    checkpoint.verify(loaded)
    assert loaded.model.front_end == model.front_end
    song = ROOT / "assets" / "examples" / "piano.mp3"
    window_s = model.input_spec.window_s
    said = Tagger(loaded, device="cpu").tag(song, duration_s=window_s)
    assert said.features == {}
    assert said.mel.min() >= -100.5, "mels that are kept are in dB, whatever the network makes of them"
    with torch.no_grad():
        expected = model(torch.from_numpy(said.mel).unsqueeze(1)).sigmoid().mean(0)
    np.testing.assert_allclose(said.probabilities, expected.numpy(), atol=1e-4)


@pytest.mark.parametrize("name", ["multi_scale", "pmsc_pooling", "mfcc_pooling", "timbre_cnn", "conv1d"])
def test_what_is_fitted_follows_from_the_clips_and_the_seed(name: str) -> None:
    sizes = {"multi_scale": {"n_means": 20, "n_hidden": 10}}.get(name, {})
    models = [registry.create(name, **sizes) for _ in range(2)]
    for model in models:
        given = clips(model)
        model.fit(lambda given=given: given, torch.Generator().manual_seed(4))
    first, second = (dict(model.named_buffers()) for model in models)
    assert [key for key in first if not torch.equal(first[key], second[key])] == []
    if isinstance(models[0], EncodedTagger):
        features = torch.cat([models[0].encode(batch) for batch in clips(models[0])])
        torch.testing.assert_close(features.mean(0), torch.zeros(features.shape[1]), atol=1e-3, rtol=0)


def test_mels_of_another_size_are_refused() -> None:
    with pytest.raises(ValueError, match="expected mels"):
        registry.create("conv1d")(torch.zeros(1, 1, 96, 187))


# -- literal drawings -------------------------------------------------------------------------------------------------


def log_mel(decibels: Tensor) -> Tensor:
    """log10(1 + 10,000 x) of the mel power x."""
    return torch.log10(1 + 10_000 * 10 ** (decibels.double() / 10))


def norm(x: Tensor, module: nn.Module) -> Tensor:
    shape = (1, -1, *[1] * (x.ndim - 2))
    deviation = (module.running_var + module.eps).sqrt()
    return (x - module.running_mean.view(shape)) / deviation.view(shape) * module.weight.view(shape) + module.bias.view(
        shape
    )


def over_time(x: Tensor, conv: nn.Conv1d) -> Tensor:
    """A convolution over time as a sum over its taps: (B, C, L) to (B, C', L - kernel + 1)."""
    n = x.shape[2] - conv.kernel_size[0] + 1
    taps = [torch.einsum("oc,bcl->bol", conv.weight[:, :, i], x[:, :, i : i + n]) for i in range(conv.kernel_size[0])]
    return sum(taps) + conv.bias[:, None]


def maxima(x: Tensor, size: int) -> Tensor:
    """Pooling over time: the largest of each `size` frames."""
    n = x.shape[-1] // size
    return x[..., : n * size].reshape(*x.shape[:-1], n, size).max(-1).values


def close(model: TaggingModule, mels: Tensor, literal: Tensor) -> None:
    with torch.no_grad():
        torch.testing.assert_close(model(mels), literal.float(), atol=2e-4, rtol=2e-4)  # float32 sums in another order


@torch.no_grad()
def test_fcn4_literally() -> None:
    model = alive("fcn4")
    x = mels = mels_of(model)
    for level, pool in zip(model.levels, ((2, 4), (4, 5), (3, 8), (4, 8)), strict=True):
        x = norm(nn.functional.conv2d(x, level[0].weight, level[0].bias, padding=1), level[1])
        x = torch.max_pool2d(x.clamp(min=0), pool)
    assert x.shape == (1, 2048, 1, 1)
    close(model, mels, x[:, :, 0, 0] @ model.classifier.weight.T + model.classifier.bias)


@torch.no_grad()
def test_end_to_end_literally() -> None:
    model = alive("end_to_end").double()
    mels = mels_of(model, 2).double()
    mel = log_mel(mels)[:, 0]
    parts = []
    kernels = ((86, 7, 16), (86, 3, 32), (86, 1, 64), (38, 7, 16), (38, 3, 32), (38, 1, 64))
    for branch, (bands, frames, count) in zip(model.timbral, kernels, strict=True):
        assert branch.conv.weight.shape == (count, 1, bands, frames)
        x = nn.functional.conv2d(mel[:, None], branch.conv.weight, branch.conv.bias, padding=(0, frames // 2))
        parts.append(norm(x.relu(), branch.norm).max(2).values)
    for branch, (frames, count) in zip(model.temporal, ((165, 16), (128, 32), (64, 64), (32, 128)), strict=True):
        assert branch.conv.weight.shape == (count, 1, frames)
        zeros = torch.zeros(2, 1, frames - 1, dtype=torch.double)
        before = (frames - 1) // 2  # TensorFlow's "same": an odd zero comes after
        x = torch.cat([zeros[..., :before], mel.mean(1, keepdim=True), zeros[..., before:]], 2)
        parts.append(norm(over_time(x, branch.conv).relu(), branch.norm))
    x = torch.cat(parts, 1)
    assert x.shape == (2, 464, 187)
    around = torch.zeros(2, 64, 3, dtype=torch.double)

    def padded(layer: nn.Module, x: Tensor) -> Tensor:
        return norm(over_time(torch.cat([around, x, around], 2), layer.conv).relu(), layer.norm)

    x = norm(over_time(x, model.first.conv).relu(), model.first.norm)
    x = maxima(x + padded(model.second, x), 2)
    x = x + padded(model.third, x)
    x = torch.cat([x.max(2).values, x.mean(2)], 1)
    hidden = norm((x @ model.hidden.weight.T + model.hidden.bias).relu(), model.hidden_norm)
    literal = hidden @ model.classifier.weight.T + model.classifier.bias
    torch.testing.assert_close(model(mels), literal, atol=1e-6, rtol=1e-6)


@torch.no_grad()
def test_timbre_cnn_literally() -> None:
    model = alive("timbre_cnn").double()
    mels = mels_of(model, 2).double()
    x = log_mel(mels)
    x = (x - model.standardisation.mean[:, None]) * model.standardisation.scale[:, None]
    maps, filters = [], iter(model.filters)
    for height, counts in ((100, (10, 6, 3, 3)), (75, (15, 10, 5, 5)), (25, (15, 10, 5, 5))):
        for width, count in zip((1, 3, 5, 7), counts, strict=True):
            conv = next(filters)
            assert conv.weight.shape == (2 * count, 1, height, width)
            y = nn.functional.elu(nn.functional.conv2d(x, conv.weight, conv.bias, padding=(0, width // 2)))
            maps.append(torch.max_pool2d(y, (y.shape[2], 4)).squeeze(2))
    y = maxima(nn.functional.elu(over_time(torch.cat(maps, 1), model.second)), 4)
    assert y.shape == (2, 64, 9)
    hidden = nn.functional.elu(y.reshape(2, -1) @ model.hidden.weight.T + model.hidden.bias)
    literal = hidden @ model.classifier.weight.T + model.classifier.bias
    torch.testing.assert_close(model(mels), literal, atol=1e-6, rtol=1e-6)


@torch.no_grad()
@pytest.mark.parametrize("n_mels", [128, 96])
def test_conv1d_literally(n_mels: int) -> None:
    model = alive("conv1d", n_mels=n_mels).double()
    mels = mels_of(model, 2).double()
    x = (log_mel(mels)[:, 0] - model.standardisation.mean[:, None]) * model.standardisation.scale[:, None]
    layers = model.convolutions
    for conv in (layers.first, layers.second):
        x = maxima(over_time(x, conv).clamp(min=0), 4)
    assert x.shape == (2, 32, 9)
    hidden = (x.reshape(2, -1) @ layers.hidden.weight.T + layers.hidden.bias).clamp(min=0)
    literal = hidden @ model.classifier.weight.T + model.classifier.bias
    torch.testing.assert_close(model(mels), literal, atol=1e-6, rtol=1e-6)


@torch.no_grad()
def test_conv1d_on_waveforms_begins_with_products_of_frames_side_by_side() -> None:
    model = alive("conv1d_raw")
    waveform = torch.randn(1, 187 * 256, generator=torch.Generator().manual_seed(1))
    frames = waveform.reshape(1, 187, 256) @ model.strided.weight[:, 0].T + model.strided.bias
    x = frames.clamp(min=0).transpose(1, 2)
    for conv in (model.convolutions.first, model.convolutions.second):
        x = maxima(over_time(x, conv).clamp(min=0), 4)
    hidden = (x.flatten(1) @ model.convolutions.hidden.weight.T + model.convolutions.hidden.bias).clamp(min=0)
    close(model, waveform, hidden @ model.classifier.weight.T + model.classifier.bias)


def hidden_layers(model: EncodedTagger, x: np.ndarray) -> np.ndarray:
    x = (x - model.standardisation.mean.numpy()) * model.standardisation.scale.numpy()
    for layer in model.hidden:
        if isinstance(layer, nn.Linear):
            x = np.maximum(0, x @ layer.weight.numpy().T + layer.bias.numpy())
    return x @ model.classifier.weight.numpy().T + model.classifier.bias.numpy()


def fitted(name: str, **sizes: int) -> EncodedTagger:
    torch.manual_seed(0)
    model = registry.create(name, **sizes).eval()
    given = clips(model)
    model.fit(lambda: given, torch.Generator().manual_seed(1))
    return model


def six_moments(x: np.ndarray) -> np.ndarray:
    """(D, L) to (D, 6)."""
    mean = x.mean(1)
    central = [((x - mean[:, None]) ** order).mean(1) for order in (2, 3, 4)]
    return np.stack([mean, central[0], x.max(1), x.min(1), central[1], central[2]], 1)


@torch.no_grad()
def test_pmsc_pooling_literally() -> None:
    model = fitted("pmsc_pooling", n_hidden=20)
    mels = mels_of(model)
    stage = model.whitening
    x = stage.components.numpy().astype(float) @ (mels[0, 0].numpy() - stage.mean.numpy()[:, None])  # (120, L)
    features = []
    for count in (1, 4, 16, 64):
        length = x.shape[1] // count
        cut = [six_moments(x[:, i * length : (i + 1) * length]) for i in range(count)]
        features.append(np.mean(cut, axis=0).ravel())
    raw = np.concatenate(features)
    np.testing.assert_allclose(model.raw_features(mels)[0].numpy(), raw, rtol=2e-3, atol=1e-3)
    np.testing.assert_allclose(model(mels)[0].numpy(), hidden_layers(model, raw), atol=2e-2)


@torch.no_grad()
def test_mfcc_pooling_literally() -> None:
    model = fitted("mfcc_pooling", n_hidden=20)
    mels = mels_of(model)
    cepstra = dct(mels[0, 0].double().numpy(), type=2, norm="ortho", axis=0)[:20]
    raw = six_moments(cepstra).ravel()
    np.testing.assert_allclose(model.raw_features(mels)[0].numpy(), raw, rtol=1e-3, atol=1e-2)
    np.testing.assert_allclose(model(mels)[0].numpy(), hidden_layers(model, raw), atol=2e-2)


def smooth_and_halve(x: np.ndarray) -> np.ndarray:
    """(F, L): weights 1 4 6 4 1 over sixteen, ends repeated, then every second frame."""
    y = np.pad(x, ((0, 0), (2, 2)), mode="edge")
    n = x.shape[1]
    return (sum(w * y[:, i : i + n] for i, w in enumerate((1, 4, 6, 4, 1))) / 16)[:, ::2]


@torch.no_grad()
def test_multi_scale_literally() -> None:
    model = fitted("multi_scale", n_levels=4, n_means=12, n_hidden=20)
    mels = mels_of(model)
    x = log_mel(mels)[0, 0].numpy()
    features = []
    for number, level in enumerate(model.levels):
        coarser = smooth_and_halve(x)
        frames = np.arange(x.shape[1]) / 2
        again = np.stack([np.interp(frames, np.arange(coarser.shape[1]), row) for row in coarser])
        detail = x if number == 3 else x - again
        white = level.whitening.components.numpy() @ (detail - level.whitening.mean.numpy()[:, None])
        similarity = level.kmeans.means.numpy() @ white  # (K, L)
        features.append(np.maximum(0, similarity - similarity.mean(0)).mean(1))
        x = coarser
    raw = np.concatenate(features)
    np.testing.assert_allclose(model.raw_features(mels)[0].numpy(), raw, rtol=2e-3, atol=2e-3)
    np.testing.assert_allclose(model(mels)[0].numpy(), hidden_layers(model, raw), atol=5e-2)


def test_a_laplacian_pyramid_adds_up_to_what_it_was_made_of() -> None:
    mel = torch.randn(2, 5, 91, generator=torch.Generator().manual_seed(1))
    *details, rest = multi_scale.laplacian_pyramid(mel, 5)
    assert [level.shape[2] for level in (*details, rest)] == [91, 46, 23, 12, 6]
    for detail in reversed(details):
        rest = multi_scale.stretched(rest, detail.shape[2]) + detail
    torch.testing.assert_close(rest, mel)


@torch.no_grad()
def test_bag_of_features_literally(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bag_of_features, "N_COMPONENTS", 30)
    model = registry.create("bag_of_features", n_units=16).eval()
    generator = torch.Generator().manual_seed(1)
    model.whitening.fit(torch.rand(60, 1024, generator=generator))
    model.machine.weight.copy_(torch.randn(16, 30, generator=generator))
    model.machine.hidden_bias.copy_(torch.randn(16, generator=generator))
    mels = mels_of(model)
    magnitude = 10 ** (mels[0, 0].double().numpy() / 20)
    levelled, level = np.empty_like(magnitude), np.zeros(128)
    for t in range(magnitude.shape[1]):
        around = np.array([magnitude[max(0, f - 4) : f + 5, t].mean() for f in range(128)])
        level = np.maximum(around, 0.955 * level + 0.045 * around)
        levelled[:, t] = magnitude[:, t] / (level + 0.01)
    compressed = np.log10(1 + 10 * levelled)
    hidden = []
    for t in range(compressed.shape[1] - 7):
        block = compressed[:, t : t + 8].ravel()
        white = model.whitening.components.numpy() @ (block - model.whitening.mean.numpy())
        hidden.append(1 / (1 + np.exp(-(model.machine.weight.numpy() @ white + model.machine.hidden_bias.numpy()))))
    seconds = [np.max(hidden[i * 43 : (i + 1) * 43], axis=0) for i in range(len(hidden) // 43)]
    raw = np.mean(seconds, axis=0)
    np.testing.assert_allclose(model.raw_features(mels)[0].numpy(), raw, atol=1e-3)
    np.testing.assert_allclose(model(mels)[0].numpy(), hidden_layers(model, raw), atol=1e-2)


def test_blocks_that_the_machine_learns_begin_where_the_sound_does() -> None:
    """In each second of silence and one click, the block that is kept is the one that begins with the click."""
    mel = torch.full((1, 1, 128, 1255), -100.0)
    clicks = np.arange(5, 1200, 43)
    mel[..., clicks] = 0.0
    model = registry.create("bag_of_features", n_units=4)
    blocks = next(model._onset_blocks(lambda: [mel]))
    loudest = blocks.view(-1, 128, 8).mean(1).argmax(1)
    assert len(blocks) == 29
    assert (loudest[: len(clicks)] == 0).all()


@torch.no_grad()
def test_transferred_features_are_the_sources_last_layer_averaged_over_patches() -> None:
    model, source = alive("transferred_musicnn"), alive("musicnn")
    assert isinstance(source, Musicnn)
    weights = {name: value for name, value in source.state_dict().items() if not name.endswith("num_batches_tracked")}
    model.load_source(weights)
    mels = mels_of(model)
    patches = log_mel(mels).float()[..., : 9 * 187].split(187, dim=3)
    expected = torch.stack([source.embed(patch) for patch in patches]).mean(0)
    torch.testing.assert_close(model.raw_features(mels), expected, atol=1e-4, rtol=1e-4)
    logits = source.embed(patches[0]) @ source.classifier.weight.T + source.classifier.bias
    torch.testing.assert_close(source.tag_mel(patches[0]), logits, atol=1e-4, rtol=1e-4)


def test_a_source_of_another_network_is_refused() -> None:
    model, other = registry.create("transferred_vgg"), registry.create("musicnn")
    with pytest.raises(RuntimeError, match="another network"):
        model.load_source({name: value for name, value in other.state_dict().items() if name.startswith("timbral")})


def test_moments_of_a_known_signal() -> None:
    expected = torch.tensor([[2.0, 2.0, 4.0, 0.0, 0.0, 6.8]])  # 0 1 2 3 4: fourth moment (16 + 1 + 0 + 1 + 16) / 5
    torch.testing.assert_close(pmsc_pooling.moments(torch.arange(5.0)[None]), expected)
