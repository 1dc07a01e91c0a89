"""Sum a matrix. Right, and against the grain."""

import numpy as np


def total(matrix: np.ndarray) -> float:
    """The sum of all numbers in `matrix`, which is rows x columns of float64."""
    columns = matrix.shape[1]
    result = 0.0
    for j in range(columns):
        result += matrix[:, j].sum()
    return float(result)
