"""Shapley values of every maximum, composed through all levels: multipliers of each scale's term, in one pass down.

The chain rule of DeepLIFT (Shrikumar et al., "Learning important features through propagating activation differences",
2017) and DeepSHAP (Lundberg and Lee, 2017), with an exact rule for each step. A clip and a reference go up; then a
*multiplier*, how much of a term's change a cell answers for, per unit of the cell's own change, goes down:

- a convolution, its batch normalisation folded in, is linear and passes its weights, like a gradient;
- an ELU passes its secant `(elu(z) - elu(z0)) / (z - z0)`;
- a maximum, of a pooling or of a whole map, passes each input's Shapley value over that input's own change.

The last two in one: the Shapley value, of the values after the ELU, over the change before it. It lies between 0 and 1,
for a Shapley value is never larger than the change it belongs to, and an ELU's slope never above 1. A cell that is as
in the reference changes nothing and passes nothing on.

Multiplied by what changed in the spectrogram, the multipliers of a term add up to its change, whatever the reference:
each rule keeps the sum. It is a composition: *not* the Shapley values of the whole network as a game of its cells.

Axis letters: S scales, C channels of a level, F bands, L frames, N rows (each a scale's multipliers), n pooled cells.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from msecnn.models.conv_pool import padded_input_gradient
from msecnn.models.fast.folded import FoldedNetwork, conv_maps
from msecnn.models.fast.shapley_maximum import shapley_values
from msecnn.models.layers import INPUT

_SUM = "sum"


@dataclass(frozen=True)
class _Part:
    """A stretch of frames of one level: one of level 1's strips, or all frames of another level.

    Attributes:
        start: the column of the level's input, counted with its cell of padding, where it begins.
        multipliers: (rows, pool, columns, pool, C) of each cell of the convolution's map.
    """

    start: int
    multipliers: Tensor


@dataclass(frozen=True)
class _Level:
    """What the way down needs of a level.

    Attributes:
        weight: its filters.
        size: rows and columns of its input.
        output: (2, C, rows, columns) of clip and reference.
        parts: that it was made in.
    """

    weight: Tensor
    size: tuple[int, int]
    output: Tensor
    parts: tuple[_Part, ...]


@torch.no_grad()
def shapley_multipliers(
    network: FoldedNetwork, mel: Tensor, reference: Tensor, weights: Mapping[str, Tensor]
) -> Tensor:
    """Multipliers of the terms `features[scale] @ weights[scale]`, and of their sum.

    Args:
        network: in float32.
        mel: (1, 1, F, L) log-mel in dB.
        reference: the same of what stands for "nothing there".
        weights: (C,) for each of S scales.

    Returns:
        (S + 1, F, L) of the logit per dB, the last of the sum, found on a way of its own: the others add up to it.
        Times `mel - reference` they add up to each term's change.
    """
    normalised = network.normalise(torch.cat([mel, reference]))
    levels = _upwards(network, normalised, weights)
    rows: dict[str, Tensor] = {}  # multipliers (1, C, rows, columns) of a level's output, by the scale they belong to
    for name in reversed((INPUT, *levels)):
        if name in weights:
            level_map = levels[name].output if name in levels else normalised
            rows[name] = _of_global_maximum(level_map, weights[name], network.receptive_crop[name])
            if len(weights) > 1:
                rows[_SUM] = rows[_SUM] + rows[name] if _SUM in rows else rows[name]
        if name in levels:
            rows = dict(zip(rows, _downwards(levels[name], torch.cat([*rows.values()])).split(1), strict=True))
    order = (*weights, _SUM) if len(weights) > 1 else 2 * tuple(weights)
    return torch.cat([rows[scale] for scale in order])[:, 0] * network.input_scale


def _upwards(network: FoldedNetwork, x: Tensor, weights: Mapping[str, Tensor]) -> dict[str, _Level]:
    levels = {}
    for name, weight, bias, pool in network.levels(weights):
        size = (x.shape[2], x.shape[3])
        parts, outputs = [], []
        for start, conv_map in conv_maps(x, weight, bias, pool):
            output, multipliers = _pool(conv_map, pool)
            parts.append(_Part(start, multipliers))
            outputs.append(output)
        x = torch.cat(outputs, dim=3)
        levels[name] = _Level(weight, size, x, tuple(parts))
    return levels


def _pool(conv_map: Tensor, pool: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """ELU and maximum of a convolution's map (2, C, F, L), and the multipliers of its cells; see `_Part`."""
    _, _, n_rows, n_columns = conv_map.shape
    rows, columns = n_rows // pool[0], n_columns // pool[1]
    cells = conv_map[..., : rows * pool[0], : columns * pool[1]].permute(0, 2, 3, 1)
    cells = cells.unflatten(2, (columns, pool[1])).unflatten(1, (rows, pool[0]))  # (2, rows, pool, columns, pool, C)
    cells = cells.permute(0, 2, 4, 1, 3, 5).flatten(1, 2)  # (2, n, rows, columns, C)
    values = F.elu(cells)
    multipliers = _over_change(shapley_values(*values), *cells)
    multipliers = multipliers.unflatten(0, pool).permute(2, 0, 3, 1, 4).contiguous()
    return values.amax(1).permute(0, 3, 1, 2), multipliers


def _of_global_maximum(level_map: Tensor, weights: Tensor, crop: tuple[int, int]) -> Tensor:
    """(1, C, rows, columns): each channel's weight, shared by the cells of a map (2, C, rows, columns)."""
    cells = level_map[..., : crop[0], : crop[1]].flatten(2).transpose(1, 2)  # (2, n, C)
    multipliers = _over_change(shapley_values(*cells).float(), *cells) * weights
    rows = torch.zeros_like(level_map[:1])
    rows[..., : crop[0], : crop[1]] = multipliers.T.unflatten(1, crop)
    return rows


def _over_change(values: Tensor, cells: Tensor, reference_cells: Tensor) -> Tensor:
    """Shapley values per unit of change; what rounding may put beyond 0 and 1 is cut off."""
    change = cells - reference_cells
    return torch.where(change == 0, 0, values / change).clamp_(0, 1)


def _downwards(level: _Level, rows: Tensor) -> Tensor:
    """From the multipliers of a level's output (N, C, rows, columns) to those of its input."""
    n_channels = level.weight.shape[1]
    padded = rows.new_zeros(len(rows), level.size[0] + 2, level.size[1] + 2, n_channels).permute(0, 3, 1, 2)
    widths = [part.multipliers.shape[2] for part in level.parts]
    for part, stretch in zip(level.parts, rows.split(widths, dim=3), strict=True):
        for row, below in zip(stretch.split(1), padded.split(1), strict=True):
            spread = part.multipliers * row.permute(0, 2, 3, 1)[:, :, None, :, None]
            spread = spread.flatten(3, 4).flatten(1, 2).permute(0, 3, 1, 2)  # (1, C, rows, columns) before the pooling
            weight = level.weight
            found = padded_input_gradient(spread, weight) if n_channels == 1 else F.conv_transpose2d(spread, weight)
            below[..., : found.shape[-2], part.start : part.start + found.shape[-1]] += found
    return padded[..., 1:-1, 1:-1]
