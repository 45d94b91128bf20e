"""Do the skips help: the arms, deep supervision, the stopping rule, resuming, an analysis with known answers."""

import importlib.util
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from torch import Tensor

from msecnn.audio import write_wav
from msecnn.data.manifest import Clip, Manifest
from msecnn.distillation.skip_study import report, runs
from msecnn.distillation.skip_study.analysis import MARGIN, analyse, conclusion, verdict
from msecnn.distillation.skip_study.arms import (
    ALL_SCALES,
    ARMS,
    FCN5,
    HEADS,
    LAST_LEVEL,
    MSECNN,
    SUPERVISED,
    TRAINED,
    WIDE,
    Arm,
    with_all_scales,
)
from msecnn.distillation.skip_study.criteria import KNOWN_LABELS, Criterion, label_criteria, teacher_criteria
from msecnn.distillation.skip_study.runs import Condition, RunResult, SkipData, config_for, predict, run_arm
from msecnn.distillation.soft_labels import ClipLabels, SoftLabels, key_of
from msecnn.errors import DatasetError
from msecnn.evaluation.metrics import Difference
from msecnn.evaluation.paired_runs import difference_of_means, paired_difference
from msecnn.models.layers import MultiScaleCNN
from msecnn.statistics import sigmoid
from msecnn.training import trainer
from msecnn.training.data import TrainingData
from msecnn.training.deep_supervision import DeepSupervision
from msecnn.training.history import History
from msecnn.training.loss import masked_bce
from msecnn.training.settings import TrainConfig
from msecnn.training.trainer import train

ROOT = Path(__file__).resolve().parents[1]
CONDITION = Condition("toy", "0", share=1, epochs=3)


class TinyArm(Arm):
    """An arm whose levels have two channels, at the full size of the input."""

    def network(self, n_tags: int, *, seed: int) -> MultiScaleCNN:
        torch.manual_seed(seed)
        scales = super().network(n_tags, seed=seed).scales
        return MultiScaleCNN(n_tags=n_tags, channels=(2, 2, 2, 2, 3), scales=scales, order="pool_first")


def tiny(arm: Arm) -> TinyArm:
    return TinyArm(**vars(arm))


def toy_data(n: int = 12, n_tags: int = 3) -> SkipData:
    """Half the clips train, a quarter validate, a quarter test."""
    rng = np.random.default_rng(0)
    splits = ["train", "train", "valid", "test"] * (n // 4)
    clips = tuple(
        Clip(str(i), Path(f"{i}.wav"), split, rng.integers(0, 2, n_tags).astype(np.float32), group=str(i // 2))
        for i, split in enumerate(splits)
    )
    manifest = Manifest(tuple("abc"[:n_tags]), clips, "toy")
    mels = rng.normal(-50, 15, (n, 96, 1366)).astype(np.float16)
    train, valid, test = (np.flatnonzero(np.array(splits) == name) for name in ("train", "valid", "test"))
    targets = rng.random((n, n_tags)).astype(np.float32)
    return SkipData(manifest, manifest.tags, TrainingData(mels, targets, train, valid), test)


@pytest.fixture(scope="module")
def data() -> SkipData:
    return toy_data()


@pytest.fixture(scope="module")
def mel() -> Tensor:
    return torch.randn(2, 1, 96, 1366, generator=torch.Generator().manual_seed(1)) * 20 - 40


# --- the arms ---


@pytest.mark.parametrize(
    ("arm", "kept", "while_training"),
    [
        (FCN5, 447_922, 447_922),
        (MSECNN, 470_372, 470_372),
        (SUPERVISED, 447_922, 447_922 + (64 + 3 * 128 + 4) * 50),
        (WIDE, 988_967, 988_967),
    ],
    ids=lambda value: value.name if isinstance(value, Arm) else "",
)
def test_parameter_counts(arm: Arm, kept: int, while_training: int) -> None:
    network = arm.network(50, seed=0)
    assert sum(parameter.numel() for parameter in network.parameters()) == kept
    assert sum(parameter.numel() for parameter in arm.learner(network).parameters()) == while_training


def test_the_wide_classifier_is_as_wide_as_msecnns() -> None:
    assert WIDE.network(50, seed=0).classifier.in_features == MSECNN.network(50, seed=0).classifier.in_features == 513
    assert WIDE.network(50, seed=0).scales == ("level5",)


def test_arms_with_the_same_levels_start_from_the_same_filters() -> None:
    states = [arm.network(50, seed=4).levels.state_dict() for arm in (FCN5, MSECNN, SUPERVISED)]
    other = FCN5.network(50, seed=5).levels.state_dict()
    for name, values in states[0].items():
        assert all(torch.equal(values, state[name]) for state in states[1:])
    assert not torch.equal(states[0]["0.conv.weight"], other["0.conv.weight"])


# --- deep supervision ---


def test_dropped_at_test_deep_supervision_is_plain_fcn5(mel: Tensor) -> None:
    network = SUPERVISED.network(50, seed=0)
    learner = SUPERVISED.learner(network).eval()
    with torch.no_grad():
        logits = learner(mel)
        plain = FCN5.network(50, seed=1).eval()
        plain.load_state_dict(network.state_dict())
        assert logits.shape == (2, 250)
        assert torch.equal(logits[:, :50], plain(mel))


def test_each_further_classifier_sees_its_own_level(mel: Tensor) -> None:
    network = SUPERVISED.network(2, seed=0).eval()
    learner = DeepSupervision(network, ["level2", "level4"]).eval()
    with torch.no_grad():
        maps = network.level_maps(mel)
        logits = learner(mel).split(2, dim=1)
        for own, name in zip(logits[1:], ("level2", "level4"), strict=True):
            assert torch.equal(own, learner.classifiers[name](network.global_max(name, maps[name])))


def test_every_level_learns_but_validation_is_of_the_network_alone(data: SkipData) -> None:
    arm = tiny(SUPERVISED)
    network = arm.network(3, seed=0)
    learner = arm.learner(network).eval()
    wanted = learner.targets_for(data.training)  # type: ignore[operator]
    mels = torch.from_numpy(data.training.mels).float().unsqueeze(1)  # type: ignore[arg-type]
    plain = torch.from_numpy(data.training.targets)
    with torch.no_grad():
        for clips, classifiers in ((data.training.train, 5), (data.training.valid, 1)):
            loss, n_known = masked_bce(learner(mels[clips]), torch.from_numpy(wanted.targets)[clips])
            assert n_known == classifiers * plain[clips].numel()
        own, _ = masked_bce(network(mels[clips]), plain[clips])
        torch.testing.assert_close(loss, own)


# --- one run ---


def test_one_schedule_for_all_with_the_seed_and_the_stopping_rule() -> None:
    config = config_for(CONDITION, 0)
    assert config == TrainConfig(epochs=3, patience=8, seed=0)
    assert config_for(CONDITION, 4) == replace(config, seed=4)


def test_a_run_stops_eight_epochs_after_its_lowest_validation_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    losses = iter([0.9, 0.5, *[0.6] * 30])
    monkeypatch.setattr(trainer.Trainer, "_valid_loss", lambda self: next(losses))
    small = TrainingData(
        np.zeros((4, 96, 1366), np.float16), np.full((4, 3), 0.5, np.float32), np.arange(2), np.arange(2, 4)
    )
    history = train(tiny(FCN5).network(3, seed=0), small, config_for(replace(CONDITION, epochs=30), 0), progress=False)
    assert (history.best_epoch, len(history.epochs)) == (2, 10)


def test_the_trained_head_is_the_networks_own_function(data: SkipData) -> None:
    for arm in (tiny(FCN5), tiny(MSECNN)):
        network = arm.network(3, seed=0).eval()
        logits = predict(network, data.training, data.test)
        mels = torch.from_numpy(data.training.mels[data.test]).float().unsqueeze(1)  # type: ignore[arg-type]
        with torch.no_grad():
            np.testing.assert_allclose(logits[TRAINED], network(mels).numpy(), atol=1e-4)
        assert set(logits) == set(HEADS)


def test_the_same_path_gives_the_same_fitted_heads_whatever_its_own_head(data: SkipData) -> None:
    fcn5, msecnn = (tiny(arm).network(3, seed=0).eval() for arm in (FCN5, MSECNN))
    fcn5.levels.load_state_dict(msecnn.levels.state_dict())
    heads = [predict(network, data.training, data.test) for network in (fcn5, msecnn)]
    for head in (LAST_LEVEL, ALL_SCALES):
        np.testing.assert_array_equal(heads[0][head], heads[1][head])
    assert not np.allclose(heads[0][LAST_LEVEL], heads[0][ALL_SCALES])


def test_all_scales_are_seen_on_any_path(mel: Tensor) -> None:
    view = with_all_scales(FCN5.network(50, seed=0))
    assert view.scales == MSECNN.network(50, seed=0).scales
    assert with_all_scales(WIDE.network(50, seed=0)).classifier.in_features == 962


def test_a_share_is_the_same_clips_for_every_arm_and_others_for_another_seed() -> None:
    data = toy_data(80)
    first, again, other = (data.part(0.25, seed=seed).train for seed in (0, 0, 1))
    assert len(first) == 10
    assert set(first) <= set(data.training.train)
    np.testing.assert_array_equal(first, again)
    assert set(first) != set(other)
    np.testing.assert_array_equal(data.part(1, seed=3).train, data.training.train)


@pytest.mark.parametrize("arm", [MSECNN, SUPERVISED], ids=lambda arm: arm.name)
def test_a_killed_run_goes_on_to_the_same_predictions(
    arm: Arm, data: SkipData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = run_arm(tiny(arm), 0, data, CONDITION, runs=tmp_path / "whole", results=tmp_path / "a")

    def killed_after_one_epoch(*args: object, **options: object) -> History:
        def stop(history: History) -> None:
            raise KeyboardInterrupt

        return train(*args, **options, after_epoch=stop)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(runs, "train", killed_after_one_epoch)
        with pytest.raises(KeyboardInterrupt):
            run_arm(tiny(arm), 0, data, CONDITION, runs=tmp_path / "killed", results=tmp_path / "b")
    assert not list((tmp_path / "b").rglob("*.npz"))
    again = run_arm(tiny(arm), 0, data, CONDITION, runs=tmp_path / "killed", results=tmp_path / "b")
    assert again.run["n_epochs"] == 3
    for head in HEADS:
        np.testing.assert_array_equal(again.logits[head], whole.logits[head])


def test_results_come_back_as_they_were_written(tmp_path: Path) -> None:
    logits = {head: np.random.default_rng(1).normal(-2, 3, (5, 4)).astype(np.float32) for head in HEADS}
    result = RunResult("fcn5", 2, dict(vars(CONDITION)), np.array(list("abcde")), logits, {"n_epochs": 3})
    result.write(tmp_path / "fcn5-2.npz")
    again = RunResult.read(tmp_path / "fcn5-2.npz")
    assert (again.arm, again.seed, again.condition, again.run) == ("fcn5", 2, vars(CONDITION), {"n_epochs": 3})
    for head in HEADS:
        np.testing.assert_allclose(sigmoid(again.logits[head]), sigmoid(logits[head]), atol=0.002)


def test_results_of_other_data_are_refused(tmp_path: Path) -> None:
    logits = {head: np.zeros((1, 1)) for head in HEADS}
    other = replace(CONDITION, fingerprint="other")
    RunResult("fcn5", 0, dict(vars(other)), np.array(["a"]), logits, {}).write(tmp_path / CONDITION.name / "fcn5-0.npz")
    with pytest.raises(DatasetError, match="other data"):
        runs.read_results(tmp_path, CONDITION)


# --- the analysis ---


def mean_criterion(name: str = "the teachers' mean", n_replicates: int = 200) -> Criterion:
    """Its ROC-AUC is the mean of the probabilities, so every difference is known; clips are drawn one by one."""
    drawn = np.random.default_rng(0).multinomial(40, np.full(40, 1 / 40), size=n_replicates) / 40

    def measure(probabilities: np.ndarray) -> dict[str, np.ndarray]:
        of_clips = probabilities.mean(axis=1)
        return {"roc_auc": np.r_[of_clips.mean(), drawn @ of_clips]}

    return Criterion(name, 40, 40, measure)


def made_up(gain: float, *, n_seeds: int = 5, spread: float = 0.0) -> list[RunResult]:
    """Each arm says the same of a clip; MsE-CNN `gain` more, and each seed more or less by its draw of the spread."""
    clips = np.random.default_rng(0).uniform(0.2, 0.6, 40)
    found = []
    for seed in range(n_seeds):
        of_seed = np.random.default_rng(seed).normal(0, 0.02)  # both sides of a seed share it: it must cancel
        for arm in ARMS:
            more = gain + spread * np.random.default_rng([seed, 1]).normal() if arm is MSECNN else 0
            p = (clips + of_seed + more)[:, None]
            logits = {head: np.log(p / (1 - p)) for head in HEADS}
            found.append(RunResult(arm.name, seed, {}, np.arange(40), logits, {}))
    return found


def test_a_known_difference_is_found_whatever_tracks_and_seeds_share() -> None:
    analysis = analyse(made_up(0.02), [mean_criterion()])
    for each in analysis.contrasts:
        wanted = 0.02 * ((each.first.arm is MSECNN) - (each.second.arm is MSECNN))
        assert each.difference.value == pytest.approx(wanted, abs=1e-9)
        assert each.difference.interval == pytest.approx((wanted, wanted), abs=1e-9)
    assert conclusion(analysis, MSECNN, FCN5) == "better"
    assert conclusion(analysis, SUPERVISED, FCN5) == "equal within the margin"


def test_heads_and_paths_are_compared_with_all_else_equal() -> None:
    pairs = {
        (each.question, each.first.arm.name, each.first.head, each.second.arm.name, each.second.head)
        for each in analyse(made_up(0), [mean_criterion()]).contrasts
    }
    assert len(pairs) == 14
    for question, arm, head, other_arm, other_head in pairs:
        assert (arm == other_arm) == (question == "head, same path")
        if question in ("path, same head", "network, head as trained"):
            assert head == other_head
    assert ("network, head fitted", "msecnn", ALL_SCALES, "fcn5", LAST_LEVEL) in pairs


def test_seeds_that_disagree_widen_the_interval() -> None:
    calm, wild = (analyse(made_up(0.02, spread=spread), [mean_criterion()]).contrasts[0] for spread in (0, 0.05))
    assert calm.difference.interval[1] - calm.difference.interval[0] < 1e-9
    assert wild.difference.interval[1] - wild.difference.interval[0] > 0.02
    assert wild.difference.value == pytest.approx(np.mean(wild.per_seed))


def test_pairing_takes_away_what_a_seed_does_to_both_sides() -> None:
    rng = np.random.default_rng(0)
    seeds = rng.normal(0, 1, (5, 1))
    first, second = seeds + 0.1 + np.zeros((5, 500)), seeds + np.zeros((5, 500))
    paired = paired_difference(first - second)
    apart = difference_of_means([first[:, 0], second[:, 0]], [list(first[:, 1:]), list(second[:, 1:])])  # type: ignore[list-item]
    assert paired.interval == pytest.approx((0.1, 0.1))
    assert apart.interval[0] < -0.3 < 0.5 < apart.interval[1]


@pytest.mark.parametrize(
    ("value", "low", "high", "n_seeds", "word"),
    [
        (0.010, 0.001, 0.020, 5, "better"),
        (0.010, -0.001, 0.020, 5, "undecided"),
        (0.004, 0.001, 0.007, 5, "undecided"),
        (-0.010, -0.020, -0.001, 5, "worse"),
        (0.001, -0.003, 0.004, 5, "equal within the margin"),
        (0.020, 0.010, 0.030, 4, "too few seeds"),
    ],
)
def test_words_follow_the_rule_that_was_written_down(
    value: float, low: float, high: float, n_seeds: int, word: str
) -> None:
    assert MARGIN == 0.005
    assert verdict(Difference(value, (low, high)), n_seeds) == word


def test_criteria_that_disagree_leave_it_undecided() -> None:
    unmoved = replace(mean_criterion("MTT_vgg"), measure=lambda p: {"roc_auc": np.zeros(201)})
    analysis = analyse(made_up(0.02), [mean_criterion(), unmoved])
    assert conclusion(analysis, MSECNN, FCN5) == "undecided"
    known = replace(unmoved, name=KNOWN_LABELS)  # few clips and tags: told, but no part of the rule
    assert conclusion(analyse(made_up(0.02), [mean_criterion(), known]), MSECNN, FCN5) == "better"


def test_arms_that_were_not_run_are_left_out() -> None:
    some = [result for result in made_up(0.02, n_seeds=2) if result.arm in ("fcn5", "msecnn")]
    analysis = analyse(some[:-1], [mean_criterion()])
    assert {len(each.per_seed) for each in analysis.contrasts if each.first.arm is not each.second.arm} == {1}
    assert conclusion(analysis, MSECNN, WIDE) == "not run"
    assert conclusion(analysis, MSECNN, FCN5) == "too few seeds"


@pytest.mark.parametrize(("n_seeds", "sentence"), [(0, "no two networks"), (4, "4 of the 5 seeds"), (5, None)])
def test_the_report_says_what_may_not_be_concluded(n_seeds: int, sentence: str | None) -> None:
    results = made_up(0.02, n_seeds=n_seeds)
    text = report.markdown(CONDITION, results, analyse(results, [mean_criterion()]))
    assert ("No conclusion" in text) == (sentence is not None)
    assert sentence is None or sentence in text
    assert ("| MsE-CNN against FCN-5 " in text and "better" in text) == (n_seeds == 5)


# --- the criteria ---


def labels_of(manifest: Manifest, teacher: str, *, seed: int) -> SoftLabels:
    rng = np.random.default_rng(seed)
    clips = {
        key_of(clip): ClipLabels(clip.clip_id, rng.random((2, len(manifest.tags))).astype(np.float32))
        for clip in manifest.clips
    }
    return SoftLabels(teacher, "musicnn_vgg", teacher, manifest.tags, 3.0, clips)


def test_who_says_what_the_reference_says_is_perfect() -> None:
    clips = tuple(
        Clip(str(i), Path(f"{i}.wav"), "test", np.full(3, np.nan, np.float32), group=str(i // 2), hash=str(i),
             extra={"real": str(int(i > 5))})
        for i in range(40)
    )  # fmt: skip
    manifest = Manifest(tuple("abc"), clips, "toy")
    labels = [labels_of(manifest, name, seed=i) for i, name in enumerate(("MTT_musicnn", "MTT_vgg"))]
    mean, alone = teacher_criteria(manifest, labels, n_replicates=20)
    assert (mean.n_clips, alone.name) == (34, "MTT_vgg")
    for criterion, said in (
        (mean, [each.probabilities(clips) for each in labels]),
        (alone, [labels[1].probabilities(clips)]),
    ):
        figures = {name: values[0] for name, values in criterion.measure(np.mean(said, axis=0)).items()}
        assert figures == pytest.approx({"roc_auc": 1, "pr_auc": 1, "spearman": 1, "top5": 1, "mae": 0}, abs=1e-6)
    other = mean.measure(alone_said := labels[1].probabilities(clips))
    assert other["roc_auc"][0] < 1 == pytest.approx(alone.measure(alone_said)["roc_auc"][0])


def test_labels_decide_where_there_are_no_teachers() -> None:
    manifest = toy_data(80).manifest.split("test")
    (criterion,) = label_criteria(manifest, n_replicates=20)
    truth = manifest.labels()
    assert criterion.measure(truth)["roc_auc"][0] == 1
    assert criterion.measure(1 - truth)["roc_auc"][0] == 0
    assert criterion.measure(truth)["roc_auc"].shape == (21,)


# --- the command ---


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    spec = importlib.util.spec_from_file_location("skips_recipe", ROOT / "recipes" / "skips.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "ARMS", tuple(tiny(arm) for arm in ARMS))
    return module


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    clips = []
    for i in range(16):
        path = tmp_path / f"{i}.wav"
        write_wav(path, rng.normal(0, 0.1, 12_000).astype(np.float32), 12_000)
        split = ("train", "train", "valid", "test")[i % 4]
        labels = np.array([i // 4 % 2, i // 8], np.float32)
        clips.append(Clip(str(i), path, split, labels, group=str(i), hash=sha256(path.read_bytes()).hexdigest()))
    return Manifest(("a", "b"), tuple(clips), "toy").write(tmp_path / "folders.jsonl")


def test_one_command_runs_resumes_and_writes_the_document(
    command: ModuleType, manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = tmp_path / "skips.md"
    document.write_text("# Written before\n")
    call = [str(manifest), "--share", "0.5", "1", "--epochs", "1", "--seeds", "0", "--bootstrap", "20", "--runs",
            str(tmp_path / "runs"), "--results", str(tmp_path / "skips"), "--document", str(document)]  # fmt: skip
    assert command.main(call) == 0
    text = document.read_text()
    pictures = {}
    assert text.startswith("# Written before\n")
    for name, n_train in (("folders-50-percent-1-epochs", 4), ("folders-100-percent-1-epochs", 8)):
        assert len(list((tmp_path / "skips" / name).glob("*-0.npz"))) == 4
        pictures[name] = (tmp_path / "skips" / f"{name}.svg").read_bytes()
        assert b"MsE-CNN, trained head" in pictures[name]
        assert f"![differences in ROC-AUC](skips/{name}.svg)" in text
        assert f"{n_train} training clips" in text
    assert "too few seeds" in text
    no_run: Callable[..., None] = lambda *args, **options: pytest.fail("trained again")  # noqa: E731
    monkeypatch.setattr(command.runs, "run_arm", no_run)
    assert command.main(call) == 0
    assert document.read_text() == text
    for name, picture in pictures.items():
        assert (tmp_path / "skips" / f"{name}.svg").read_bytes() == picture
