"""What every network of this program is to its callers, whichever paper it comes from.

A system without scales says so by an empty `scales`. Callers follow that, never a network's name.
"""

from typing import Any, Protocol

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

    Attributes:
        front_end: of a network on mels, with which it is, or will be, trained; None for one on waveforms.
    """

    front_end: MelConfig | None = None
