"""A student learns from what teachers say of music: soft targets, a warm start, the one trainer, a head in closed form.

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
from torch import nn

from msecnn import audio
from msecnn.data.manifest import DatasetError, Manifest
from msecnn.data.mel_cache import MelCache
from msecnn.frontend import MelConfig
from msecnn.models.inference import FoldedNetwork
from msecnn.models.layers import ConvLevels
from msecnn.models.waveform import SAMPLE_RATE
from msecnn.models.won import WonFcn
from msecnn.training.augmentation import Augmentation, augment, draw
from msecnn.training.export import export
from msecnn.training.ridge_head import RidgeHead, fit_ridge_head, variance_shares
from msecnn.training.soft_labels import SoftLabels, ensemble
from msecnn.training.student_card import student_card
from msecnn.training.teachers import Teacher
from msecnn.training.trainer import TrainConfig, TrainingData
from msecnn.training.warm_start import warm_start

log = logging.getLogger(__name__)

BATCH_SIZE = 8
#: Clips on which a warm start sets the normalisations.
WARM_START_CLIPS = 80
#: Least share of the logits' variance that MsE-CNN's skips together, and each level's skip, must bring.
LEAST_SKIP_SHARE, LEAST_LEVEL_SHARE = 0.20, 0.01


@dataclass(frozen=True)
class DistillConfig:
    """What distilling adds to the trainer's configuration.

    Attributes:
        train: of the trainer.
        known_weight: how far a target is moved from the teachers' probability to 1 (or 0) where a label is known.
        views: how often each training clip is seen by the closed-form head: once as it is, then turned, looped and at
            other levels.
        view_loops: share of looped clips in the further views.
    """

    train: TrainConfig
    known_weight: float = 0.5
    views: int = 3
    view_loops: float = 0.3

    def __post_init__(self) -> None:
        if not 0 <= self.known_weight <= 1:
            raise DatasetError(f"known_weight must be from 0 to 1, not {self.known_weight}")
        if self.views < 1:
            raise DatasetError(f"views must be at least 1, not {self.views}")

    def to_json(self) -> dict[str, Any]:
        """All fields as plain values."""
        return asdict(replace(self, train=TrainConfig())) | {"train": self.train.to_json()}


def soft_targets(manifest: Manifest, labels: Sequence[SoftLabels], *, known_weight: float) -> np.ndarray:
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
    told = ~np.isnan(known) & np.array([clip.split == "train" for clip in manifest.clips])[:, None]
    raised = targets[:, columns] + known_weight * (np.nan_to_num(known) - targets[:, columns])
    targets[:, columns] = np.where(told, raised, targets[:, columns])
    return targets


def start_warm(student: ConvLevels, donor: Teacher, manifest: Manifest, cache: MelCache, *, seed: int) -> None:
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
        audio.load(clip.path, sample_rate=SAMPLE_RATE, start_s=clip.start_s, duration_s=clip.duration_s).waveform
        for clip in clips
    ]
    student.eval()
    warm_start(student, donor.model, cache.batch(cache.rows(clips)), waveforms, mel_config=cache.config)


def fit_head(model: ConvLevels, data: TrainingData, config: DistillConfig) -> RidgeHead:
    """Refits the classifier in closed form on the path as it is, and installs it."""
    train = [
        view_features(model, data, data.train, _view(config) if view else None, seed=config.train.seed, view=view)
        for view in range(config.views)
    ]
    valid = view_features(model, data, data.valid)
    head = fit_ridge_head(
        np.concatenate(train), np.tile(data.targets[data.train], (config.views, 1)), valid, data.targets[data.valid]
    )
    head.install(model.classifier)
    return head


def view_features(
    model: ConvLevels,
    data: TrainingData,
    clips: np.ndarray,
    augmentation: Augmentation | None = None,
    *,
    seed: int = 0,
    view: int = 0,
) -> np.ndarray:
    """(N, C) features of clips, all scales one after the other, as they are or as an augmentation changes them."""
    device = next(model.parameters()).device
    network = FoldedNetwork(model).to(device)
    n_frames, n_bands = model.n_frames, model.n_mels
    drawn = draw(
        augmentation or Augmentation.none(), len(clips), n_bands=n_bands, source_frames=n_frames, n_frames=n_frames,
        seed=seed, epoch=-view % 2**32,
    )  # fmt: skip
    rows = []
    with torch.inference_mode():
        for first in range(0, len(clips), BATCH_SIZE):
            positions = np.arange(first, min(first + BATCH_SIZE, len(clips)))
            mels = torch.as_tensor(data.mels[data.row(clips[positions])])[..., :n_frames]  # (B, F, L)
            mels = augment(mels, drawn.take(positions), n_frames=n_frames).to(device)
            features = network.features(mels.unsqueeze(1))
            rows.append(torch.cat([features[scale] for scale in model.scales], 1).float().cpu().numpy())
    return np.concatenate(rows)


def skip_shares(model: ConvLevels, features: np.ndarray) -> dict[str, float]:
    """Share of the logits' variance that each scale brings, on these features (N, C)."""
    weight = model.classifier.weight.detach().cpu().numpy()
    return variance_shares(features, weight, model.n_features, model.scales)


def finish(
    folder: Path,
    model: ConvLevels,
    data: TrainingData,
    config: DistillConfig,
    run: Mapping[str, Any],
    manifest: Manifest,
    labels: Sequence[SoftLabels],
    *,
    donor: Teacher | None,
    mel_config: MelConfig,
) -> None:
    """Fits the head on the trained path and writes the checkpoint with its card."""
    head = fit_head(model, data, config)
    valid = view_features(model, data, data.valid)
    shares = skip_shares(model, valid)
    complaint = idle_skips(shares)
    if complaint:
        log.warning("not fit to be shown as multi-scale: %s", complaint)
    card = student_card(
        run, manifest, labels, donor=donor, head=head, shares=shares,
        valid_features=valid, valid_targets=data.targets[data.valid],
    )  # fmt: skip
    export(folder, model, data, mel_config=mel_config, tags=labels[0].tags, card=card)


def idle_skips(shares: dict[str, float]) -> str | None:
    """What is wrong with a network whose skips do nothing, or None; the last scale is the path, not a skip."""
    *skips, path = shares
    if not skips:
        return None
    if 1 - shares[path] < LEAST_SKIP_SHARE:
        return f"the skips bring {1 - shares[path]:.0%} of the logits' variance, less than {LEAST_SKIP_SHARE:.0%}"
    idle = [scale for scale in skips if scale != "input" and shares[scale] < LEAST_LEVEL_SHARE]
    return f"{', '.join(idle)} bring less than {LEAST_LEVEL_SHARE:.0%} of the logits' variance" if idle else None


def _view(config: DistillConfig) -> Augmentation:
    """What the head's further views change: nothing that hides or mixes."""
    return replace(config.train.augmentation, loop=config.view_loops, frequency_mask=0, time_mask=0, mix=0.0)


def initial_student(student: nn.Module) -> ConvLevels:
    """The network as one that can be distilled.

    Raises:
        DatasetError: it has no levels with a linear head.
    """
    if not isinstance(student, ConvLevels):
        raise DatasetError("only networks of levels with a linear head (fcn5, msecnn, msecnn_wide) are distilled")
    return student
