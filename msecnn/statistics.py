"""The sigmoid and ranks: formulas of a line or two on which several layers must agree."""

import numpy as np

#: A logit beyond this is as good as certain, and its exponential still a float32.
_LARGEST_LOGIT = 80.0


def sigmoid(logits: np.ndarray | np.float64) -> np.ndarray:
    """Probabilities of logits of any shape, in their precision, without overflow."""
    probabilities: np.ndarray = 1 / (1 + np.exp(-np.clip(logits, -_LARGEST_LOGIT, _LARGEST_LOGIT)))
    return probabilities


def mean_ranks(values: np.ndarray) -> np.ndarray:
    """(N,) ranks from 0 to N - 1 of N values of any shape; equal values share the mean of theirs.

    Below the j-th of the distinct values, in order, lie as many values as its predecessors have together. Its own n
    take the next n ranks, whose mean is that number plus (n - 1) / 2, or the sum up to its own end less (n + 1) / 2.
    """
    _, block, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks: np.ndarray = (np.cumsum(counts) - (counts + 1) / 2)[block.ravel()]
    return ranks
