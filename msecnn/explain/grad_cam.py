"""Grad-CAM of each scale (Selvaraju et al. 2017), by Captum's `LayerGradCam` on the network as the paper draws it.

Axis letters: B clips, S scales, F mel bands, L frames, C channels of a scale.
"""

import math
from collections.abc import Sequence
from typing import cast

import torch
from captum.attr import LayerGradCam
from torch import Tensor, nn

from msecnn.explain.progress import Steps
from msecnn.explain.scale_terms import ScaleTerms
from msecnn.models.layers import ConvLevel, MultiScaleCNN
from msecnn.models.lock import MODEL_LOCK


class LiteralTerm(nn.Module):
    """One scale's term by the network as it stands, for a method that watches the layers.

    Shape:
        - input: (B, 1, F, L) log-mel in dB
        - output: (B,)
    """

    def __init__(self, model: MultiScaleCNN, tag_index: int, scale: str) -> None:
        super().__init__()
        self.model, self.scale = model, scale
        self.normalised = nn.Identity()  # the input's map, as a layer to watch
        self.levels = cast(list[ConvLevel], list(model.levels))[: model.maps.index(scale)]
        self.weight = ScaleTerms(model, tag_index, (scale,)).weights[scale]

    def forward(self, mel: Tensor) -> Tensor:
        x = self.normalised(self.model.input_norm(mel.transpose(1, 2)).transpose(1, 2).contiguous())  # (B, 1, F, L)
        for level in self.levels:
            x = level(x)
        return self.model.global_max(self.scale, x) @ self.weight

    @property
    def layer(self) -> nn.Module:
        """The module whose output is the scale's map."""
        return self.levels[-1] if self.levels else self.normalised


def grad_cam(model: MultiScaleCNN, x: Tensor, tag_index: int, scales: Sequence[str], steps: Steps) -> Tensor:
    """Each scale's own map, its channels weighted by their mean gradient: (S, F, L), each cell drawn over its block."""
    maps = []
    for scale in scales:
        term = LiteralTerm(model, tag_index, scale)
        with MODEL_LOCK:  # Captum hangs its hooks on the shared model
            cam = LayerGradCam(term, term.layer).attribute(x.requires_grad_())
        pools = model.pools[: model.maps.index(scale)]
        block = math.prod(pool[0] for pool in pools), math.prod(pool[1] for pool in pools)
        maps.append(_draw_blocks(cam.detach()[0, 0], model.receptive_crop[scale], block, x.shape[-2:]))
    steps.step()
    return torch.stack(maps)


def _draw_blocks(cam: Tensor, crop: tuple[int, int], block: tuple[int, int], shape: torch.Size) -> Tensor:
    """Every cell of a map over the mel cells that were pooled into it; nothing where the map is cropped."""
    drawn = cam[: crop[0], : crop[1]].repeat_interleave(block[0], 0).repeat_interleave(block[1], 1)
    return nn.functional.pad(drawn, (0, shape[1] - drawn.shape[1], 0, shape[0] - drawn.shape[0]))
