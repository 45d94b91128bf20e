"""What every network of this program is to its callers, whichever paper it comes from.

A system without scales says so by an empty `scales`. Callers follow that, never a network's name.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from msecnn.frontend import InputSpec, MelConfig


class TaggingModel(Protocol):
    """Input to logits, and to the features between, where a linear classifier makes the logits of them.

    Attributes:
        architecture: the name in the registry.
        scales: S names, in the order in which the classifier concatenates their features; empty for a system whose
            logits are not such a sum.
        n_features: C of each scale.
        classifier: (K, sum of C) where there are scales.
    """

    architecture: str
    scales: tuple[str, ...]
    n_features: dict[str, int]
    classifier: nn.Linear

    @property
    def input_spec(self) -> InputSpec:
        """What `forward` and `features` take."""
        ...

    def forward(self, inputs: Tensor) -> Tensor:
        """Logits (B, K)."""
        ...

    def features(self, inputs: Tensor) -> dict[str, Tensor]:
        """For each scale (B, C), what the classifier sees of it."""
        ...

    def parameters_json(self) -> dict[str, Any]:
        """What `registry.create` needs to build this network again."""
        ...


class TaggingModule(nn.Module, TaggingModel):
    """A `TaggingModel` with weights: what the registry makes and a checkpoint holds.

    A network whose window is a patch, shorter than a clip, tags a clip by the mean probability of its patches, side by
    side: so does the tagger, and so does validation. In training a patch is taken at random.

    Attributes:
        front_end: of a network on mels, with which it is, or will be, trained; None for one on waveforms.
        differences: sentences on where it leaves its paper, for its card.
    """

    front_end: MelConfig | None = None
    differences: tuple[str, ...] = ()

    @property
    def clip_front_end(self) -> MelConfig:
        """The front end that makes what training keeps of a clip: the network's own mels in dB, a clip long."""
        config = self.front_end
        assert config is not None
        n_frames = int(CLIP_S * config.frames_per_s + FRAME_TOLERANCE) + 1  # of centred frames, one more than hops
        return replace(
            config, n_frames=max(config.n_frames, n_frames), compression=MelConfig.compression, gain=MelConfig.gain
        )

    def fit(self, mels: "Mels", generator: torch.Generator) -> None:
        """Sets what is fitted to the training clips before gradient descent begins; most networks have nothing such.

        Args:
            mels: called, gives all training clips' mels in dB, (B, 1, F, L) at a time, a clip long, always the same.
            generator: of all that is drawn.
        """


#: What `fit` sees.
Mels = Callable[[], Iterable[Tensor]]
#: Seconds of a clip: 29.12 are 1,366 frames of 256 samples at 12 kHz, as much of MagnaTagATune's as fills whole frames.
CLIP_S = 29.12
#: 29.12 s are 1,365 hops but for rounding.
FRAME_TOLERANCE = 1e-6
