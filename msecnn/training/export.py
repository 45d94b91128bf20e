"""From a trained network to a checkpoint: its weights in the paper's order, and what explanations measure from."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from msecnn import checkpoint
from msecnn.frontend import MelConfig
from msecnn.models import registry
from msecnn.training.trainer import TrainingData

BATCH_SIZE = 16


@torch.no_grad()
def mean_features(model: nn.Module, data: TrainingData) -> dict[str, Tensor]:
    """Each scale's features (C,), averaged over the training clips as they are."""
    model.eval()
    device = next(model.parameters()).device
    sums: dict[str, Tensor] = {}
    for first in range(0, len(data.train), BATCH_SIZE):
        rows = data.row(data.train[first : first + BATCH_SIZE])
        mels = torch.as_tensor(data.mels[rows])[..., : model.n_frames]  # (B, F, L)
        features = model.features(mels.to(device).float().unsqueeze(1))  # type: ignore[operator]
        for scale, values in features.items():
            sums[scale] = sums.get(scale, 0) + values.double().sum(0)
    return {scale: (total / len(data.train)).float().cpu() for scale, total in sums.items()}


def export(
    folder: Path,
    model: nn.Module,
    data: TrainingData,
    *,
    mel_config: MelConfig,
    tags: tuple[str, ...],
    card: Mapping[str, Any],
) -> None:
    """Writes a checkpoint that `python -m msecnn tag --model FOLDER` takes."""
    means = mean_features(model, data)
    literal = registry.create(model.architecture, **model.parameters_json())  # type: ignore[arg-type, operator]
    literal.load_state_dict({name: value.cpu() for name, value in model.state_dict().items()})
    checkpoint.save(folder, literal.eval(), mel_config=mel_config, tags=tags, card=card, mean_features=means)
