"""What numpy does when it is simply asked."""

import numpy as np


def total(matrix: np.ndarray) -> float:
    """The sum of all numbers in `matrix`."""
    return float(matrix.sum())
