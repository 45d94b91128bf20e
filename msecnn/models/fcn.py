"""FCN-5: five levels, tags from the last (Choi, Fazekas, Sandler: "Automatic tagging using deep convolutional neural
networks", ISMIR 2016, as reproduced by Hamidi et al. 2019).
"""

from typing import Any

from msecnn.models.layers import MultiScaleCNN
from msecnn.models.registry import register

#: Channels of the five levels [Hamidi et al. 2019, Figure 1; fewer than Choi's own].
CHANNELS = (64, 128, 128, 128, 64)


@register("fcn5")
class FCN5(MultiScaleCNN):
    """Sees the spectrogram through all five levels and tags from the last one's 64 features."""

    architecture = "fcn5"

    def __init__(self, n_tags: int = 50, **parameters: Any) -> None:
        super().__init__(n_tags=n_tags, channels=CHANNELS, scales=(f"level{len(CHANNELS)}",), **parameters)
