"""A second classifier on the last scale while a student trains, so that its path must say all it knows.

It is dropped afterwards (`training/deep_supervision.py`).
"""

from dataclasses import replace
from typing import cast

import numpy as np
from torch import nn

from msecnn.distillation.linear_head import fit_head
from msecnn.models.layers import MultiScaleCNN
from msecnn.training.data import TrainingData
from msecnn.training.deep_supervision import DeepSupervision
from msecnn.training.export import clip_features


def prepare(
    student: MultiScaleCNN, data: TrainingData, *, auxiliary: bool, warm: bool, precision: str = "float32"
) -> nn.Module:
    """What the trainer gets: the student, with its auxiliary classifier if it has one.

    On a warm path both classifiers start fitted, so that the first gradients do not tear the path down.
    """
    last_scale = student.scales[-1]
    learner = DeepSupervision(student, [last_scale]) if auxiliary else student
    if warm:
        train = clip_features(student, data, data.train, precision=precision)
        valid = clip_features(student, data, data.valid)
        targets, valid_targets = data.targets[data.train], data.targets[data.valid]
        fit_head(train, targets, valid, valid_targets).install(student.classifier)
        if isinstance(learner, DeepSupervision):
            last = slice(-student.n_features[last_scale], None)
            head = fit_head(train[:, last], targets, valid[:, last], valid_targets)
            head.install(cast(nn.Linear, learner.classifiers[last_scale]))
    return learner


def for_learner(data: TrainingData, *, auxiliary: bool) -> TrainingData:
    """The data with a target for every classifier."""
    return replace(data, targets=np.tile(data.targets, (1, 2))) if auxiliary else data
