"""A student learns from what teachers say of music: soft targets, a warm start, the one trainer, a refitted head.

Hinton, Vinyals and Dean, "Distilling the knowledge in a neural network", 2015; the student's targets here are the mean
probability of several teachers, raised where a clip is known to have a tag.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from msecnn import audio, checkpoint
from msecnn.data.manifest import Manifest
from msecnn.data.mel_cache import MelCache
from msecnn.distillation.backbone_start import warm_start
from msecnn.distillation.linear_head import fit_head, variance_shares
from msecnn.distillation.model_card import model_card
from msecnn.distillation.soft_labels import SoftLabels, ensemble
from msecnn.distillation.teachers import Teacher
from msecnn.errors import DatasetError
from msecnn.frontend import MelConfig
from msecnn.models.layers import MultiScaleCNN
from msecnn.models.published.waveform import SAMPLE_RATE
from msecnn.models.published.won import WonFcn
from msecnn.statistics import sigmoid
from msecnn.training.export import clip_features, export
from msecnn.training.trainer import TrainConfig, TrainingData

log = logging.getLogger(__name__)

#: Clips on which a warm start sets the normalisations.
WARM_START_CLIPS = 80
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
        if not self.label_odds_factor >= 1:
            raise DatasetError(f"label_odds_factor must be at least 1, not {self.label_odds_factor}")
        if not self.concatenation >= 0:
            raise DatasetError(f"concatenation must not be negative, and {self.concatenation} is")

    def to_json(self) -> dict[str, Any]:
        """All fields as plain values."""
        return asdict(replace(self, train=TrainConfig())) | {"train": self.train.to_json()}


def soft_targets(manifest: Manifest, labels: Sequence[SoftLabels], *, label_odds_factor: float) -> np.ndarray:
    """(N, K) targets for all clips of a manifest, in its order, in the teachers' vocabulary.

    Training clips move towards their known labels; a missing label is unknown, and leaves the teachers' word as it is.
    Validation clips keep it, since agreement is what they judge.

    Raises:
        DatasetError: a clip was not labelled, or the manifest has a tag that the teachers do not know.
    """
    tags = labels[0].tags
    unknown = [tag for tag in manifest.tags if tag not in tags]
    if unknown:
        raise DatasetError(f"the teachers do not know {', '.join(unknown)}; distil on a manifest with their tags")
    targets = ensemble(labels, manifest.clips)
    known = manifest.labels()
    columns = [tags.index(tag) for tag in manifest.tags]
    shift = np.log(label_odds_factor) * (2 * np.nan_to_num(known, nan=0.5) - 1)  # 0 where nothing is known
    shift[[clip.split != "train" for clip in manifest.clips]] = 0
    logits = np.log(targets[:, columns]) - np.log1p(-targets[:, columns])
    targets[:, columns] = np.where(shift == 0, targets[:, columns], sigmoid(logits + shift))
    return targets


def start_warm(student: MultiScaleCNN, donor: Teacher, manifest: Manifest, cache: MelCache, *, seed: int) -> None:
    """Gives a student the donor's filters, recalibrated on full-length clips of the training split.

    Raises:
        DatasetError: the donor is another network, or no clip is long enough for it.
    """
    if not isinstance(donor.model, WonFcn):
        raise DatasetError(f"{donor.name} is a {donor.model.architecture}; a warm start needs Won et al.'s FCN")
    window_s = donor.model.window_s
    long_enough = [clip for clip in manifest.split("train").clips if (clip.duration_s or 0) >= window_s]
    if not long_enough:
        raise DatasetError(f"a warm start needs training clips of at least {window_s:g} s; there are none")
    count = min(WARM_START_CLIPS, len(long_enough))
    chosen = np.sort(np.random.default_rng([seed, 2]).choice(len(long_enough), count, replace=False))
    clips = [long_enough[index] for index in chosen]
    waveforms = [
        audio.read_recording(
            clip.path, sample_rate=SAMPLE_RATE, start_s=clip.start_s, duration_s=clip.duration_s
        ).waveform
        for clip in clips
    ]
    student.eval()
    warm_start(student, donor.model, cache.batch(cache.rows(clips)), waveforms, mel_config=cache.config)


def load_backbone(student: MultiScaleCNN, folder: str | Path) -> dict[str, Any]:
    """Gives a student the levels of another one.

    Returns:
        What the card shall say of where the levels come from.

    Raises:
        DatasetError: the checkpoint has other levels.
    """
    found = checkpoint.load(folder)
    own = {name: tensor for name, tensor in student.state_dict().items() if not name.startswith("classifier.")}
    state = found.model.state_dict()
    if any(name not in state or state[name].shape != tensor.shape for name, tensor in own.items()):
        raise DatasetError(f"{folder} has other levels than this student; its path cannot be taken")
    student.load_state_dict({name: state[name] for name in own}, strict=False)
    student.eval()
    source = {key: found.card.get(key) for key in ("name", "sha256", "run")}
    return {"path": source, "warm_start": found.card.get("warm_start")}


class WithAuxiliary(nn.Module):
    """A student and a second classifier on its last scale; logits (B, 2 K), the student's first."""

    def __init__(self, student: MultiScaleCNN) -> None:
        super().__init__()
        self.student = student
        self.n_frames = student.n_frames
        n_last = student.n_features[student.scales[-1]]
        self.auxiliary = nn.Linear(n_last, student.n_tags)

    def forward(self, mel: Tensor) -> Tensor:
        student = self.student
        features = student.features(mel)
        whole = torch.cat([features[scale] for scale in student.scales], 1)
        last = features[student.scales[-1]]
        return torch.cat([student.classifier(student.dropout(whole)), self.auxiliary(student.dropout(last))], 1)


def prepare(student: MultiScaleCNN, data: TrainingData, config: DistillConfig, *, warm: bool) -> nn.Module:
    """What the trainer gets: the student, with its auxiliary classifier if it has one.

    On a warm path both classifiers start fitted, so that the first gradients do not tear the path down.
    """
    learner = WithAuxiliary(student) if config.auxiliary else student
    if warm:
        train = clip_features(student, data, data.train, precision=config.train.precision)
        valid = clip_features(student, data, data.valid)
        targets, valid_targets = data.targets[data.train], data.targets[data.valid]
        fit_head(train, targets, valid, valid_targets).install(student.classifier)
        if isinstance(learner, WithAuxiliary):
            last = slice(-student.n_features[student.scales[-1]], None)
            fit_head(train[:, last], targets, valid[:, last], valid_targets).install(learner.auxiliary)
    return learner


def for_learner(data: TrainingData, config: DistillConfig) -> TrainingData:
    """The data with a target for every classifier."""
    return replace(data, targets=np.tile(data.targets, (1, 2))) if config.auxiliary else data


def skip_shares(model: MultiScaleCNN, features: np.ndarray) -> dict[str, float]:
    """Share of the logits' variance that each scale brings, on these features (N, C)."""
    weight = model.classifier.weight.detach().cpu().numpy()
    return variance_shares(features, weight, model.n_features, model.scales)


def finish(
    folder: Path,
    model: MultiScaleCNN,
    data: TrainingData,
    run: Mapping[str, Any],
    manifest: Manifest,
    labels: Sequence[SoftLabels],
    *,
    origin: Mapping[str, Any],
    mel_config: MelConfig,
) -> None:
    """Fits the head on the trained path and writes the checkpoint with its card; `origin` says where the path began."""
    train, valid = clip_features(model, data, data.train), clip_features(model, data, data.valid)
    head = fit_head(train, data.targets[data.train], valid, data.targets[data.valid])
    head.install(model.classifier)
    shares = skip_shares(model, valid)
    complaint = idle_skips(shares)
    if complaint:
        log.warning("not fit to be shown as multi-scale: %s", complaint)
    card = model_card(
        run, manifest, labels, origin=origin, head=head, shares=shares,
        valid_features=valid, valid_targets=data.targets[data.valid],
    )  # fmt: skip
    export(folder, model, train, mel_config=mel_config, tags=labels[0].tags, card=card)


def idle_skips(shares: dict[str, float]) -> str | None:
    """What is wrong with a network whose skips do nothing, or None; the last scale is the path, not a skip."""
    *skips, path = shares
    if not skips:
        return None
    if 1 - shares[path] < LEAST_SKIP_SHARE:
        return f"the skips bring {1 - shares[path]:.0%} of the logits' variance, less than {LEAST_SKIP_SHARE:.0%}"
    idle = [scale for scale in skips if scale != "input" and shares[scale] < LEAST_LEVEL_SHARE]
    return f"{', '.join(idle)} bring less than {LEAST_LEVEL_SHARE:.0%} of the logits' variance" if idle else None
