"""What the networks of Table 1 have in common: mels in dB at the door, no scales, a patch for a window.

Axis letters: B patches, C channels, F mel bands, L frames, K tags.
"""

from typing import Any

import torch.nn.functional as F
from torch import Tensor

from msecnn.frontend import MelConfig, compress
from msecnn.models.tagging_model import InputSpec, TaggingModule

#: The mel of the networks of 2014 to 2018: 16 kHz, frames of 512 samples every 256, log10(1 + 10,000 power).
PATCH_FRAMES = 187  # 2.98 s


def patch_front_end(n_mels: int, n_frames: int = PATCH_FRAMES) -> MelConfig:
    """16 kHz, 512/256, up to 8 kHz, log10(1 + 10,000 power) [musicnn-training and EUSIPCO2017, Pons's code]."""
    return MelConfig(sample_rate=16_000, n_mels=n_mels, f_max=8_000.0, n_frames=n_frames, compression="log10")


def over_frequency(x: Tensor, frames: int = 1) -> Tensor:
    """Maxima (B, C, L // frames) of (B, C, F, L); a pool's gradient is many times cheaper than that of `amax`."""
    return F.max_pool2d(x, (x.shape[2], frames)).squeeze(2)


class SystemWithoutScales(TaggingModule):
    """A system whose logits are no sum of terms of scales.

    Shape:
        - input: (B, 1, F, L) log-mel in dB
        - output: (B, K) logits
    """

    front_end: MelConfig
    scales = ()

    def __init__(self, n_tags: int, front_end: MelConfig) -> None:
        super().__init__()
        self.n_tags = n_tags
        self.front_end = front_end
        self.n_frames = front_end.n_frames
        self.n_features: dict[str, int] = {}

    @property
    def input_spec(self) -> InputSpec:
        return InputSpec.of_mel(self.front_end)

    def features(self, inputs: Tensor) -> dict[str, Tensor]:
        """None: there are no scales to show."""
        return {}

    def compressed(self, inputs: Tensor) -> Tensor:
        """Mels (B, F, L) as the network is meant to see them.

        Raises:
            ValueError: they are not of the front end's size.
        """
        bands, frames = self.front_end.n_mels, self.front_end.n_frames
        if inputs.shape[1:] != (1, bands, frames):
            raise ValueError(f"expected mels (B, 1, {bands}, {frames}), got {tuple(inputs.shape)}")
        return compress(inputs.squeeze(1), self.front_end)

    def parameters_json(self) -> dict[str, Any]:
        return {"n_tags": self.n_tags}
