"""Distillation: heads with closed-form answers, a warm start that keeps the statistics, and the whole command."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch

from msecnn import checkpoint
from msecnn.audio import write_wav
from msecnn.cli import main
from msecnn.data.manifest import Clip, Manifest
from msecnn.distillation.backbone_start import warm_start
from msecnn.distillation.concatenation import with_concatenation
from msecnn.distillation.linear_head import calibrate, cross_entropy, fit_head, variance_shares
from msecnn.distillation.pipeline import DistillConfig, idle_skips
from msecnn.distillation.soft_labels import ClipLabels, SoftLabels, ensemble, key_of
from msecnn.distillation.targets import soft_targets
from msecnn.errors import DatasetError
from msecnn.frontend import MelConfig
from msecnn.models import registry
from msecnn.models.layers import MultiScaleCNN
from msecnn.statistics import sigmoid
from msecnn.tags import MAGNATAGATUNE_TAGS
from msecnn.training.data import TrainingData
from msecnn.training.settings import TrainConfig

# -- the head ---------------------------------------------------------------------------------------------------------


def made_up(n: int, seed: int = 0, n_features: int = 12, n_tags: int = 5) -> tuple[np.ndarray, ...]:
    """Features of very different sizes, a linear classifier, and the probabilities that it gives."""
    size = 10.0 ** np.linspace(-2, 2, n_features)
    features = np.random.default_rng([seed, 1]).normal(size=(n, n_features)) * size + 3 * size
    rng = np.random.default_rng(7)
    weight, bias = 0.4 * rng.normal(size=(n_tags, n_features)) / size, rng.normal(size=n_tags)
    bias = bias - weight @ (3 * size)
    return features, sigmoid(features @ weight.T + bias), weight, bias


def test_a_linear_truth_is_found_exactly() -> None:
    features, targets, weight, bias = made_up(400)
    head = fit_head(features, targets, *made_up(100, seed=1)[:2], ridge_strengths=[1e-9], logistic_strengths=[1e-9])
    np.testing.assert_allclose(head.weight, weight, rtol=1e-3, atol=1e-6)
    np.testing.assert_allclose(head.bias, bias, rtol=1e-3, atol=1e-3)


def test_the_strength_is_the_one_that_serves_validation_best() -> None:
    rng = np.random.default_rng(3)
    features, targets, *_ = made_up(30)  # few clips, noisy targets: no penalty overfits
    noisy = sigmoid(np.log(targets / (1 - targets)) + 2 * rng.normal(size=targets.shape))
    valid, valid_targets, *_ = made_up(200, seed=1)
    chosen = fit_head(features, noisy, valid, valid_targets)
    assert chosen.ridge_strength > 1e-4
    assert chosen.logistic_strength > 1e-3
    one_each = fit_head(features, noisy, valid, valid_targets, ridge_strengths=[1e-4], logistic_strengths=[1e-3])
    assert chosen.valid_loss < one_each.valid_loss
    assert chosen.valid_loss == pytest.approx(cross_entropy(chosen.logits(valid), valid_targets), rel=1e-4)


def test_a_dead_feature_gets_no_weight_and_does_no_harm() -> None:
    features, targets, *_ = made_up(200)
    valid, valid_targets, *_ = made_up(50, seed=1)
    dead = [np.hstack([x, np.full((len(x), 1), 4.2)]) for x in (features, valid)]
    head = fit_head(dead[0], targets, dead[1], valid_targets)
    np.testing.assert_array_equal(head.weight[:, -1], 0)
    without = fit_head(features, targets, valid, valid_targets)
    np.testing.assert_allclose(head.weight[:, :-1], without.weight, rtol=1e-4, atol=1e-7)


def test_calibration_undoes_a_slope_and_a_shift() -> None:
    logits = np.random.default_rng(0).normal(size=(5000, 3)) * 2
    slope, shift = np.array([0.5, 1.0, 2.0]), np.array([-1.0, 0.0, 0.7])
    found = calibrate(logits, sigmoid(logits * slope + shift))
    np.testing.assert_allclose(found, (slope, shift), atol=0.02)  # the prior holds it back by a few in 5,000


def test_calibration_of_a_tag_that_never_occurs_stays_finite() -> None:
    slope, shift = calibrate(np.random.default_rng(0).normal(size=(50, 1)), np.zeros((50, 1)))
    assert np.isfinite([slope, shift]).all()


def test_variance_shares_add_up_and_know_an_idle_scale() -> None:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(2000, 6)) + 5
    weight = rng.normal(size=(4, 6))
    weight[:, 2:4] = 0
    sizes, scales = {"a": 2, "b": 2, "c": 2}, ("a", "b", "c")
    shares = variance_shares(features, weight, sizes, scales)
    assert sum(shares.values()) == pytest.approx(1)
    assert shares["b"] == pytest.approx(0, abs=1e-9)
    expected = (weight[:, :2] ** 2).sum() / (weight**2).sum()  # independent features of one size
    assert shares["a"] == pytest.approx(expected, abs=0.03)


def test_idle_skips_are_told() -> None:
    good = {"input": 0.0, "level1": 0.05, "level2": 0.1, "level5": 0.85 - 0.1}
    assert idle_skips(good) is None
    assert idle_skips({"level5": 1.0}) is None, "FCN-5 has no skips"
    assert "3%" in (idle_skips({"input": 0.0, "level1": 0.03, "level5": 0.97}) or "")
    assert "level1" in (idle_skips({"input": 0.0, "level1": 0.001, "level2": 0.4, "level5": 0.6}) or "")


# -- the warm start ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", ["literal", "pool_first"])
def test_after_a_warm_start_each_channel_has_the_donors_statistics(order: str) -> None:
    torch.manual_seed(0)
    donor = registry.create("won_fcn").eval()
    with torch.no_grad():
        for level in donor.levels:
            level.norm.weight.uniform_(-1.5, 1.5)  # of either sign, as in the real one
            level.norm.bias.uniform_(-1, 1)
    student = registry.create("msecnn", order=order).eval()
    rng = np.random.default_rng(0)
    waveforms = [rng.normal(size=29 * 16_000).astype(np.float32) * 0.1 for _ in range(3)]
    mels = torch.randn(3, 1, 96, 1366) * 12 - 40
    warm_start(student, donor, mels, waveforms, mel_config=MelConfig())
    with torch.no_grad():
        x = torch.cat([donor.input_norm(donor.windows(waveform)) for waveform in waveforms])
        y = student.input_norm(mels.transpose(1, 2)).transpose(1, 2)
        for level, donor_level in zip(student.levels, donor.levels, strict=True):
            assert (level.norm.weight >= 0).all()
            wanted = donor_level.pool(donor_level.norm(donor_level.conv(x)))
            found = level.norm(level.pool(level.conv(y)))
            torch.testing.assert_close(found.mean((0, 2, 3)), wanted.mean((0, 2, 3)), atol=2e-3, rtol=2e-3)
            torch.testing.assert_close(
                found.var((0, 2, 3), correction=0), wanted.var((0, 2, 3), correction=0), atol=2e-3, rtol=1e-2
            )
            x, y = wanted.relu(), level.activation(found)
        torch.testing.assert_close(student.level_maps(mels)["level5"], y)  # what was calibrated is what is computed


def test_a_student_of_other_widths_is_refused() -> None:
    student = registry.create("msecnn_wide").eval()
    waveform = np.zeros(29 * 16_000, np.float32)
    with pytest.raises(ValueError, match="donor's widths"):
        warm_start(
            student, registry.create("won_fcn").eval(), torch.randn(1, 1, 96, 1366), [waveform], mel_config=MelConfig()
        )


# -- targets ----------------------------------------------------------------------------------------------------------


def clip(name: str, split: str, **known: float) -> Clip:
    labels = [known.get(tag, np.nan) for tag in MAGNATAGATUNE_TAGS]
    return Clip(name, Path(name), split, np.array(labels), duration_s=29.1, hash=name)


def labels_of(manifest: Manifest, name: str, probability: float) -> SoftLabels:
    said = {key_of(c): ClipLabels(c.clip_id, np.full((2, 50), probability, np.float32)) for c in manifest.clips}
    return SoftLabels(name, "musicnn", "", MAGNATAGATUNE_TAGS, 3.0, said)


def test_known_labels_raise_the_targets_of_training_clips_only() -> None:
    manifest = Manifest(
        MAGNATAGATUNE_TAGS, (clip("a", "train", guitar=1, techno=0), clip("b", "valid", guitar=1)), "two"
    )
    teachers = [labels_of(manifest, "x", 0.2), labels_of(manifest, "y", 0.4)]
    targets = soft_targets(manifest, teachers, label_odds_factor=7 / 3)  # from .3, odds of 3 to 7
    guitar, techno, harp = (MAGNATAGATUNE_TAGS.index(tag) for tag in ("guitar", "techno", "harp"))
    np.testing.assert_allclose(targets[0, [guitar, techno, harp]], [0.5, 9 / 58, 0.3], atol=1e-6)
    np.testing.assert_allclose(targets[1], 0.3, atol=1e-6)
    np.testing.assert_allclose(soft_targets(manifest, teachers, label_odds_factor=1.0), 0.3, atol=1e-6)


def test_a_tag_that_no_teacher_knows_is_refused() -> None:
    manifest = Manifest(("kazoo",), (Clip("a", Path("a"), "train", np.array([1.0]), hash="a"),), "odd")
    with pytest.raises(DatasetError, match="do not know kazoo"):
        soft_targets(manifest, [replace(labels_of(manifest, "x", 0.5))], label_odds_factor=2.0)


@pytest.mark.parametrize(("field", "value"), [("label_odds_factor", 0.5), ("concatenation", -1.0)])
def test_a_configuration_that_makes_no_sense_is_refused(field: str, value: float) -> None:
    with pytest.raises(DatasetError, match=field):
        DistillConfig(TrainConfig(), **{field: value})


# -- joined clips -----------------------------------------------------------------------------------------------------


def joinable() -> tuple[Manifest, TrainingData, list[SoftLabels]]:
    """Five training clips whose mel frames hold clip + frame / 10,000, their windows clip / 10 + window / 100."""
    manifest = Manifest(MAGNATAGATUNE_TAGS, tuple(clip(str(n), "train") for n in range(5)), "ramps")
    mels = np.arange(5)[:, None, None] + np.arange(1366) / 10_000 + np.zeros((5, 96, 1))
    labels = []
    for name, window_s in (("x", 3.0), ("y", 2.992)):
        windows = {
            key_of(c): ClipLabels(c.clip_id, np.full((9, 50), n / 10) + np.arange(9)[:, None] / 100)
            for n, c in enumerate(manifest.clips)
        }
        labels.append(SoftLabels(name, "musicnn", "", MAGNATAGATUNE_TAGS, window_s, windows))
    targets = ensemble(labels, manifest.clips)
    nothing = np.empty(0, np.int64)
    return manifest, TrainingData(mels.astype(np.float16), targets, np.arange(5), nothing), labels


def test_a_join_is_what_its_target_says() -> None:
    manifest, data, labels = joinable()
    more = with_concatenation(data, manifest, labels, n_concatenated=40, mel_config=MelConfig(), seed=0)
    assert (len(more.train), len(more.targets)) == (45, 45)
    np.testing.assert_array_equal(more.mels[more.row(np.arange(5))], data.mels)
    window = 2.996 * 12_000 / 256  # frames
    for row in range(5, 45):
        mel = more.mels[more.row(np.array([row]))][0, 0].astype(np.float64)
        of_clip = np.rint(mel - 0.05).astype(int)
        (cut,) = np.flatnonzero(np.diff(of_clip)) + 1
        frames = (mel - of_clip) * 10_000
        n_first = round(cut / window)
        assert 3 <= n_first <= 6
        assert cut == pytest.approx(n_first * window, abs=1)
        expected = 0.0
        for start, n, source in ((frames[0], n_first, of_clip[0]), (frames[cut], 9 - n_first, of_clip[-1])):
            first_window = start / window
            expected += n * (source / 10 + (first_window + (n - 1) / 2) / 100)
        np.testing.assert_allclose(more.targets[row], expected / 9, atol=3e-3)  # frames are float16


def test_joins_follow_from_the_seed() -> None:
    manifest, data, labels = joinable()
    first, same, other = (
        with_concatenation(data, manifest, labels, n_concatenated=10, mel_config=MelConfig(), seed=seed)
        for seed in (1, 1, 2)
    )
    assert first.fingerprint() == same.fingerprint()
    assert first.fingerprint() != other.fingerprint()
    assert with_concatenation(data, manifest, labels, n_concatenated=0, mel_config=MelConfig(), seed=1) is data


def test_windows_of_other_lengths_are_not_joined() -> None:
    manifest, data, labels = joinable()
    long = replace(labels[0], window_s=29.0)
    for unfit in ([labels[0], long], [long]):
        with pytest.raises(DatasetError, match="--concatenation 0"):
            with_concatenation(data, manifest, unfit, n_concatenated=3, mel_config=MelConfig(), seed=0)


# -- the whole command ------------------------------------------------------------------------------------------------


def test_from_sounds_and_a_teacher_to_a_checkpoint(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clips = []
    for number, split in enumerate(["train"] * 6 + ["valid"] * 3 + ["test"]):
        path = tmp_path / f"{number}.wav"
        rng = np.random.default_rng(number)
        tone = np.sin(2 * np.pi * rng.uniform(100, 3000) * np.arange(int(29.12 * 16_000)) / 16_000)
        write_wav(path, (0.3 * tone + 0.01 * rng.normal(size=len(tone))).astype(np.float32), 16_000)
        unknown = np.full(50, np.nan)
        clips.append(Clip(f"{number}", path, split, unknown, duration_s=29.12, hash=_sha256(path)))
    Manifest(MAGNATAGATUNE_TAGS, tuple(clips), "tones").write(tmp_path / "manifest.jsonl")
    torch.manual_seed(0)
    for name, architecture in (("teacher", "musicnn_vgg"), ("donor", "won_fcn")):
        model = registry.create(architecture)
        safetensors.torch.save_file(
            model.state_dict(), tmp_path / f"{name}.safetensors", {"architecture": architecture}
        )
    command = [
        "distill", "--model", "msecnn", "--data", str(tmp_path / "manifest.jsonl"), "--out", str(tmp_path / "run"),
        "--teacher", str(tmp_path / "teacher.safetensors"), "--warm-start", str(tmp_path / "donor.safetensors"),
        "--epochs", "1", "--concatenation", "0.5", "--auxiliary", "--batch-size", "3",
        "--device", "cpu", "--threads", "1", "--jobs", "1",
    ]  # fmt: skip
    assert main(command) == 0
    student = checkpoint.load(tmp_path / "run" / "checkpoint")
    checkpoint.verify(student)
    assert isinstance(student.model, MultiScaleCNN)
    assert student.mean_features is not None
    assert student.mean_features.keys() == set(student.model.scales)
    card = student.card
    assert (card["data"]["n_train"], card["data"]["n_valid"]) == (6, 3)
    assert [teacher["licence"] for teacher in card["teachers"]] == ["ISC"]
    assert "Copyright (c) 2020" in card["warm_start"]["notice"]
    assert "WITHOUT WARRANTY" in card["warm_start"]["terms"]
    assert sum(card["variance_share_per_scale"].values()) == pytest.approx(1, abs=1e-3)
    labelled = SoftLabels.read(tmp_path / "labels" / "teacher.npz")
    assert len(labelled.clips) == 9, "nothing of the test split was labelled"

    assert main(command) == 1  # the run is there already: nothing is overwritten
    assert "--resume" in capsys.readouterr().err

    head_only = [
        "distill", "--model", "fcn5", "--data", str(tmp_path / "manifest.jsonl"), "--teacher", "teacher",
        "--path", str(tmp_path / "run" / "checkpoint"), "--out", str(tmp_path / "fcn5"), "--device", "cpu",
    ]  # fmt: skip
    assert main(head_only) == 0
    other = checkpoint.load(tmp_path / "fcn5" / "checkpoint")
    for name, tensor in other.model.state_dict().items():
        if not name.startswith("classifier."):
            assert torch.equal(tensor, student.model.state_dict()[name]), name
    assert other.card["path"]["sha256"] == card["sha256"]
    assert other.card["warm_start"] == card["warm_start"], "the donor's notice goes on"


def test_missing_options_are_told_in_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["distill", "--model", "fcn5"]) == 1
    assert "--teacher is missing" in capsys.readouterr().err


def _sha256(path: Path) -> str:
    import hashlib

    return hashlib.sha256(path.read_bytes()).hexdigest()
