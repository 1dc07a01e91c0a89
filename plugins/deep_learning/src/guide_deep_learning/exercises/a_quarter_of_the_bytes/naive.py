"""A matrix times a vector."""

import numpy as np


def product(
    weights: np.ndarray, integers: np.ndarray, scales: np.ndarray, x: np.ndarray
) -> np.ndarray:
    """`weights` (rows x columns, float32) times `x`, or nearly: as float32, one for each row.

    `integers` (int8, the same shape) times `scales` (float32, one a row) are the weights, rounded.
    """
    return weights @ x
