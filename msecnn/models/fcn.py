"""FCN-5: five levels, tags from the last (Choi, Fazekas, Sandler: "Automatic tagging using deep convolutional neural
networks", ISMIR 2016, as reproduced by Hamidi et al. 2019).
"""

from typing import Any

from msecnn.models.layers import MultiScaleCNN
from msecnn.models.registry import register
from msecnn.models.structure import CHANNELS, CHANNELS_513


@register("fcn5")
class FCN5(MultiScaleCNN):
    """Sees the spectrogram through all five levels and tags from the last one's 64 features."""

    architecture = "fcn5"
    channels = CHANNELS

    def __init__(self, n_tags: int = 50, **parameters: Any) -> None:
        scales = (f"level{len(self.channels)}",)
        super().__init__(n_tags=n_tags, channels=self.channels, scales=scales, **parameters)


@register("fcn5_513")
class FCN5Wide(FCN5):
    """FCN-5 whose classifier is as wide as MsE-CNN's; nobody's network but a control of docs/skips.md."""

    architecture = "fcn5_513"
    channels = CHANNELS_513
