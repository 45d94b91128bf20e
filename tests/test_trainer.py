"""The trainer: what it computes, what it survives, and what it says when it cannot go on."""

import pytest
import torch
from torch import nn

from msecnn.models import registry
from msecnn.models.conv_pool import conv_max_pool


@pytest.mark.parametrize("frames", [40, 43])  # 43: pooling drops the last three
def test_conv_max_pool_has_the_values_and_gradients_of_its_two_steps(frames: int) -> None:
    torch.manual_seed(0)
    conv, pool = nn.Conv2d(1, 8, 3, padding=1), nn.MaxPool2d((2, 4))
    mels = torch.randn(3, 1, 12, frames, requires_grad=True)
    expected, actual = pool(conv(mels)), conv_max_pool(mels, conv, pool)
    torch.testing.assert_close(actual, expected)
    upstream = torch.randn_like(expected)
    wanted = (mels, conv.weight, conv.bias)
    for got, want in zip(
        torch.autograd.grad(actual, wanted, upstream), torch.autograd.grad(expected, wanted, upstream), strict=True
    ):
        torch.testing.assert_close(got, want, rtol=1e-4, atol=1e-5)  # float32 sums over 500 cells in another order


@pytest.mark.parametrize("name", ["fcn5", "msecnn"])
def test_training_pools_first_and_is_the_literal_network_in_evaluation(name: str) -> None:
    torch.manual_seed(0)
    fast = registry.create(name, 5, order="pool_first")
    mels = torch.randn(2, 1, 96, 1366) * 15 - 40
    fast.train()(mels).sum().backward()  # sets running statistics
    literal = registry.create(name, 5)
    literal.load_state_dict(fast.state_dict())
    with torch.no_grad():
        torch.testing.assert_close(fast.eval()(mels), literal.eval()(mels), rtol=1e-4, atol=1e-4)
