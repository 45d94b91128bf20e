"""The gradient of each scale's term with respect to the spectrogram, all from one forward pass of the fast network.

Autograd would walk the whole network back once for every scale, through maps of which pooling kept an eighth. Here a
term's gradient, at its own level zero but at the winning cells, is followed from cell to cell there, and level 1 goes
through in strips that fit a cache, as on the way up.

Axis letters: S scales, C channels of a level, F bands, L frames.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from msecnn.models.conv_pool import padded_input_gradient
from msecnn.models.fast.folded import FoldedNetwork, conv_maps
from msecnn.models.layers import INPUT

#: A gradient is followed cell by cell if less than this share of it is not zero: about where both ways take as long.
SPARSE = 1 / 50
_SUM = "sum"
_SIDE = 3  # of the filters


@dataclass(frozen=True)
class _Part:
    """A stretch of frames of one level: one of level 1's strips, or all frames of another level.

    Attributes:
        start: the column of the level's input, counted with its cell of padding, where it begins.
        n_columns: of the convolution's map over it.
        winners: (1, C, rows, columns) which cell of that map each pooled cell comes from.
        won: (1, rows, pool, columns, pool, C) one for each cell of that map that won, zero for the others.
    """

    start: int
    n_columns: int
    winners: Tensor
    won: Tensor


@dataclass(frozen=True)
class _Level:
    """What the way back needs of a level.

    Attributes:
        weight: its filters.
        size: rows and columns of its input.
        output: (1, C, rows, columns).
        slope: the same of the ELU that made the output.
        parts: that it was made in.
    """

    weight: Tensor
    size: tuple[int, int]
    output: Tensor
    slope: Tensor
    parts: tuple[_Part, ...]


@torch.no_grad()
def scale_gradients(network: FoldedNetwork, mel: Tensor, weights: Mapping[str, Tensor]) -> Tensor:
    """Gradients of the terms `features[scale] @ weights[scale]`, and of their sum.

    Args:
        network: in float32.
        mel: (1, 1, F, L) log-mel in dB.
        weights: (C,) for each of S scales.

    Returns:
        (S + 1, F, L), the last the gradient of the sum, found on a way of its own: the others add up to it.
    """
    normalised = network.normalise(mel)
    levels = _upwards(network, normalised, weights)
    rows: dict[str, Tensor] = {}  # gradients with respect to a level's output, by the scale whose term they are of
    for name in reversed((INPUT, *levels)):
        if name in weights:
            level_map = levels[name].output if name in levels else normalised
            rows[name] = _at_winners(level_map, weights[name], network.receptive_crop[name])
            if len(weights) > 1:
                rows[_SUM] = rows[_SUM] + rows[name] if _SUM in rows else rows[name]
        if name in levels:
            rows = {scale: _downwards(levels[name], row) for scale, row in rows.items()}
    order = (*weights, _SUM) if len(weights) > 1 else 2 * tuple(weights)
    return torch.cat([rows[scale] for scale in order], dim=1)[0] * network.input_scale


def _upwards(network: FoldedNetwork, x: Tensor, weights: Mapping[str, Tensor]) -> dict[str, _Level]:
    levels = {}
    for name, weight, bias, pool in network.levels(weights):
        size = (x.shape[2], x.shape[3])
        parts, outputs = [], []
        for start, conv_map in conv_maps(x, weight, bias, pool):
            output, winners = F.max_pool2d(conv_map, pool, return_indices=True)
            parts.append(_Part(start, conv_map.shape[3], winners, _won(winners, pool, conv_map.shape[3])))
            outputs.append(output)
        x = F.elu_(torch.cat(outputs, dim=3))
        slope = torch.where(x > 0, 1, x + 1)  # of ELU, told by its value
        levels[name] = _Level(weight, size, x, slope, tuple(parts))
    return levels


def _won(winners: Tensor, pool: tuple[int, int], n_columns: int) -> Tensor:
    """One for each cell of a convolution's map that won its pool, as `_Part.won` lays them out.

    Pooled cell (r, s) looks at the map's cells (r p + a, s q + b), a < p, b < q, whose numbers are (r p + a) n_columns
    + s q + b. Seen as an array over (r, a, s, b), with the channel last, the map's numbers stand beside the winner's
    of (r, s), repeated over a and b: they are equal where the cell won.
    """
    rows, columns = winners.shape[2] * pool[0], winners.shape[3] * pool[1]
    cells = torch.arange(rows, dtype=torch.int32)[:, None] * n_columns + torch.arange(columns, dtype=torch.int32)
    cells = cells.view(1, -1, pool[0], winners.shape[3], pool[1], 1).to(winners.device)
    return (cells == winners.int().permute(0, 2, 3, 1)[:, :, None, :, None]).float()


def _at_winners(level_map: Tensor, weights: Tensor, crop: tuple[int, int]) -> Tensor:
    """(1, C, rows, columns): each channel's weight at its largest cell, nothing elsewhere."""
    _, cells = F.max_pool2d(level_map, crop, return_indices=True)
    gradient = torch.zeros_like(level_map, memory_format=torch.contiguous_format)
    gradient.flatten(2).scatter_(2, cells.flatten(2), weights[None, :, None])
    return gradient


def _downwards(level: _Level, gradient: Tensor) -> Tensor:
    """From the gradient of a level's output to that of its input (1, C, rows, columns)."""
    gradient = gradient * level.slope
    n_channels = level.weight.shape[1]
    padded = gradient.new_zeros(1, level.size[0] + 2, level.size[1] + 2, n_channels).permute(0, 3, 1, 2)
    follow = _cell_by_cell if int(gradient.count_nonzero()) < SPARSE * gradient.numel() else _all_cells
    widths = [part.winners.shape[3] for part in level.parts]
    for part, stretch in zip(level.parts, gradient.split(widths, dim=3), strict=True):
        follow(padded, level.weight, part, stretch)
    return padded[..., 1:-1, 1:-1]


def _all_cells(padded: Tensor, weight: Tensor, part: _Part, gradient: Tensor) -> None:
    """Spreads each pooled cell's gradient to the cell that won, and takes the convolution's transpose of the whole."""
    spread = part.won * gradient.permute(0, 2, 3, 1)[:, :, None, :, None]
    spread = spread.flatten(3, 4).flatten(1, 2).permute(0, 3, 1, 2)  # (1, C, rows, columns) of the convolution's map
    found = padded_input_gradient(spread, weight) if weight.shape[1] == 1 else F.conv_transpose2d(spread, weight)
    padded[..., : found.shape[-2], part.start : part.start + found.shape[-1]] += found


def _cell_by_cell(padded: Tensor, weight: Tensor, part: _Part, gradient: Tensor) -> None:
    """The same for a gradient of few cells: each adds its filter around the place where it won.

    With output channel c, pooled cell (r, s) and input channel k, and z the convolution's map before pooling:

        z[c, i, j] = b[c] + Σ over k, u, v of W[c, k, u, v] x̂[k, i+u, j+v]
        y[c, r, s] = ELU(the largest z[c, i, j] of the pool's cells)

    where x̂ is the input with one cell of padding around it, and u, v run over 0, 1, 2. The maximum passes its gradient
    g[c, r, s] (already times the slope of the ELU) to the one cell (i, j) that won, and to no other. So

        ∂/∂x̂[k, i+u, j+v]  gets  g[c, r, s] · W[c, k, u, v]     for the nine (u, v) and all k,

    and the gradient of x̂ is the sum of such 3 x 3 stamps, one for each of the N cells where g is not zero. A winner is
    numbered n = i · (columns of the part's map) + j. In x̂, whose rows have `n_columns` cells, its stamp begins at

        first = i · n_columns + j + start,    and covers    first + u · n_columns + v.

    `index_add_` sums the stamps that overlap. It costs 9 N C products, where the convolution's transpose costs 9 C for
    each output channel and each cell of z.
    """
    n_columns = padded.shape[3]
    channel, row, column = gradient[0].nonzero(as_tuple=True)  # (N,) each
    winner = part.winners[0, channel, row, column]  # (N,)
    first = winner // part.n_columns * n_columns + winner % part.n_columns + part.start  # (N,)
    side = torch.arange(_SIDE, device=gradient.device)
    around = (side[:, None] * n_columns + side).flatten()  # (9,)
    stamps = gradient[0, channel, row, column, None, None] * weight[channel].flatten(2).transpose(1, 2)  # (N, 9, C)
    cells = padded[0].permute(1, 2, 0).flatten(0, 1)  # (cells of the padded input, C), a view
    cells.index_add_(0, (first[:, None] + around).flatten(), stamps.flatten(0, 1))
