"""One run: an arm trained from nothing, its head as trained and fitted heads on its path, predictions for test clips.

A run's state lies in a run folder, from which a killed run goes on; its result is one small file that says from which
data and schedule it came, and is never made twice.
"""

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from msecnn.data.manifest import Manifest
from msecnn.data.mel_cache import MelCache
from msecnn.distillation.linear_head import fit_head
from msecnn.distillation.skip_study.arms import ALL_SCALES, LAST_LEVEL, TRAINED, Arm, with_all_scales
from msecnn.errors import DatasetError
from msecnn.evaluation.scores import read_arrays, write_arrays
from msecnn.models.layers import MultiScaleCNN
from msecnn.training.data import TrainingData
from msecnn.training.export import clip_features
from msecnn.training.history import History
from msecnn.training.run_folder import origin
from msecnn.training.settings import TrainConfig
from msecnn.training.trainer import train

log = logging.getLogger(__name__)

#: Logits of test clips are kept in steps of 1/64: a probability is off by .002 at most, and the files stay small.
STEPS_PER_LOGIT = 64
#: Epochs without a lower validation loss after which a run ends.
PATIENCE = 8


@dataclass(frozen=True)
class Condition:
    """What all arms of a comparison share: data and budget.

    Attributes:
        data: what the clips and targets are called, a word that can be a folder's name.
        fingerprint: of manifest and targets.
        share: of the training clips that are used.
        epochs: at most, with one cycle of the learning rate over all of them; 0 where paths that others trained are
            taken as they are, and only heads are fitted.
    """

    data: str
    fingerprint: str
    share: float
    epochs: int

    @property
    def name(self) -> str:
        """Folder of its results."""
        budget = f"{self.epochs}-epochs" if self.epochs else "given-paths"
        return f"{self.data}-{100 * self.share:.0f}-percent-{budget}"


@dataclass(frozen=True, eq=False)
class SkipData:
    """Clips with cached mels and targets (N, K); what the trainer needs, and the test clips beside it."""

    manifest: Manifest
    tags: tuple[str, ...]
    training: TrainingData
    test: np.ndarray

    @classmethod
    def of(cls, manifest: Manifest, cache: MelCache, targets: np.ndarray, tags: tuple[str, ...]) -> "SkipData":
        """All clips of the manifest.

        Raises:
            DatasetError: a target is unknown, so that no head can be fitted, or a split is empty.
        """
        if np.isnan(targets).any():
            raise DatasetError(f"{manifest.name} has unknown labels; compare on a manifest without, or give --labels")
        splits = np.array([clip.split for clip in manifest.clips])
        train, valid, test = (np.flatnonzero(splits == name) for name in ("train", "valid", "test"))
        if not (len(train) and len(valid) and len(test)):
            raise DatasetError(
                f"{manifest.name} lacks a split: {len(train)} train, {len(valid)} valid, {len(test)} test"
            )
        rows = cache.rows(manifest.clips)
        return cls(manifest, tags, TrainingData(cache.mels, targets, train, valid, rows=rows), test)

    def part(self, share: float, *, seed: int) -> TrainingData:
        """With a share of the training clips, the same for every arm of a seed."""
        data = self.training
        count = round(share * len(data.train))
        chosen = np.sort(np.random.default_rng([seed, 3]).permutation(len(data.train))[:count])
        return TrainingData(data.mels, data.targets, data.train[chosen], data.valid, rows=data.rows)


@dataclass(frozen=True, eq=False)
class RunResult:
    """What one run says of the test clips.

    Attributes:
        arm, seed, condition: which run.
        clip_ids: (N,).
        logits: (N, K) by head.
        run: configuration, epochs, losses, commit.
    """

    arm: str
    seed: int
    condition: dict[str, Any]
    clip_ids: np.ndarray
    logits: dict[str, np.ndarray]
    run: dict[str, Any]

    def write(self, path: Path) -> None:
        """Whole or not at all."""
        about = {name: getattr(self, name) for name in ("arm", "seed", "condition", "run")}
        steps = {f"logits.{head}": _steps(values) for head, values in self.logits.items()}
        write_arrays(path, about=np.array(json.dumps(about)), clip_ids=self.clip_ids, **steps)

    @classmethod
    def read(cls, path: Path) -> "RunResult":
        """The reverse of `write`, up to the rounding of logits."""
        arrays = read_arrays(path, ("about", "clip_ids"))
        heads = {name.removeprefix("logits."): a for name, a in arrays.items() if name.startswith("logits.")}
        logits = {head: steps.astype(np.float32) / STEPS_PER_LOGIT for head, steps in heads.items()}
        return cls(**json.loads(str(arrays["about"])), clip_ids=arrays["clip_ids"], logits=logits)


def _steps(logits: np.ndarray) -> np.ndarray:
    return np.clip(np.round(logits * STEPS_PER_LOGIT), -(2**15), 2**15 - 1).astype(np.int16)


def config_for(condition: Condition, seed: int) -> TrainConfig:
    """The one schedule of all arms: the trainer's defaults, from nothing."""
    return TrainConfig(epochs=condition.epochs, patience=PATIENCE, seed=seed)


def result_path(results: Path, condition: Condition, arm: Arm, seed: int) -> Path:
    """Where a run's result lies."""
    return results / condition.name / f"{arm.name}-{seed}.npz"


def run_arm(arm: Arm, seed: int, data: SkipData, condition: Condition, *, runs: Path, results: Path) -> RunResult:
    """Trains an arm, or goes on where its run folder ends, and writes its result."""
    part = data.part(condition.share, seed=seed)
    network = arm.network(len(data.tags), seed=seed)
    history = _train(arm, network, part, condition, seed, runs / condition.name / f"{arm.name}-{seed}")
    result = RunResult(
        arm.name, seed, dict(vars(condition)),
        clip_ids=np.array([data.manifest.clips[index].clip_id for index in data.test]),
        logits=predict(network, part, data.test),
        run={**origin(), "config": config_for(condition, seed).to_json(), "n_train": len(part.train),
             "n_epochs": len(history.epochs), "best_epoch": history.best_epoch,
             "valid_loss": history.best["valid_loss"],
             "train_s": round(sum(epoch["train_s"] for epoch in history.epochs), 1)},
    )  # fmt: skip
    result.write(result_path(results, condition, arm, seed))
    return result


def heads_on_path(
    arm: Arm, network: MultiScaleCNN, data: SkipData, condition: Condition, *, results: Path
) -> RunResult:
    """The result of an arm whose path somebody else has trained: only heads are fitted; seed 0 is the only one."""
    logits = predict(network, data.training, data.test)
    del logits[TRAINED]
    result = RunResult(
        arm.name, 0, dict(vars(condition)),
        clip_ids=np.array([data.manifest.clips[index].clip_id for index in data.test]),
        logits=logits, run={**origin(), "n_train": len(data.training.train)},
    )  # fmt: skip
    result.write(result_path(results, condition, arm, 0))
    return result


def read_results(results: Path, condition: Condition) -> list[RunResult]:
    """All that is there of a condition, by arm and seed.

    Raises:
        DatasetError: a result comes from other data.
    """
    found = [RunResult.read(path) for path in sorted((results / condition.name).glob("*.npz"))]
    for result in found:
        if result.condition != vars(condition):
            raise DatasetError(
                f"{results / condition.name} holds a run of other data ({result.condition}); give another --results"
            )
    return found


def _train(
    arm: Arm, network: MultiScaleCNN, part: TrainingData, condition: Condition, seed: int, folder: Path
) -> History:
    learner = arm.learner(network)
    wanted = learner.targets_for(part) if arm.supervised else part  # type: ignore[operator]
    log.info("%s, seed %d, %s", arm.title, seed, condition.name)
    return train(
        learner, wanted, config_for(condition, seed), out=folder, resume=True,
        description={"arm": arm.name, "condition": vars(condition)},
    )  # fmt: skip


def predict(network: MultiScaleCNN, data: TrainingData, test: np.ndarray) -> dict[str, np.ndarray]:
    """(N, K) logits of test clips by each head: as trained, and fitted to the last level and to all scales."""
    view = with_all_scales(network).to(next(network.parameters()).device)
    train, valid, test_features = (clip_features(view, data, clips) for clips in (data.train, data.valid, test))
    columns = {LAST_LEVEL: _columns(view, view.maps[-1:]), ALL_SCALES: _columns(view, view.maps)}
    weight = network.classifier.weight.detach().cpu().numpy()
    bias = network.classifier.bias.detach().cpu().numpy()
    logits = {TRAINED: test_features[:, _columns(view, network.scales)] @ weight.T + bias}
    for head, own in columns.items():
        fitted = fit_head(train[:, own], data.targets[data.train], valid[:, own], data.targets[data.valid])
        logits[head] = fitted.logits(test_features[:, own])
    return logits


def _columns(view: MultiScaleCNN, scales: Sequence[str]) -> np.ndarray:
    """Which of all features belong to these scales."""
    owner = np.repeat(np.array(view.maps), [view.n_features[name] for name in view.maps])
    return np.flatnonzero(np.isin(owner, list(scales)))
