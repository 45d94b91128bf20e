"""Deep supervision: while a network trains, its maps get linear classifiers of their own, dropped afterwards.

Lee et al., "Deeply-supervised nets", 2015. A level that must tell the tags itself learns features that tell them.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from msecnn.models.layers import MultiScaleCNN, head
from msecnn.training.data import TrainingData


class DeepSupervision(nn.Module):
    """A network and M further classifiers; all have an equal part in the loss. Training it trains the network in place.

    Args:
        network: what is kept.
        maps: names of the M maps whose maxima get a classifier.

    Shape:
        - input: (B, 1, F, L) log-mel in dB
        - output: (B, (1 + M) K) logits, the network's own K first
    """

    def __init__(self, network: MultiScaleCNN, maps: Sequence[str]) -> None:
        super().__init__()
        self.network = network
        self.n_frames = network.n_frames
        self.classifiers = nn.ModuleDict({name: nn.Linear(network.n_channels[name], network.n_tags) for name in maps})

    def forward(self, mel: Tensor) -> Tensor:
        network = self.network
        maps = network.level_maps(mel)
        features = {
            name: network.global_max(name, maps[name]) for name in dict.fromkeys([*network.scales, *self.classifiers])
        }
        whole = torch.cat([features[scale] for scale in network.scales], 1)
        logits = [head(network.classifier, network.dropout(whole))]
        for name, classifier in self.classifiers.items():
            logits.append(head(cast(nn.Linear, classifier), network.dropout(features[name])))
        return torch.cat(logits, 1)

    def targets_for(self, data: TrainingData) -> TrainingData:
        """The data with targets (N, (1 + M) K): every classifier learns them, but validation is of the network alone.

        What is unknown takes no part in a loss, so the further classifiers' targets are unknown on validation clips.
        """
        n_tags = data.targets.shape[1]
        targets = np.tile(data.targets, (1, 1 + len(self.classifiers)))
        targets[data.valid, n_tags:] = np.nan
        return replace(data, targets=targets)
