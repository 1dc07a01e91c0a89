"""Sum a matrix the way it lies in memory."""

import numpy as np


def total(matrix: np.ndarray) -> float:
    """The sum of all numbers in `matrix`, which is rows x columns of float64."""
    result = 0.0
    for row in matrix:  # a row's numbers are neighbours: each line that is fetched is used whole
        result += row.sum()
    return float(result)
