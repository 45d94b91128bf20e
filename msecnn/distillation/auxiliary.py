"""A second classifier on the last scale while a student trains, so that its path must say all it knows.

Lee et al., "Deeply-supervised nets", 2015. It is dropped afterwards.
"""

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from msecnn.distillation.linear_head import fit_head
from msecnn.models.layers import MultiScaleCNN, head
from msecnn.training.export import clip_features
from msecnn.training.trainer import TrainingData


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
        return torch.cat(
            [head(student.classifier, student.dropout(whole)), head(self.auxiliary, student.dropout(last))], 1
        )


def prepare(
    student: MultiScaleCNN, data: TrainingData, *, auxiliary: bool, warm: bool, precision: str = "float32"
) -> nn.Module:
    """What the trainer gets: the student, with its auxiliary classifier if it has one.

    On a warm path both classifiers start fitted, so that the first gradients do not tear the path down.
    """
    learner = WithAuxiliary(student) if auxiliary else student
    if warm:
        train = clip_features(student, data, data.train, precision=precision)
        valid = clip_features(student, data, data.valid)
        targets, valid_targets = data.targets[data.train], data.targets[data.valid]
        fit_head(train, targets, valid, valid_targets).install(student.classifier)
        if isinstance(learner, WithAuxiliary):
            last = slice(-student.n_features[student.scales[-1]], None)
            fit_head(train[:, last], targets, valid[:, last], valid_targets).install(learner.auxiliary)
    return learner


def for_learner(data: TrainingData, *, auxiliary: bool) -> TrainingData:
    """The data with a target for every classifier."""
    return replace(data, targets=np.tile(data.targets, (1, 2))) if auxiliary else data
