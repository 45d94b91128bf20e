"""Maps in which few cells say anything, drawn so that these can be seen."""

import numpy as np

#: A map that is silent about all but this share of its cells is drawn with each of them thickened, to be seen at all.
SPARSE = 0.05


def is_sparse(values: np.ndarray) -> bool:
    """Whether a map says something of few cells only."""
    return bool(np.count_nonzero(values) < SPARSE * values.size)


def thicken(values: np.ndarray) -> np.ndarray:
    """Draws each cell over its eight neighbours where it is further from zero than they are.

    Shape:
        - values, output: (F, L)
    """
    rows, columns = values.shape
    padded = np.pad(values, 1)
    shifts = [padded[i : i + rows, j : j + columns] for i in range(3) for j in range(3)]
    stacked = np.stack(shifts)
    return np.take_along_axis(stacked, np.abs(stacked).argmax(0)[None], 0)[0]
