"""The fast network on copies of one spectrogram that differ in a few frames: only what those frames reach is computed.

Axis letters: F mel bands, L frames, C channels of a level.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from msecnn.models.fast.folded import FoldedNetwork, channels_last
from msecnn.models.layers import INPUT


class IncrementalNetwork:
    """Features of copies of a spectrogram; the frames that differ are computed and put between those already known.

    Args:
        network: the fast form of a network.
        mel: (1, 1, F, L) the original.
    """

    def __init__(self, network: FoldedNetwork, mel: Tensor) -> None:
        self.network, self.mel = network, mel
        self.maps = {INPUT: network.normalise(mel)}
        self._compute(self.maps, (0, mel.shape[3]))

    @torch.no_grad()
    def features(self, mel: Tensor) -> dict[str, Tensor]:
        """For each scale its (1, C) global maxima of a copy (1, 1, F, L)."""
        changed = (mel != self.mel).any(2).flatten().nonzero().flatten()
        maps = {INPUT: self.network.normalise(mel)}
        self._compute(maps, (int(changed[0]), int(changed[-1]) + 1) if len(changed) else (0, 0))
        return {scale: self.network.global_max(scale, maps[scale]) for scale in self.network.scales}

    def _compute(self, maps: dict[str, Tensor], columns: tuple[int, int]) -> None:
        """Each level's map, computed where the changed columns of the one below reach, copied elsewhere.

        A 3 x 3 filter spreads a change in columns [a, b) of its input to [a-1, b+1) of its map, and pooling by q takes
        those into the pooled columns [(a-1) // q, b // q + 1). To compute the pooled columns [f, e), the map's columns
        [f q, e q) are needed, and one more of the input on each side: [f q - 1, e q + 1), with zeros beyond its edges.
        """
        x = maps[INPUT]
        for name, weight, bias, pool in self.network.levels(self.network.scales):
            n_columns = x.shape[3] // pool[1]
            first = min(max(columns[0] - 1, 0) // pool[1], n_columns - 1)  # of the pooled columns that they reach
            end = min(columns[1] // pool[1] + 1, n_columns)
            left, right = first * pool[1] - 1, end * pool[1] + 1
            seen = F.pad(x[..., max(left, 0) : right], (max(-left, 0), max(right - x.shape[3], 0), 1, 1))
            computed = F.elu_(F.max_pool2d(F.conv2d(channels_last(seen), weight, bias), pool))
            x = maps[name] = _put(computed, self.maps.get(name), first)
            columns = first, end


def _put(part: Tensor, known: Tensor | None, first: int) -> Tensor:
    if known is None:
        return part
    spliced = known.clone()
    spliced[..., first : first + part.shape[3]] = part
    return spliced
