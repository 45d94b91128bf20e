"""Everything that may run on a GPU runs on a fake one: no numbers, but a tensor left on the CPU fails on every machine.

`FakeTensorMode` knows each tensor's shape, type and device and computes nothing. It knows no backward pass here and no
value, so what asks a GPU for one (`float(loss)`) is not run.
"""

import numpy as np
import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from msecnn import checkpoint
from msecnn.frontend import LogMelSpectrogram
from msecnn.models import registry
from msecnn.models.fast.folded import FoldedNetwork
from msecnn.models.published.waveform import WaveformTagger
from msecnn.tagger import Tagger
from msecnn.training import trainer as trainer_module
from msecnn.training.augmentation import Augmentation, draw
from msecnn.training.data import TrainingData
from msecnn.training.deep_supervision import DeepSupervision
from msecnn.training.device import has_bfloat16
from msecnn.training.distributed import Processes
from msecnn.training.loss import masked_bce
from msecnn.training.settings import TrainConfig
from msecnn.training.trainer import Trainer

GPU = torch.device("cuda")
N_CLIPS, N_TAGS = 6, 50


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> FakeTensorMode:
    """Within `with gpu:` there is a GPU; networks are made before, as what is fake cannot be moved."""
    monkeypatch.setattr(trainer_module, "has_bfloat16", lambda device: True)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (1 << 36, 1 << 36))
    monkeypatch.setattr("msecnn.runtimes.torch_runtime.pick_device", lambda device=None: GPU)
    return FakeTensorMode(allow_non_fake_inputs=True)


def training_data() -> TrainingData:
    rng = np.random.default_rng(0)
    mels = rng.normal(size=(N_CLIPS, 96, 1366)).astype(np.float16)
    targets = rng.random((N_CLIPS, N_TAGS)).astype(np.float32)
    rows = np.arange(N_CLIPS)[::-1].copy()
    return TrainingData(mels, targets, np.arange(4), np.arange(4, 6), rows=rows)


def a_trainer(model: torch.nn.Module, data: TrainingData, **config: object) -> Trainer:
    settings = TrainConfig(batch_size=4, augmentation=Augmentation(mix=0.5, loop=0.5), **config)
    return Trainer(model, data, settings, group=Processes(0, 1, GPU), folder=None)


def test_a_mix_up_of_devices_is_found(gpu: FakeTensorMode) -> None:
    """The check of this file itself."""
    with gpu, pytest.raises(Exception, match="device"):
        torch.empty(3, device=GPU) + torch.ones(3)


@pytest.mark.parametrize("name", ["fcn5", "msecnn", "msecnn_wide"])
@pytest.mark.parametrize("order", ["pool_first", "literal"])
def test_a_training_step_up_to_its_loss(gpu: FakeTensorMode, name: str, order: str) -> None:
    model = registry.create(name, N_TAGS, order=order)
    with gpu:
        trainer = a_trainer(model, training_data())
        draws = draw(trainer.config.augmentation, 4, n_bands=96, source_frames=1366, n_frames=1366, seed=0, epoch=0).to(
            GPU
        )
        mels, targets = trainer.batches.augmented(np.array([3, 1, 0, 2]), draws)
        assert (mels.device.type, mels.shape) == ("cuda", (4, 96, 1366))
        assert (targets.device.type, targets.shape) == ("cuda", (4, N_TAGS))
        logits = trainer._logits(mels)
        assert (logits.device.type, logits.dtype) == ("cuda", torch.float32)
        loss, known = masked_bce(logits, targets)
        assert {loss.device.type, known.device.type} == {"cuda"}
        trainer.state.averaged.update(trainer.model)


def test_mels_that_do_not_fit_the_gpu_travel_batch_by_batch(
    gpu: FakeTensorMode, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = registry.create("fcn5", N_TAGS, order="pool_first")
    with gpu:
        monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (1, 1))
        trainer = a_trainer(model, training_data())
        assert isinstance(trainer.batches.mels, np.ndarray)
        assert trainer.batches.take(np.array([0, 3])).device.type == "cuda"


def test_deep_supervision(gpu: FakeTensorMode) -> None:
    learner = DeepSupervision(registry.create("msecnn", N_TAGS, order="pool_first"), ["level2", "level5"])
    with gpu:
        trainer = a_trainer(learner, training_data())
        assert trainer._logits(torch.empty(2, 96, 1366, device=GPU)).shape == (2, 3 * N_TAGS)


# cuDNN asks the driver before it makes a recurrent layer, even of what is fake
@pytest.mark.parametrize("name", [name for name in registry.names() if name != "won_crnn"])
def test_every_network_predicts(gpu: FakeTensorMode, name: str) -> None:
    model, frontend = registry.create(name, N_TAGS).eval(), LogMelSpectrogram()
    with gpu:
        model.to(GPU)
        if model.scales:
            mel = frontend.to(GPU)(torch.empty(2, 349_440, device=GPU))
            with torch.no_grad():
                assert model(mel).device.type == "cuda"
                assert FoldedNetwork(model)(mel).device.type == "cuda"
        elif isinstance(model, WaveformTagger):
            waveform = np.zeros(model.window_samples, np.float32)
            with torch.no_grad():
                assert model.tag_mel(model.windows(waveform)).device.type == "cuda"
        else:
            spec = model.input_spec
            mel = spec.front_end and (1, spec.front_end.n_mels, spec.front_end.n_frames)
            with torch.no_grad():
                assert model(torch.empty(2, *(mel or (spec.window_samples,)), device=GPU)).device.type == "cuda"


def test_a_tagger_s_batch(gpu: FakeTensorMode) -> None:
    loaded, frontend = checkpoint.load("msecnn"), LogMelSpectrogram()
    assert loaded.model.scales  # made here
    with gpu:
        tagger = Tagger(loaded)
        mel = frontend.to(GPU)(torch.empty(2, 349_440, device=GPU))
        logits, features = tagger.runtime.run_tensors(mel)
        assert {x.device.type for x in (logits, *features.values())} == {"cuda"}


@pytest.mark.parametrize(
    ("device", "lacking"), [("cpu", "_is_mkldnn_bf16_supported"), ("cuda", "get_device_capability")]
)
def test_where_bfloat16_has_no_convolutions_it_is_float32(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, device: str, lacking: str
) -> None:
    has_bfloat16.cache_clear()
    place, answer = (torch.ops.mkldnn, False) if device == "cpu" else (torch.cuda, (7, 5))
    monkeypatch.setattr(place, lacking, lambda *_: answer)
    assert not has_bfloat16(torch.device(device))
    assert not has_bfloat16(torch.device(device))
    assert len(caplog.records) == 1
    has_bfloat16.cache_clear()
