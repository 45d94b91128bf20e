"""Convolution of a one-channel map and max-pooling as one differentiable step: the same values in less time and memory.

The first level's convolution makes the largest map of the network, 64 x 96 x 1366, of which pooling keeps an eighth.
Here it is made and pooled clip by clip, and is not kept for the backward pass. The gradient of a one-channel input is
one matrix product and nine shifted sums, where the general routine runs far below its usual speed. For training on a
CPU.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_SIDE = 3  # of the filters


class ConvMaxPool(torch.autograd.Function):
    """`max_pool2d(conv2d(x, weight, bias, padding=1), pool)` for 3x3 filters and one input channel.

    Shape:
        - x: (B, 1, F, L)
        - weight: (C, 1, 3, 3), bias: (C,), both of x's type
        - output: (B, C, F // pool[0], L // pool[1]), channels last
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, pool: tuple[int, int]) -> Tensor:
        shape = (len(x), len(weight), x.shape[2] // pool[0], x.shape[3] // pool[1])
        pooled = torch.empty(shape, dtype=x.dtype, memory_format=torch.channels_last)
        winners = torch.empty(shape, dtype=torch.int64, memory_format=torch.channels_last)
        for clip, values, indices in zip(_clips(x), pooled.split(1), winners.split(1), strict=True):
            conv_map = F.conv2d(clip, weight, bias, padding=1)  # (1, C, F, L)
            torch.ops.aten.max_pool2d_with_indices.out(conv_map, pool, pool, out=values, indices=indices)
        ctx.save_for_backward(x, weight, winners)
        ctx.pool = pool
        return pooled

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, winners = ctx.saved_tensors
        gradient = gradient.contiguous(memory_format=torch.channels_last)
        # of the convolution's output the backward pass wants to know the shape and strides only
        layout = torch.empty(1, len(weight), *x.shape[2:], dtype=x.dtype, memory_format=torch.channels_last)
        x_gradient = torch.empty_like(x) if ctx.needs_input_grad[0] else None
        weight_gradient = torch.zeros_like(weight, dtype=torch.float32)
        for index, (clip, part, indices) in enumerate(zip(_clips(x), gradient.split(1), winners.split(1), strict=True)):
            spread = torch.ops.aten.max_pool2d_with_indices_backward(
                part, layout, ctx.pool, ctx.pool, (0, 0), (1, 1), False, indices
            )  # (1, C, F, L), zero but at the winners
            weight_gradient += torch.ops.aten.convolution_backward(
                spread, clip, weight, None, (1, 1), (1, 1), (1, 1), False, (0, 0), 1, (False, True, False)
            )[1]
            if x_gradient is not None:
                x_gradient[index, 0] = padded_input_gradient(spread, weight)[1:-1, 1:-1]
        bias_gradient = gradient.sum((0, 2, 3), dtype=torch.float32)
        return x_gradient, weight_gradient.to(weight.dtype), bias_gradient.to(weight.dtype), None


def conv_max_pool(x: Tensor, conv: nn.Conv2d, pool: nn.MaxPool2d) -> Tensor:
    """`pool(conv(x))` by way of `ConvMaxPool`, in autocast's type where autocast is on."""
    dtype = torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else x.dtype
    weight, bias = conv.weight.to(dtype), conv_bias(conv).to(dtype)
    return ConvMaxPool.apply(x.to(dtype), weight, bias, pool.kernel_size)


def conv_bias(conv: nn.Conv2d) -> Tensor:
    """(C,) of a convolution that has one, as all of ours do."""
    assert conv.bias is not None
    return conv.bias


def _clips(x: Tensor) -> tuple[Tensor, ...]:
    """Each clip (1, 1, F, L) with the strides of channels last, which one channel leaves open and torch then misses."""
    height, width = x.shape[2:]
    x = x.contiguous()
    return tuple(clip.as_strided((1, 1, height, width), (height * width, 1, width, 1)) for clip in x.split(1))


def padded_input_gradient(spread: Tensor, weight: Tensor) -> Tensor:
    """Each cell's share in its nine neighbours: the gradient of a one-channel map with a cell of padding all around.

    The convolution is z[c, i, j] = Σ over u, v of W[c, u, v] x̂[i+u, j+v], so what g, the gradient of z, gives to a cell
    of x̂ is Σ over c, u, v of W[c, u, v] g[c, m-u, n-v]. The sum over c does not depend on where it is needed: for all
    nine (u, v) at once it is one matrix product, Wᵀ (9, C) times g (C, F L). The sum over u, v then adds the nine maps
    that came out, each moved by its own (u, v).

    Args:
        spread: (1, C, F, L) gradient of the convolution's output.
        weight: (C, 1, 3, 3).

    Returns:
        (F + 2, L + 2)
    """
    height, width = spread.shape[2:]
    taps = weight.flatten(1).T @ spread.permute(0, 2, 3, 1).reshape(-1, len(weight)).T  # (9, F * L)
    taps = taps.view(_SIDE, _SIDE, height, width)
    total = torch.zeros(height + 2, width + 2, device=spread.device)
    for row in range(_SIDE):
        for column in range(_SIDE):
            total[row : row + height, column : column + width] += taps[row, column]
    return total
