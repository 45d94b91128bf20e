"""The networks by ONNX Runtime compute what they compute by torch, whatever their size, weights and front end."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from msecnn import checkpoint, runtimes
from msecnn.checkpoint import Checkpoint, bundled
from msecnn.checkpoint_card import Card
from msecnn.checkpoint_network import kinds
from msecnn.checkpoint_weights import NetworkWeights
from msecnn.errors import MsecnnError
from msecnn.explain.contributions import contributions, of_prediction
from msecnn.frontend import LogMelSpectrogram, MelConfig
from msecnn.frontend.numpy_log_mel import log_mel
from msecnn.models import registry
from msecnn.models.structure import ARCHITECTURES, structure_of
from msecnn.runtimes.onnx_runtime import OnnxRuntime
from msecnn.tagger import Tagger, TagPrediction, tag

EXAMPLES = sorted((Path(__file__).resolve().parents[1] / "assets" / "examples").glob("*.mp3"))
#: Neither its bands nor its frames fill the poolings.
OTHER = MelConfig(sample_rate=16_000, n_fft=400, hop_length=160, n_mels=100, f_max=8_000.0, n_frames=1_301)


@pytest.fixture(scope="module", params=bundled())
def both(request: pytest.FixtureRequest) -> list[Tagger]:
    """A bundled network by ONNX Runtime, and by torch."""
    loaded = checkpoint.load(request.param)
    return [Tagger(loaded, device="cpu", runtime=name) for name in ("onnx", "torch")]


@pytest.fixture(scope="module")
def predicted(both: list[Tagger]) -> list[list[TagPrediction]]:
    """What both say of each example."""
    return [tag(path, both) for path in EXAMPLES]


class TestExamples:
    def test_tags(self, predicted: list[list[TagPrediction]]) -> None:
        """Rounding in float32: a part in ten million of sums of some thousand terms, twice."""
        for by_onnx, by_torch in predicted:
            np.testing.assert_allclose(by_onnx.window_logits, by_torch.window_logits, atol=1e-4)
            np.testing.assert_allclose(by_onnx.probabilities, by_torch.probabilities, atol=1e-5)
            assert [name for name, _ in by_onnx.top(5)] == [name for name, _ in by_torch.top(5)]

    def test_all_else(self, predicted: list[list[TagPrediction]]) -> None:
        for by_onnx, by_torch in predicted:
            assert by_onnx.mel is not None
            assert by_torch.mel is not None
            np.testing.assert_allclose(by_onnx.mel, by_torch.mel, atol=3e-3)  # torchaudio's edges are float32
            assert by_onnx.features.keys() == by_torch.features.keys()
            for scale, values in by_onnx.features.items():
                np.testing.assert_allclose(values, by_torch.features[scale], atol=1e-4)
            assert by_onnx.notes == by_torch.notes
            assert by_onnx.windows == by_torch.windows

    def test_contributions_add_up_and_are_the_same(
        self, both: list[Tagger], predicted: list[list[TagPrediction]]
    ) -> None:
        loaded = both[0].checkpoint
        for by_onnx, by_torch in predicted:
            split = of_prediction(loaded, by_onnx)
            np.testing.assert_allclose(split.base_value + split.relative.sum(1), by_onnx.window_logits, atol=1e-5)
            other = contributions(
                both[1].model, by_torch.features, mean_features=loaded.mean_features, tags=loaded.tags
            )
            np.testing.assert_allclose(split.relative, other.relative, atol=1e-4)


def made_up(architecture: str, config: MelConfig = OTHER, n_tags: int = 3) -> Checkpoint:
    """A network whose every number is random, as it is read without torch."""
    torch.manual_seed(0)
    model = registry.create(architecture, n_tags=n_tags, n_mels=config.n_mels, n_frames=config.n_frames)
    for name, tensor in model.state_dict().items():
        if name.endswith(("running_var", "norm.weight")):
            torch.nn.init.uniform_(tensor, 0.5, 2)
        elif "norm" in name and tensor.is_floating_point():
            torch.nn.init.uniform_(tensor, -1, 1)
    parameters = {"n_tags": n_tags, "n_mels": config.n_mels, "n_frames": config.n_frames}
    tags = tuple("abcdefgh"[:n_tags])
    card = Card(architecture, parameters, config, tags, "", {})
    structure = structure_of(architecture, parameters)
    assert structure is not None
    weights = NetworkWeights(card, structure, {name: tensor.numpy() for name, tensor in model.state_dict().items()})
    return Checkpoint(architecture, Path(), weights, config, tags, {}, None)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_structure_is_the_network_s(architecture: str) -> None:
    model = registry.create(architecture, n_tags=7)
    structure = structure_of(architecture, {"n_tags": 7})
    assert structure == model.structure
    assert structure.tensors == kinds(model)
    assert structure.n_parameters == sum(parameter.numel() for parameter in model.parameters())


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_random_networks_of_another_size_on_several_windows(architecture: str) -> None:
    loaded = made_up(architecture)
    mels = np.random.default_rng(0).normal(-40, 15, (3, 1, OTHER.n_mels, OTHER.n_frames)).astype(np.float32)
    logits, features = OnnxRuntime(loaded).run(mels)
    with torch.no_grad():
        expected = loaded.model.features(torch.from_numpy(mels))
        np.testing.assert_allclose(logits, loaded.model(torch.from_numpy(mels)), rtol=1e-4, atol=1e-4)
    for scale, values in expected.items():
        np.testing.assert_allclose(features[scale], values, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    "config", [MelConfig(), OTHER, MelConfig(top_db=80.0, doubled_db=True), MelConfig(f_min=50.0, f_max=5_000.0)]
)
def test_the_front_end_without_torch_is_the_one_with_it(config: MelConfig) -> None:
    """A tone, noise and silence: what differs is the rounding of the filters, in float64 here and float32 there."""
    seconds = np.arange(config.window_samples) / config.sample_rate
    tone = np.sin(2 * np.pi * 440 * seconds) + 1e-4 * np.random.default_rng(0).standard_normal(len(seconds))
    waveforms = np.stack([tone * (seconds < 10), 0 * tone]).astype(np.float32)
    expected = LogMelSpectrogram(config)(torch.from_numpy(waveforms)).numpy()
    np.testing.assert_allclose(log_mel(waveforms, config), expected, atol=4e-3 if config.doubled_db else 2e-3)


def test_bfloat16_weights_are_read_as_torch_reads_them(tmp_path: Path) -> None:
    from safetensors.torch import save

    from msecnn.checkpoint_weights import read_weights

    values = torch.randn(3, 5).to(torch.bfloat16)
    content = save({"a": values})
    (tmp_path / "weights").write_bytes(content)
    import hashlib

    read = read_weights(tmp_path / "weights", hashlib.sha256(content).hexdigest(), [((3, 5), True)])
    np.testing.assert_array_equal(read["a"], values.float())


class TestChoice:
    @pytest.fixture
    def installed(self, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
        """Sets which packages there are, and whether a GPU is."""

        def install(*packages: str, gpu: bool = False) -> None:
            monkeypatch.setattr(runtimes, "is_installed", lambda package: package in packages)
            monkeypatch.setattr(runtimes, "has_gpu_driver", lambda: gpu)

        return install

    def test_onnx_is_sooner_on_a_cpu(self, installed: Callable[..., None]) -> None:
        loaded = [checkpoint.load(name) for name in bundled()]
        installed("torch", "onnxruntime")
        assert runtimes.fastest(loaded) == "onnx"
        assert runtimes.fastest(loaded, device="cpu") == "onnx"
        assert runtimes.fastest(loaded, device="cuda") == "torch"
        assert runtimes.fastest(loaded, dtype="bfloat16") == "torch"

    def test_a_gpu_is_sooner(self, installed: Callable[..., None]) -> None:
        loaded = [checkpoint.load("msecnn")]
        installed("torch", "onnxruntime", gpu=True)
        assert runtimes.fastest(loaded) == "torch"
        assert runtimes.fastest(loaded, device="cpu") == "onnx"

    def test_what_is_installed_is_taken(self, installed: Callable[..., None]) -> None:
        loaded = [checkpoint.load("msecnn")]
        installed("torch")
        assert runtimes.fastest(loaded) == "torch"
        installed("onnxruntime", gpu=True)
        assert runtimes.fastest(loaded) == "onnx"
        assert Tagger(loaded[0]).runtime.name == "onnx"

    def test_a_network_on_waveforms_runs_by_torch(self, installed: Callable[..., None]) -> None:
        model = registry.create("musicnn", n_tags=2).eval()
        loaded = Checkpoint("m", Path(), model, MelConfig(), ("a", "b"), {}, None)
        installed("torch", "onnxruntime")
        assert runtimes.fastest([loaded]) == "torch"
        with pytest.raises(MsecnnError, match="runs by PyTorch only"):
            Tagger(loaded, runtime="onnx")

    @pytest.mark.parametrize("options", [{"device": "cuda"}, {"dtype": "bfloat16"}, {"device": "tpu"}])
    def test_what_onnx_cannot_is_told(self, options: dict[str, str]) -> None:
        with pytest.raises(MsecnnError, match="runtime onnx computes on the CPU"):
            Tagger(checkpoint.load("msecnn"), runtime="onnx", **options)
