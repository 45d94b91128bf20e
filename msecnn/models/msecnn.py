"""MsE-CNN: every level reaches the classifier (Hamidi et al., "Multi-scale Embedded CNN for Music Tagging", 2019).

Figure 1: beside FCN-5's path a second one starts from the normalised input. It is only max-pooled, and at each level
that level's output is concatenated to it, 1 - 65 - 193 - 321 - 449 - 513 channels. The convolutions never see it.
"""

from typing import Any

from msecnn.models.layers import INPUT, MultiScaleCNN
from msecnn.models.registry import register
from msecnn.models.structure import CHANNELS, WIDE_CHANNELS


@register("msecnn")
class MsECNN(MultiScaleCNN):
    """The network of Figure 1: 513 features, from the input's single maximum to the 64 of level 5."""

    architecture = "msecnn"
    channels = CHANNELS

    def __init__(self, n_tags: int = 50, **parameters: Any) -> None:
        scales = (INPUT, *(f"level{i}" for i in range(1, len(self.channels) + 1)))
        super().__init__(n_tags=n_tags, channels=self.channels, scales=scales, **parameters)


@register("msecnn_wide")
class MsECNNWide(MsECNN):
    """The network of the authors' code: 1,985 features."""

    architecture = "msecnn_wide"
    channels = WIDE_CHANNELS
