"""The trainer: what it computes, what it survives, and what it says when it cannot go on."""

import argparse
import errno
import hashlib
import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from msecnn import checkpoint
from msecnn.audio import write_wav
from msecnn.cli import main
from msecnn.cli import train as train_command
from msecnn.cli.options import resolve
from msecnn.data.manifest import Clip, Manifest
from msecnn.data.mel_cache import MelCache
from msecnn.models import registry
from msecnn.models.conv_pool import conv_max_pool
from msecnn.models.layers import POOLS, MultiScaleCNN
from msecnn.training import schedule
from msecnn.training.augmentation import Augmentation, augment, draw, mix
from msecnn.training.data import TrainingData
from msecnn.training.ema import AveragedWeights
from msecnn.training.loss import masked_bce
from msecnn.training.patches import clip_logits
from msecnn.training.pipeline import make_model
from msecnn.training.run_folder import RunFolder, TrainingError, origin
from msecnn.training.settings import TrainConfig
from msecnn.training.trainer import Trainer, train

CONFIG = TrainConfig(epochs=4, batch_size=4, learning_rate=1e-2, dropout=0.2, augmentation=Augmentation(mix=0.5))


def small_model(seed: int = 0) -> MultiScaleCNN:
    """A MsE-CNN of two levels, for mels of 8 bands and 480 frames."""
    torch.manual_seed(seed)
    return MultiScaleCNN(
        n_tags=3, channels=(4, 6), scales=("input", "level1", "level2"), pools=((2, 4), (4, 120)), n_mels=8,
        n_frames=480, order="pool_first",
    )  # fmt: skip


def small_data() -> TrainingData:
    """18 clips of which some labels are unknown."""
    rng = np.random.default_rng(0)
    targets = rng.random((18, 3)).astype(np.float32)
    targets[rng.random((18, 3)) < 0.2] = np.nan
    mels = rng.normal(-40, 15, (18, 8, 490)).astype(np.float16)
    return TrainingData(mels, targets, np.arange(13), np.arange(13, 18))


def run(out: Path | None = None, *, config: TrainConfig = CONFIG, resume: bool = False) -> dict[str, Tensor]:
    """The best weights of a small run on one thread."""
    model = small_model()
    train(model, small_data(), config, out=out, resume=resume, device="cpu", progress=False)
    return model.state_dict()


def assert_equal_bit_for_bit(left: dict[str, Tensor], right: dict[str, Tensor]) -> None:
    assert left.keys() == right.keys()
    assert [name for name in left if not torch.equal(left[name], right[name])] == []


# --- the networks' training path ---


@pytest.mark.parametrize("frames", [40, 43])  # 43: pooling drops the last three
def test_conv_max_pool_has_the_values_and_gradients_of_its_two_steps(frames: int) -> None:
    torch.manual_seed(0)
    conv, pool = nn.Conv2d(1, 8, 3, padding=1), nn.MaxPool2d((2, 4))
    mels = torch.randn(3, 1, 12, frames, requires_grad=True)
    expected, actual = pool(conv(mels)), conv_max_pool(mels, conv, pool)
    torch.testing.assert_close(actual, expected)
    upstream = torch.randn_like(expected)
    wanted = (mels, conv.weight, conv.bias)
    for got, want in zip(
        torch.autograd.grad(actual, wanted, upstream), torch.autograd.grad(expected, wanted, upstream), strict=True
    ):
        torch.testing.assert_close(got, want, rtol=1e-4, atol=1e-5)  # float32 sums over 500 cells in another order


@pytest.mark.parametrize("name", ["fcn5", "msecnn"])
def test_training_pools_first_and_is_the_literal_network_in_evaluation(name: str) -> None:
    torch.manual_seed(0)
    fast = registry.create(name, 5, order="pool_first")
    mels = torch.randn(2, 1, 96, 1366) * 15 - 40
    fast.train()(mels).sum().backward()  # sets running statistics
    literal = registry.create(name, 5)
    literal.load_state_dict(fast.state_dict())
    with torch.no_grad():
        torch.testing.assert_close(fast.eval()(mels), literal.eval()(mels), rtol=1e-4, atol=1e-4)


# --- loss, averages, schedules ---


def test_unknown_labels_cost_nothing_and_give_no_gradient() -> None:
    logits = torch.tensor([[0.0, 2.0, -1.0]], requires_grad=True)
    loss, n_known = masked_bce(logits, torch.tensor([[0.25, float("nan"), 1.0]]))
    loss.backward()
    assert n_known == 2
    assert loss.item() == pytest.approx(np.log(2) + np.log1p(np.e), rel=1e-6)
    # the gradient of the cross-entropy is probability minus target
    np.testing.assert_allclose(logits.grad, [[0.25, 0, 1 / (1 + np.e) - 1]], rtol=1e-5)


def test_averaged_weights_follow_the_recursion_and_include_batch_norm_statistics() -> None:
    model = nn.BatchNorm2d(1)
    averaged = AveragedWeights(model, 0.5)
    expected, values = 0.0, [3.0, -1.0, 10.0, 4.0]
    for step, value in enumerate(values, 1):
        model.running_mean.fill_(value)
        averaged.update(model)
        decay = min(0.5, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * value
    with averaged.swapped_in(model):
        assert model.running_mean.item() == pytest.approx(expected)
    assert model.running_mean.item() == 4.0
    with pytest.raises(KeyError), averaged.swapped_in(model):
        raise KeyError
    assert model.running_mean.item() == 4.0


def test_schedules_rise_and_fall_as_told() -> None:
    cycle = [schedule.rate_factor("one_cycle", step, 1000, warmup=0.3) for step in range(1000)]
    assert np.argmax(cycle) == 300
    assert cycle[300] == 1.0
    assert cycle[0] == pytest.approx(schedule.START, rel=0.01)
    assert cycle[-1] == pytest.approx(schedule.END, abs=1e-4)
    cosine = [schedule.rate_factor("cosine", step, 1000, warmup=0.1) for step in range(1000)]
    np.testing.assert_allclose(np.diff(cosine[:100]), 1 / 101)  # a straight line up
    assert cosine[550] == pytest.approx((1 + schedule.END) / 2)  # halfway down


def test_won_2020_changes_optimizers_after_80_100_and_120_of_140_epochs() -> None:
    phases = [schedule.phase_of("won2020", epoch, 140) for epoch in range(140)]
    assert [(p.optimizer, p.rate) for p in phases] == (
        80 * [("adam", 1.0)] + 20 * [("nesterov", 10.0)] + 20 * [("nesterov", 1.0)] + 20 * [("nesterov", 0.1)]
    )


def test_a_plateau_is_known_from_the_history_alone() -> None:
    losses = [5, 4, 4, 4, 3, 3, 3, 3, 3, 3.5, 2]  # two idle epochs at 4, then four at 3 and one above
    factors = [schedule.plateau_factor(losses[:n], epochs=2, factor=0.5) for n in range(len(losses) + 1)]
    assert factors == [1, 1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.125, 0.125, 0.125]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("sgd", -0.1 * (2.0 + 0.5 * 3.0)),  # the rate times the gradient and the decay's, w times .5
        ("nesterov", -0.1 * (1 + 0.9) * (2.0 + 0.5 * 3.0)),
        ("adam", -0.1),  # a first step is as long as the rate
        ("adadelta", -0.1 * (1e-6 / (0.1 * 3.5**2 + 1e-6)) ** 0.5 * 3.5),  # Zeiler 2012, rho .9
    ],
)
def test_the_first_step_of_an_optimizer_is_its_papers(name: str, expected: float) -> None:
    layer = nn.Linear(1, 1, bias=False)
    nn.init.constant_(layer.weight, 3.0)
    optimizer = schedule.make_optimizer(name, layer, rate=0.1, weight_decay=0.5)
    layer.weight.grad = torch.full((1, 1), 2.0)
    optimizer.step()
    assert float(layer.weight.detach()) - 3.0 == pytest.approx(expected, rel=1e-3)  # float32 beside 3


def test_a_clip_is_the_mean_probability_of_its_patches() -> None:
    mels = torch.randn(3, 4, 25, generator=torch.Generator().manual_seed(0))

    def network(patches: Tensor) -> Tensor:
        assert patches.shape[1:] == (4, 8)
        return patches.mean(2)[:, :2]

    logits = clip_logits(network, mels, n_frames=8)
    means = [mels[:, :2, start : start + 8].mean(2).sigmoid() for start in (0, 8, 16)]
    torch.testing.assert_close(logits.sigmoid(), sum(means) / 3)
    torch.testing.assert_close(clip_logits(network, mels[..., :15], n_frames=8), mels[:, :2, :8].mean(2))


# --- augmentation ---


def draws_for(augmentation: Augmentation, *, n: int = 64, epoch: int = 0, source_frames: int = 1366):
    return draw(augmentation, n, n_bands=96, source_frames=source_frames, n_frames=1366, seed=1, epoch=epoch)


def test_without_augmentation_clips_stay_as_they_are() -> None:
    mels = torch.randn(3, 96, 1366) * 20 - 40
    assert torch.equal(augment(mels, draws_for(Augmentation.none(), n=3), n_frames=1366), mels)


def test_a_roll_keeps_every_frame_and_their_order() -> None:
    draws = draws_for(Augmentation(loop=0, gain_db=0, frequency_mask=0, time_mask=0, mix=0), n=8)
    mels = torch.arange(1366.0).expand(8, 96, 1366)
    rolled = augment(mels, draws, n_frames=1366)
    for clip, shift in zip(rolled, draws.shift, strict=True):
        assert torch.equal(clip, mels[0].roll(-int(shift), 1))
    assert len(set(draws.shift)) == 8


def test_a_loop_repeats_three_to_ten_seconds() -> None:
    draws = draws_for(Augmentation(loop=1, gain_db=0, frequency_mask=0, time_mask=0, mix=0))
    looped = augment(torch.rand(64, 2, 1366), draws, n_frames=1366)
    assert draws.period.min() >= 141
    assert draws.period.max() <= 469
    for clip, period in zip(looped, draws.period, strict=True):
        assert torch.equal(clip[:, period:], clip[:, :-period])
        assert len(clip[0].unique()) == period


def test_gain_stops_at_the_front_ends_floor() -> None:
    draws = draws_for(Augmentation(roll=False, loop=0, gain_db=6, frequency_mask=0, time_mask=0, mix=0))
    mels = torch.full((64, 96, 1366), -98.0)
    levels = augment(mels, draws, n_frames=1366)[:, 0, 0]
    np.testing.assert_allclose(levels, np.maximum(-98 + draws.gain_db, -100), rtol=1e-6)
    assert np.abs(draws.gain_db).max() <= 6
    assert (levels == -100).any()


def test_masks_cover_one_band_and_one_stretch() -> None:
    draws = draws_for(Augmentation(roll=False, loop=0, gain_db=0, frequency_mask=16, time_mask=128, mix=0))
    mels = torch.rand(64, 96, 1366)
    changed = augment(mels, draws, n_frames=1366) != mels
    for index, clip in enumerate(changed):
        expected = torch.zeros(96, 1366, dtype=torch.bool)
        expected[draws.band[index] : draws.band[index] + draws.band_width[index]] = True
        expected[:, draws.frame[index] : draws.frame[index] + draws.frame_width[index]] = True
        assert torch.equal(clip, expected)
    assert (draws.band_width.max(), draws.frame_width.max()) <= (16, 128)


def test_a_mixture_adds_powers_and_weighs_targets_by_amplitude() -> None:
    mels, partner = torch.rand(1, 96, 1366) * 40 - 60, torch.rand(1, 96, 1366) * 30 - 80
    targets, partner_targets = torch.tensor([[1.0, 0.0, float("nan")]]), torch.tensor([[0.0, 0.5, 1.0]])
    mixture, mixed = mix(mels, targets, partner, partner_targets, torch.tensor([-6.0]))
    power, other = 10 ** (mels / 10), 10 ** (partner / 10)
    other *= 10**-0.6 * power.mean() / other.mean()
    torch.testing.assert_close(mixture, 10 * torch.log10((power + other) / (1 + 10**-0.6)), rtol=1e-4, atol=1e-3)
    weight = 1 / (1 + 10**-0.3)
    np.testing.assert_allclose(mixed, [[weight, (1 - weight) * 0.5, np.nan]], rtol=1e-5)


def test_draws_follow_from_seed_and_epoch_alone() -> None:
    first, again, later = (draws_for(Augmentation(), epoch=epoch) for epoch in (3, 3, 4))
    assert np.array_equal(first.shift, again.shift)
    assert not np.array_equal(first.shift, later.shift)
    assert np.array_equal(first.take(np.array([5, 2])).gain_db, first.gain_db[[5, 2]])


def test_longer_mels_are_cropped_within_bounds() -> None:
    draws = draws_for(Augmentation.none(), source_frames=2000)
    assert draws.start.min() >= 0
    assert draws.start.max() <= 634
    assert len(set(draws.start)) > 32


# --- a run ---


def test_frozen_parts_and_their_statistics_stay_and_the_rest_learns(tmp_path: Path) -> None:
    before = {name: value.clone() for name, value in small_model().state_dict().items()}

    after = run(config=replace(CONFIG, frozen=("input_norm.", "levels.")))
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed == {"classifier.weight", "classifier.bias"}


def test_normalisation_weights_stay_positive_where_pooling_comes_first() -> None:
    model = small_model()
    with torch.no_grad():
        model.levels[0].norm.weight.fill_(1e-3)

    train(model, small_data(), replace(CONFIG, learning_rate=0.5), device="cpu", progress=False)
    assert min(level.norm.weight.min() for level in model.levels) >= 1e-3 * (1 - 1e-6)


def test_a_run_leaves_its_callers_random_numbers_alone() -> None:
    model = small_model()
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    train(model, small_data(), CONFIG, device="cpu", progress=False)
    assert torch.equal(torch.rand(1), expected)


def test_early_stopping_waits_as_told_and_keeps_the_best() -> None:

    model = small_model()
    history = train(
        model, small_data(), replace(CONFIG, epochs=50, patience=3, learning_rate=0.1), device="cpu", progress=False
    )
    losses = [epoch["valid_loss"] for epoch in history.epochs]
    assert len(losses) < 50
    assert len(losses) == history.best_epoch + 3
    assert history.best["valid_loss"] == min(losses)


def test_the_run_folder_tells_all_and_the_best_weights_are_those_of_the_model(tmp_path: Path) -> None:
    weights = run(tmp_path)
    record = json.loads((tmp_path / "config.json").read_text())
    assert TrainConfig.from_json(record["config"]) == CONFIG
    assert {"command", "commit", "versions", "machine", "fingerprint"} <= record.keys()
    history = [json.loads(line) for line in (tmp_path / "history.jsonl").read_text().splitlines()]
    assert [epoch["epoch"] for epoch in history] == [1, 2, 3, 4]
    assert_equal_bit_for_bit(load_file(tmp_path / "best.safetensors"), weights)


def test_tensorboard_events_hold_the_history(tmp_path: Path) -> None:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    run(tmp_path)
    events = accumulator.EventAccumulator(str(tmp_path)).Reload()
    history = [json.loads(line) for line in (tmp_path / "history.jsonl").read_text().splitlines()]
    assert [event.step for event in events.Scalars("loss/valid")] == [1, 2, 3, 4]
    np.testing.assert_allclose(
        [event.value for event in events.Scalars("loss/valid")], [epoch["valid_loss"] for epoch in history], rtol=1e-6
    )


# --- killed and resumed ---

KILLED = """
import os, signal, sys
sys.path.insert(0, {tests!r})
import test_trainer
from pathlib import Path
from msecnn.training import run_folder
real, calls = os.replace, []
def replace(source, target):
    calls.append(target)
    if len(calls) == {call}:
        Path(source).write_bytes(Path(source).read_bytes()[:-100])  # torn, as in the middle of a write
        os.kill(os.getpid(), signal.SIGKILL)
    real(source, target)
run_folder.os.replace = replace
test_trainer.run(Path({out!r}))
"""


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The best and the last state of a run that nothing happened to."""
    out = tmp_path_factory.mktemp("undisturbed")
    return run(out), load_file(out / "last.safetensors")


@pytest.mark.parametrize("call", [1, 8, 9, 10])  # replacements: config, then best, last and history of each epoch
def test_killed_at_any_replacement_a_run_resumes_bit_for_bit(
    call: int, tmp_path: Path, undisturbed: tuple[dict[str, Tensor], dict[str, Tensor]]
) -> None:
    script = KILLED.format(tests=str(Path(__file__).parent), call=call, out=str(tmp_path))
    process = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert process.returncode == -signal.SIGKILL, process.stderr
    weights = run(tmp_path, resume=True)
    assert_equal_bit_for_bit(weights, undisturbed[0])
    assert_equal_bit_for_bit(load_file(tmp_path / "last.safetensors"), undisturbed[1])
    assert len((tmp_path / "history.jsonl").read_text().splitlines()) == 4


@pytest.mark.parametrize(
    ("schedule", "optimizer"),
    [("one_cycle", "adamw"), ("won2020", "adamw"), ("plateau", "sgd"), ("plateau", "adadelta")],
)
def test_two_and_two_epochs_are_four(
    schedule: str, optimizer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = replace(CONFIG, schedule=schedule, optimizer=optimizer, plateau_epochs=1)
    whole = run(tmp_path / "whole", config=config)
    stop_after(2, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "halves", config=config)
    monkeypatch.undo()
    assert len((tmp_path / "halves" / "history.jsonl").read_text().splitlines()) == 2
    assert_equal_bit_for_bit(run(tmp_path / "halves", config=config, resume=True), whole)


def test_momentum_lasts_from_one_phase_of_sgd_to_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    """Epochs 0 to 3 are Adam, 4 is SGD, 5 and 6 are SGD at other rates."""
    seen: list[tuple[int, str, bool]] = []
    real = Trainer._train_epoch

    def train_epoch(trainer: Trainer, epoch: int, bar: object) -> float:
        buffers = [state.get("momentum_buffer") for state in trainer.state.optimizer.state.values()]
        moving = any(buffer is not None and bool(buffer.any()) for buffer in buffers)
        seen.append((epoch, trainer.state.phase.optimizer, moving))
        return real(trainer, epoch, bar)

    monkeypatch.setattr(Trainer, "_train_epoch", train_epoch)
    run(config=replace(CONFIG, schedule="won2020", epochs=7))
    assert seen[3:] == [(3, "adam", False), *((epoch, "nesterov", epoch > 4) for epoch in (4, 5, 6))]


@pytest.mark.parametrize("n_done", [4, 5, 6])
def test_a_run_resumed_at_a_switch_of_phases_is_the_same_run(
    n_done: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = replace(CONFIG, schedule="won2020", epochs=7)
    whole = run(tmp_path / "whole", config=config)
    stop_after(n_done, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "parts", config=config)
    monkeypatch.undo()
    assert_equal_bit_for_bit(run(tmp_path / "parts", config=config, resume=True), whole)
    ends = [load_file(tmp_path / name / "last.safetensors") for name in ("whole", "parts")]
    assert_equal_bit_for_bit(*ends)


def test_the_order_of_a_levels_steps_is_the_configurations() -> None:
    for order, first in (("pool_first", True), ("literal", False)):
        model = make_model("fcn5", ("a", "b"), TrainConfig(order=order))
        assert [level.pool_first for level in model.levels] == [first] * 5
    with pytest.raises(TrainingError, match="order may be literal, pool_first, not 'other'"):
        TrainConfig(order="other")


def test_a_run_from_before_there_was_an_order_resumes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stop_after(2, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path)
    monkeypatch.undo()
    folder = RunFolder(tmp_path)
    tensors, state = folder.read_state(folder.last)
    del state["config"]["order"]
    folder.write_state(folder.last, tensors, state)
    run(tmp_path, resume=True)
    assert len((tmp_path / "history.jsonl").read_text().splitlines()) == CONFIG.epochs


def stop_after(n_epochs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C while the history of an epoch is being written."""
    real = RunFolder.write_history

    def write_history(folder: RunFolder, epochs: list) -> None:  # type: ignore[type-arg]
        real(folder, epochs)
        if len(epochs) == n_epochs:
            raise KeyboardInterrupt

    monkeypatch.setattr(RunFolder, "write_history", write_history)


def test_a_full_disk_is_told_and_the_last_good_state_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, undisturbed: tuple[dict[str, Tensor], dict[str, Tensor]]
) -> None:
    real, calls = os.fsync, []

    def fsync(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) > 5:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(TrainingError, match="the disk is full"):
        run(tmp_path)
    monkeypatch.undo()
    assert not list(tmp_path.glob(".*.partial"))
    assert_equal_bit_for_bit(run(tmp_path, resume=True), undisturbed[0])


def test_two_runs_cannot_share_a_folder(tmp_path: Path) -> None:
    with RunFolder(tmp_path).locked(), pytest.raises(TrainingError, match="another run"):
        run(tmp_path)


def test_what_is_not_the_run_to_resume_is_refused_by_name(tmp_path: Path) -> None:

    run(tmp_path)
    with pytest.raises(TrainingError, match="add --resume"):
        run(tmp_path)
    with pytest.raises(TrainingError, match="seed was 0, is 1"):
        run(tmp_path, config=replace(CONFIG, seed=1), resume=True)
    (tmp_path / "last.safetensors").write_bytes(b"torn")
    with pytest.raises(TrainingError, match=r"last\.safetensors"):
        run(tmp_path, resume=True)


# --- what goes wrong is told in a sentence ---


def test_a_loss_that_is_no_number_stops_the_run_before_it_is_saved(tmp_path: Path) -> None:

    with pytest.raises(TrainingError, match="the loss became"):
        run(tmp_path, config=replace(CONFIG, learning_rate=1e30, schedule="constant", clip_norm=1e30))
    if (tmp_path / "last.safetensors").exists():
        assert all(value.isfinite().all() for value in load_file(tmp_path / "last.safetensors").values())


def test_too_little_memory_is_told() -> None:
    class Greedy(nn.Linear):
        def forward(self, x: Tensor) -> Tensor:
            return torch.empty(1 << 58)

    with pytest.raises(TrainingError, match="not enough memory for batches of 4"):
        train(Greedy(1, 1), small_data(), CONFIG, device="cpu", progress=False)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"targets": np.zeros((17, 3), np.float32)}, "do not fit"),
        ({"train": np.arange(0)}, "no training clips"),
        ({"targets": np.full((18, 3), np.nan, np.float32)}, "no training clip has a known label"),
        ({"mels": np.zeros((18, 8, 100), np.float16)}, "100 frames; the network needs 480"),
    ],
)
def test_data_that_cannot_be_trained_on_is_refused(changes: dict[str, np.ndarray], sentence: str) -> None:

    with pytest.raises(TrainingError, match=sentence):
        train(small_model(), replace(small_data(), **changes), CONFIG, device="cpu", progress=False)


@pytest.mark.parametrize("field", [{"schedule": "cosin"}, {"precision": "float16"}, {"epochs": 0}, {"patience": 0}])
def test_a_configuration_that_means_nothing_is_refused(field: dict[str, object]) -> None:
    with pytest.raises(TrainingError, match=next(iter(field))):
        TrainConfig(**field)  # type: ignore[arg-type]


# --- several processes ---

# Each process draws its own dropout; a bias before BatchNorm has no gradient but rounding noise, which Adam magnifies.
EXACT = replace(CONFIG, dropout=0.0, precision="float32", frozen=("levels.0.conv.bias", "levels.1.conv.bias"))

ONE_OF_TWO = """
import sys
sys.path.insert(0, {tests!r})
import test_trainer, torch
from dataclasses import replace
from pathlib import Path
torch.set_num_threads(1)
test_trainer.run(Path({out!r}), config=test_trainer.EXACT)
"""


def test_two_processes_train_as_one_does_on_the_same_batches(tmp_path: Path) -> None:
    script = tmp_path / "one_of_two.py"
    script.write_text(ONE_OF_TWO.format(tests=str(Path(__file__).parent), out=str(tmp_path / "two")))
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", str(script)]
    process = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert process.returncode == 0, process.stderr
    run(tmp_path / "one", config=EXACT)
    one, two = (load_file(tmp_path / name / "last.safetensors") for name in ("one", "two"))
    for name, value in one.items():
        if name.startswith("model/"):
            # sums over a batch in another order, 12 steps long
            torch.testing.assert_close(two[name], value, rtol=1e-3, atol=1e-4, msg=name)


# --- the command ---


@pytest.fixture(scope="module")
def data_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The manifest of eight sounds of three seconds: tones or noise."""
    folder = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(0)
    clips = []
    for index in range(8):
        tone = 0.3 * np.sin(2 * np.pi * rng.uniform(200, 2000) * np.arange(36_000) / 12_000)
        waveform = (tone if index % 2 else 0.1 * rng.normal(size=36_000)).astype(np.float32)
        path = folder / f"{index}.wav"
        write_wav(path, waveform, 12_000)
        split = ("train", "train", "train", "train", "valid", "valid", "test", "test")[index]
        labels = np.array([index % 2, 1 - index % 2], dtype=np.float32)
        clips.append(Clip(path.name, path, split, labels, hash=hashlib.sha256(path.read_bytes()).hexdigest()))
    return Manifest(("tone", "noise"), tuple(clips), "tones and noise").write(folder).parent


def command(data: Path, out: Path, *more: str) -> int:
    options = ["--epochs", "1", "--batch-size", "2", "--device", "cpu", "--jobs", "1"]
    return main(["train", "--model", "fcn5", "--data", str(data), "--out", str(out), *options, *more])


def test_the_command_goes_from_a_manifest_to_a_checkpoint(data_set: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    assert command(data_set, out) == 0
    trained = checkpoint.load(out / "checkpoint")
    checkpoint.verify(trained)
    assert trained.tags == ("tone", "noise")
    assert trained.card["data"]["manifest_sha256"] == Manifest.read(data_set).hash
    assert trained.card["data"]["n_train"] == 4
    assert {"command", "commit", "versions", "config", "metrics"} <= trained.card.keys()
    assert (out / "learning_curve.png").read_bytes().startswith(b"\x89PNG")
    cache = MelCache.open(data_set / "mels")
    rows = cache.rows(Manifest.read(data_set).split("train").clips)
    with torch.no_grad():
        features = trained.model.features(torch.from_numpy(cache.mels[rows]).float().unsqueeze(1))
    np.testing.assert_allclose(trained.mean_features["level5"], features["level5"].mean(0), rtol=1e-3, atol=1e-3)

    assert command(data_set, tmp_path / "other", "--start-from", str(out / "checkpoint"), "--frozen", "levels.") == 0
    other = checkpoint.load(tmp_path / "other" / "checkpoint")
    for name, value in trained.model.levels.state_dict().items():
        assert torch.equal(other.model.levels.state_dict()[name], value), name


def test_mistakes_at_the_command_line_are_told_in_one_line(
    data_set: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = tmp_path / "recipe.toml"
    recipe.write_text("learning-rat = 1")
    cases = {
        "schedule may be one_cycle": ("--schedule", "cosin"),
        "there is no option 'learning_rat'": ("--config", str(recipe)),
        "no model is called 'fcn6'": ("--model", "fcn6"),
        "musicnn does not take mels": ("--model", "musicnn"),
        "There is no checkpoint": ("--start-from", str(tmp_path)),
    }
    for sentence, options in cases.items():
        assert command(data_set, tmp_path / "run", *options) == 1, sentence
        message = capsys.readouterr().err.strip().splitlines()[-1]
        assert message.startswith("msecnn train: ")
        assert sentence in message


def test_a_recipe_sets_what_is_not_typed(data_set: Path, tmp_path: Path) -> None:
    recipe = data_set / "recipe.toml"
    recipe.write_text(
        'model = "msecnn"\ndata = "."\nepochs = 3\nlearning_rate = 5e-4\nroll = false\nfrozen = ["levels."]'
    )
    parser = argparse.ArgumentParser()
    train_command.add_arguments(parser)
    args = parser.parse_args(["--config", str(recipe), "--epochs", "2"])
    resolve(args, train_command.OPTIONS)
    config = train_command.train_config(args)
    assert args.data == data_set / "."
    assert args.model == "msecnn"
    assert config == TrainConfig(
        epochs=2, learning_rate=5e-4, frozen=("levels.",), augmentation=Augmentation(roll=False)
    )


def test_files_that_vanished_are_passed_over_and_none_left_is_told(
    data_set: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    manifest = Manifest.read(data_set)
    gone = tuple(replace(clip, path=clip.path.with_name("gone.wav")) for clip in manifest.clips)
    replace(manifest, clips=(*manifest.clips[:3], *gone[3:])).write(tmp_path / "some")
    assert command(tmp_path / "some", tmp_path / "run") == 0
    assert "gone.wav" in caplog.text
    replace(manifest, clips=gone).write(tmp_path / "none")
    assert command(tmp_path / "none", tmp_path / "run2") == 1
    assert "there are no training clips" in capsys.readouterr().err


# --- it learns ---


def test_eight_clips_are_learned_by_heart() -> None:
    rng = np.random.default_rng(0)
    mels = rng.normal(-50, 5, (8, 96, 320)).astype(np.float16)
    for clip in range(8):  # a steady tone each, and five tags that follow no rule
        mels[clip, 10 * clip + 5] += 40
    data = TrainingData(mels, rng.integers(0, 2, (8, 5)).astype(np.float32), np.arange(8), np.arange(0))
    torch.manual_seed(0)
    pools = (*POOLS[:-1], (POOLS[-1][0], 1))  # a quarter of a window: without the last pooling over time
    model = registry.create("msecnn", 5, order="pool_first", pools=pools, n_frames=320)
    config = TrainConfig(epochs=40, batch_size=8, learning_rate=1e-2, ema_decay=0.0, augmentation=Augmentation.none())
    history = train(model, data, config, device="cpu", progress=False)
    assert history.epochs[-1]["train_loss"] < 0.01


def test_what_made_a_run_names_no_folder_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["/opt/bin/msecnn", "train", "--data", "/d/a b.jsonl", "--out=/runs/1", "runs/2"])
    assert origin()["command"] == "msecnn train --data 'a b.jsonl' --out=1 runs/2"
