"""`distill`: a network learns what teachers say of music, and gets a head fitted to what it has learned.

Hinton, Vinyals and Dean, "Distilling the knowledge in a neural network", 2015; the student's targets here are the mean
probability of several teachers, moved where a label is known.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from msecnn.data.manifest import Manifest
from msecnn.data.mel_cache import MelCache
from msecnn.distillation.auxiliary import for_learner, prepare
from msecnn.distillation.backbone_start import load_backbone, start_warm
from msecnn.distillation.concatenation import with_concatenation
from msecnn.distillation.linear_head import fit_head, variance_shares
from msecnn.distillation.model_card import Measured, model_card, warm_start_credit
from msecnn.distillation.soft_labels import SoftLabels, labelled
from msecnn.distillation.targets import soft_targets
from msecnn.distillation.teachers import load_teacher
from msecnn.errors import DatasetError
from msecnn.models.layers import MultiScaleCNN
from msecnn.models.tagging_model import TaggingModule
from msecnn.training import distributed, pipeline
from msecnn.training.data import TrainingData
from msecnn.training.export import clip_features, export, predicted_logits
from msecnn.training.fitting import prepared
from msecnn.training.pipeline import RunSettings
from msecnn.training.ranges import NOT_NEGATIVE, Range, check_ranges
from msecnn.training.run_folder import RunFolder, TrainingError, origin
from msecnn.training.settings import TrainConfig

log = logging.getLogger(__name__)

#: Least share of the logits' variance that MsE-CNN's skips together, and each level's skip, must bring.
LEAST_SKIP_SHARE, LEAST_LEVEL_SHARE = 0.20, 0.01


@dataclass(frozen=True)
class DistillConfig:
    """What distilling adds to the trainer's configuration.

    Attributes:
        train: of the trainer.
        label_odds_factor: factor on the odds of a target whose label is known to be true (or its inverse: false).
            Listeners give a true tag far less often than always, so a known label makes a tag likelier, not certain.
        concatenation: clips put together from two others, for each training clip.
        auxiliary: the last level also gets a classifier of its own while training, so that it must say all it knows and
            the skips add to it. It is dropped afterwards. (Lee et al., "Deeply-supervised nets", 2015.)
    """

    train: TrainConfig
    label_odds_factor: float = 1.2
    concatenation: float = 0.0
    auxiliary: bool = False

    def __post_init__(self) -> None:
        check_ranges(self, {"label_odds_factor": Range(1), "concatenation": NOT_NEGATIVE}, DatasetError)

    def to_json(self) -> dict[str, Any]:
        """All fields as plain values."""
        return asdict(replace(self, train=TrainConfig())) | {"train": self.train.to_json()}


@dataclass(frozen=True)
class Start:
    """Where a student's levels begin; without either, from nothing.

    Attributes:
        donor: weights of Won et al.'s FCN, to be trained further.
        backbone: a checkpoint of ours whose levels are taken as they are; then only the head is fitted.
        source: tensors of the network that a transferred system is put upon, or the checkpoint of one.
    """

    donor: Path | None = None
    backbone: str | None = None
    source: str | None = None


def distill(
    name: str,
    manifest: Manifest,
    labels: Sequence[SoftLabels],
    config: DistillConfig,
    settings: RunSettings,
    start: Start | None = None,
    sizes: Mapping[str, int] | None = None,
) -> Path:
    """Trains a student on what teachers say of a manifest's training clips; validation clips choose and calibrate.

    Args:
        name: of the student in the registry.
        labels: of each teacher, on these clips (`soft_labels.label_manifest`).
        sizes: of the student, as the registry takes them.

    Returns:
        The checkpoint's folder, `settings.checkpoint`.

    Raises:
        MsecnnError: a sentence on what went wrong; the last good state is kept.
    """
    start = start or Start()
    donor = load_teacher(start.donor) if start.donor and not start.backbone else None
    manifest = manifest.select(lambda clip: clip.split != "test")  # nothing of it is needed, so nothing is looked at
    with distributed.joined(settings.device) as group:
        student = pipeline.make_model(name, labels[0].tags, config.train, start_from=start.source, sizes=sizes)
        cache = pipeline.cached(manifest, settings, group, student.clip_front_end)
        lesson = _lesson(manifest, labels, config, cache)
        description = {
            "model": name,
            "distillation": config.to_json(),
            "teachers": [each.teacher for each in labels],
            "path": start.backbone,
            "front_end": pipeline.front_end_of(student).to_json(),
        }
        if not isinstance(student, MultiScaleCNN):
            _check_plain(student, config, start)
            return _distill_plain(student, lesson, config, settings, description | {"source": start.source}, group)
        student = student.to(group.device)
        if start.backbone:
            came_from = load_backbone(student, start.backbone)
            run = _run_without_epochs(settings, description)
        else:
            came_from = {"warm_start": warm_start_credit(donor)}
            if donor:
                donor.model.to(group.device)
                start_warm(student, donor, lesson.clips, cache, seed=config.train.seed)
            run = _train(student, lesson, config, settings, description, group, warm=donor is not None)
        if group.first:
            finish(settings.checkpoint, student, lesson, run, came_from=came_from)
            log.info("the student is in %s", settings.checkpoint)
    return settings.checkpoint


def _check_plain(student: TaggingModule, config: DistillConfig, start: Start) -> None:
    """Raises DatasetError for what only a network with scales can do."""
    asked = {
        "--warm-start": start.donor,
        "--path": start.backbone,
        "--auxiliary": config.auxiliary,
        "--concatenation": config.concatenation,
    }
    if given := [option for option, value in asked.items() if value]:
        raise DatasetError(f"{student.architecture} has no scales, so it takes no {' or '.join(given)}.")


def _distill_plain(
    student: TaggingModule,
    lesson: "Lesson",
    config: DistillConfig,
    settings: RunSettings,
    description: Mapping[str, Any],
    group: distributed.Processes,
) -> Path:
    """A system without scales learns by gradient descent alone and keeps the classifier that it learned."""
    fit = not pipeline.brings_stages(description["source"])
    learner, data = prepared(student, lesson.data, config.train, out=settings.out, group=group, fit=fit)
    history = pipeline.run(learner, data, config.train, settings, description, group)
    if group.first:
        run, tags = pipeline.run_record(settings, history), lesson.labels[0].tags
        valid = predicted_logits(learner, data, data.valid)
        measured = Measured(None, {}, data.targets[data.train], valid, data.targets[data.valid])
        came_from = {"own_differences": list(student.differences)}
        card = model_card(run, lesson.clips, lesson.labels, measured, came_from=came_from)
        export(settings.checkpoint, student, None, mel_config=pipeline.front_end_of(student), tags=tags, card=card)
        log.info("the student is in %s", settings.checkpoint)
    return settings.checkpoint


@dataclass(frozen=True, eq=False)
class Lesson:
    """What a student learns from: clips with their mels and targets, and who said the targets."""

    clips: Manifest
    labels: Sequence[SoftLabels]
    data: TrainingData
    cache: MelCache


def _lesson(manifest: Manifest, labels: Sequence[SoftLabels], config: DistillConfig, cache: MelCache) -> Lesson:
    used = labelled(labels, cache.available(manifest))
    targets = soft_targets(used, labels, label_odds_factor=config.label_odds_factor)
    return Lesson(used, labels, TrainingData.of(used, cache, targets=targets), cache)


def _train(
    student: MultiScaleCNN,
    lesson: Lesson,
    config: DistillConfig,
    settings: RunSettings,
    description: Mapping[str, Any],
    group: distributed.Processes,
    *,
    warm: bool,
) -> dict[str, Any]:
    """Trains the student's levels; what the run's folder says of it."""
    data, auxiliary = lesson.data, config.auxiliary
    learner = prepare(student, data, auxiliary=auxiliary, warm=warm, precision=config.train.precision)
    more = with_concatenation(
        data,
        lesson.clips,
        lesson.labels,
        n_concatenated=round(config.concatenation * len(data.train)),
        mel_config=lesson.cache.config,
        seed=config.train.seed,
    )
    given = for_learner(more, auxiliary=auxiliary)
    history = pipeline.run(learner, given, config.train, settings, description, group)
    return pipeline.run_record(settings, history)


def _run_without_epochs(settings: RunSettings, description: Mapping[str, Any]) -> dict[str, Any]:
    """The folder of a run that trains nothing but the head, with its configuration."""
    folder = RunFolder(settings.out)
    with folder.locked():
        if folder.config.exists() and not settings.resume:
            raise TrainingError(f"{folder.path} holds a run already; give another --out, or --resume to do it again")
        run = {**origin(), **settings.origin(), **description}
        folder.write_json(folder.config, run)
    return run


def finish(
    folder: Path, model: MultiScaleCNN, lesson: Lesson, run: Mapping[str, Any], *, came_from: Mapping[str, Any]
) -> None:
    """Fits the head on the trained path and writes the checkpoint with its card."""
    data, tags = lesson.data, lesson.labels[0].tags
    train, valid = clip_features(model, data, data.train), clip_features(model, data, data.valid)
    device = model.classifier.weight.device
    head = fit_head(train, data.targets[data.train], valid, data.targets[data.valid], device=device)
    head.install(model.classifier)
    shares = skip_shares(model, valid)
    complaint = idle_skips(shares)
    if complaint:
        log.warning("not fit to be shown as multi-scale: %s", complaint)
    measured = Measured(head, shares, data.targets[data.train], head.logits(valid), data.targets[data.valid])
    card = model_card(run, lesson.clips, lesson.labels, measured, came_from=came_from)
    export(folder, model, train, mel_config=lesson.cache.config, tags=tags, card=card)


def skip_shares(model: MultiScaleCNN, features: np.ndarray) -> dict[str, float]:
    """Share of the logits' variance that each scale brings, on these features (N, C)."""
    weight = model.classifier.weight.detach().cpu().numpy()
    return variance_shares(features, weight, model.n_features, model.scales)


def idle_skips(shares: dict[str, float]) -> str | None:
    """What is wrong with a network whose skips do nothing, or None; the last scale is the path, not a skip."""
    *skips, path = shares
    if not skips:
        return None
    if 1 - shares[path] < LEAST_SKIP_SHARE:
        return f"the skips bring {1 - shares[path]:.0%} of the logits' variance, less than {LEAST_SKIP_SHARE:.0%}"
    idle = [scale for scale in skips if scale != "input" and shares[scale] < LEAST_LEVEL_SHARE]
    return f"{', '.join(idle)} bring less than {LEAST_LEVEL_SHARE:.0%} of the logits' variance" if idle else None
