"""From a trained network to a checkpoint: its weights in the paper's order, and what explanations measure from."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from msecnn import checkpoint
from msecnn.frontend import MelConfig
from msecnn.models import registry
from msecnn.models.fast.folded import FoldedNetwork
from msecnn.models.layers import MultiScaleCNN
from msecnn.models.tagging_model import TaggingModule
from msecnn.training.data import TrainingData
from msecnn.training.patches import clip_logits

BATCH_SIZE = 8


def clip_features(
    model: MultiScaleCNN, data: TrainingData, clips: np.ndarray, *, precision: str = "float32"
) -> np.ndarray:
    """(N, C) features of clips, all scales one after the other."""
    device = next(model.parameters()).device
    network = FoldedNetwork(model, torch.bfloat16 if precision == "bfloat16" else torch.float32).to(device)
    rows = []
    with torch.inference_mode():
        for first in range(0, len(clips), BATCH_SIZE):
            chosen = data.row(clips[first : first + BATCH_SIZE])
            mels = torch.as_tensor(data.mels[chosen])[..., : model.n_frames].to(device)  # (B, F, L)
            features = network.features(mels.float().unsqueeze(1))
            rows.append(torch.cat([features[scale] for scale in model.scales], 1).float().cpu().numpy())
    return np.concatenate(rows)


@torch.inference_mode()
def predicted_logits(learner: nn.Module, data: TrainingData, clips: np.ndarray) -> np.ndarray:
    """(N, K) logits of clips, of the mean probability of their patches."""
    device = next(learner.parameters()).device
    n_frames = getattr(learner, "n_frames", data.mels.shape[2])
    learner.eval()

    def network(mels: Tensor) -> Tensor:
        logits: Tensor = learner(mels.unsqueeze(1))
        return logits

    rows = [np.empty((0, data.targets.shape[1]), np.float32)]
    for first in range(0, len(clips), BATCH_SIZE):
        mels = torch.as_tensor(data.mels[data.row(clips[first : first + BATCH_SIZE])]).to(device)
        rows.append(clip_logits(network, mels, n_frames=n_frames).float().cpu().numpy())
    return np.concatenate(rows)


def export(
    folder: Path,
    model: TaggingModule,
    features: np.ndarray | None,
    *,
    mel_config: MelConfig,
    tags: tuple[str, ...],
    card: Mapping[str, Any],
) -> None:
    """Writes a checkpoint that `python -m msecnn tag --model FOLDER` takes.

    Args:
        features: (N, C) of the training clips as they are, from `clip_features`; their mean is what explanations call
            the average clip. None for a network without scales.
    """
    means = None
    if features is not None:
        parts = torch.from_numpy(features).split([model.n_features[scale] for scale in model.scales], dim=1)
        means = {scale: part.double().mean(0).float() for scale, part in zip(model.scales, parts, strict=True)}
    literal = registry.create(model.architecture, **model.parameters_json())
    literal.load_state_dict({name: value.cpu() for name, value in model.state_dict().items()})
    checkpoint.save(folder, literal.eval(), mel_config=mel_config, tags=tags, card=card, mean_features=means)
