"""How few cells hold a map: sparseness and complexity, by the formulas that Quantus uses.

Sparseness (Chalasani et al., "Concise explanations of neural networks using adversarial training", 2020) is the Gini
index of the map without its signs; complexity (Bhatt et al., "Evaluating and aggregating feature-based model
explanations", 2020) the entropy of each cell's share of it.
"""

import numpy as np


def sparseness(attribution: np.ndarray) -> float:
    """0 where all cells are alike, towards 1 where one cell holds all; 0 of an empty map."""
    values = np.sort(np.abs(attribution).astype(np.float64).ravel())
    n, total = len(values), values.sum()
    return float((2 * np.arange(1, n + 1) - n - 1) @ values / (n * total)) if total else 0.0


def complexity(attribution: np.ndarray) -> float:
    """In nats: 0 where one cell holds all, log of the number of cells where all are alike; 0 of an empty map."""
    values = np.abs(attribution).astype(np.float64).ravel()
    shares = values[values > 0] / (values.sum() or 1.0)
    return float(-(shares * np.log(shares)).sum())
