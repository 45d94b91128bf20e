"""The sigmoid and ranks against torch and the literal definition."""

import numpy as np
import pytest
import torch

from msecnn.statistics import mean_ranks, sigmoid


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_sigmoid_is_torchs_in_its_precision_and_overflows_nowhere(dtype: type) -> None:
    logits = np.array([[-1e30, -1000, -20, -1e-3, 0], [1e-3, 3, 20, 1000, 1e30]], dtype)
    with np.errstate(over="raise"):
        probabilities = sigmoid(logits)
    assert probabilities.dtype == dtype
    np.testing.assert_allclose(probabilities, torch.from_numpy(logits).sigmoid().numpy(), rtol=1e-6, atol=1e-34)


def test_equal_values_share_the_mean_of_their_ranks() -> None:
    values = np.array([[3.0, 1.0, 3.0], [7.0, 3.0, -2.0]])
    expected = [np.mean(np.flatnonzero(np.sort(values.ravel()) == value)) for value in values.ravel()]
    assert mean_ranks(values).tolist() == expected == [3, 1, 3, 5, 3, 0]
