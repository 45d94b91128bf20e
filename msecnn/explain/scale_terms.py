"""The terms that scales add to one tag's logit, as a function of the spectrogram: what maps are made of.

Axis letters: B clips, S scales, F mel bands, L frames, C channels of a scale.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from msecnn.models.fast.folded import FoldedNetwork
from msecnn.models.fast.gradients import scale_gradients
from msecnn.models.fast.shapley_multipliers import shapley_multipliers
from msecnn.models.layers import MultiScaleCNN
from msecnn.models.lock import MODEL_LOCK


class ScaleTerms:
    """The terms that chosen scales add to one tag's logit, and their sum, by a fast copy of the network.

    No level above the highest one asked for is computed.
    """

    def __init__(self, model: MultiScaleCNN, tag_index: int, scales: Sequence[str]) -> None:
        self.scales = tuple(scales)
        with MODEL_LOCK:
            self.network = FoldedNetwork(model)
        widths = [model.n_features[scale] for scale in model.scales]
        weights = dict(zip(model.scales, model.classifier.weight[tag_index].detach().split(widths), strict=True))
        self.weights = {scale: weights[scale] for scale in self.scales}

    @torch.no_grad()
    def __call__(self, mel: Tensor) -> Tensor:
        """(B, S + 1) of (B, 1, F, L) log-mel in dB, the last column the sum of the others."""
        with MODEL_LOCK:
            return self.of(self.network.features(mel.to(self.device), self.scales))

    @torch.no_grad()
    def with_logits(self, mel: Tensor) -> Tensor:
        """(B, S + 1 + K) of (B, 1, F, L): the same, and after them the logits of all tags."""
        with MODEL_LOCK:
            features = self.network.features(mel.to(self.device))
            return torch.cat([self.of(features), self.network.classify(features)], dim=1)

    def of(self, features: Mapping[str, Tensor]) -> Tensor:
        """(B, S + 1) of each scale's features (B, C)."""
        terms = torch.stack([features[scale] @ self.weights[scale] for scale in self.scales], dim=1)
        return torch.cat([terms, terms.sum(1, keepdim=True)], dim=1)

    def gradients(self, mel: Tensor) -> Tensor:
        """(S + 1, F, L) of (1, 1, F, L)."""
        with MODEL_LOCK:
            return scale_gradients(self.network, mel, self.weights)

    def shapley_multipliers(self, mel: Tensor, reference: Tensor) -> Tensor:
        """(S + 1, F, L) of (1, 1, F, L) twice."""
        with MODEL_LOCK:
            return shapley_multipliers(self.network, mel, reference, self.weights)

    @property
    def device(self) -> torch.device:
        return self.network.head.device
