"""Systems in two halves: features that are fitted without labels and then stay, and a network that learns tags of them.

A window's features are an input of one frame, so the trainer takes them as it takes mels.
Axis letters: B clips, F mel bands, L frames, N frames of many clips, D of a frame, C features of a window, K tags.
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from msecnn.frontend import MelConfig
from msecnn.models.stages.standardisation import Standardisation
from msecnn.models.table1.patch_tagger import SystemWithoutScales
from msecnn.models.tagging_model import CLIP_S, Mels


def clip_frames(sample_rate: int, hop_length: int) -> int:
    """Frames of a window as long as a clip."""
    return int(CLIP_S * sample_rate / hop_length) + 1


class EncodedTagger(SystemWithoutScales):
    """`encode` is fitted by `fit` and frozen; `hidden` and `classifier` learn.

    Subclasses give `raw_features`, and where they have stages `sample` and `fit_stages`.

    Args:
        n_encoded: C.
        n_hidden: units of each hidden layer; none for a linear classifier.
        dropout: after each hidden layer.
    """

    def __init__(
        self, n_tags: int, front_end: MelConfig, *, n_encoded: int, n_hidden: Sequence[int], dropout: float = 0.0
    ) -> None:
        super().__init__(n_tags, front_end)
        self.standardisation = Standardisation(n_encoded)
        layers: list[nn.Module] = []
        for n_in, n_out in pairwise((n_encoded, *n_hidden)):
            layers += [nn.Linear(n_in, n_out), nn.ReLU(), nn.Dropout(dropout)]
        self.hidden = nn.Sequential(*layers)
        self.classifier = nn.Linear((n_encoded, *n_hidden)[-1], n_tags)

    def forward(self, inputs: Tensor) -> Tensor:
        logits: Tensor = self.classifier(self.hidden(self.encode(inputs)))
        return logits

    def encode(self, inputs: Tensor) -> Tensor:
        """Standardised features (B, C) of windows (B, 1, F, L)."""
        standardised: Tensor = self.standardisation(self.raw_features(inputs))
        return standardised

    def raw_features(self, inputs: Tensor) -> Tensor:
        """Features (B, C) of windows (B, 1, F, L)."""
        raise NotImplementedError

    @torch.no_grad()
    def fit(self, mels: Mels, generator: torch.Generator) -> None:
        self.fit_stages(mels, generator)
        self.standardisation.fit(torch.cat([self.raw_features(batch) for batch in mels()]))

    def fit_stages(self, mels: Mels, generator: torch.Generator) -> None:
        """Fits what `raw_features` is made of; nothing where that has no stages."""

    def learner(self) -> "ClassifierOnFeatures":
        """What learns, on features that were encoded once."""
        return ClassifierOnFeatures(self.hidden, self.classifier)


class ClassifierOnFeatures(nn.Module):
    """The half that learns; its parameters are the system's own.

    Shape:
        - input: (B, 1, C, 1) standardised features
        - output: (B, K) logits
    """

    n_frames = 1

    def __init__(self, hidden: nn.Sequential, classifier: nn.Linear) -> None:
        super().__init__()
        self.hidden, self.classifier = hidden, classifier

    def forward(self, inputs: Tensor) -> Tensor:
        logits: Tensor = self.classifier(self.hidden(inputs.flatten(1)))
        return logits


def drawn_frames(frames: Tensor, n: int, generator: torch.Generator) -> Tensor:
    """At most `n` of frames (N, D), drawn without replacement."""
    return frames[torch.randperm(len(frames), generator=generator)[:n]]
