"""A matrix of whole numbers times a vector."""

import numba
import numpy as np


@numba.njit(fastmath=True)  # the order of a sum may change: then it is done in vectors
def _dot(row: np.ndarray, x: np.ndarray) -> np.float32:
    total = np.float32(0)
    for j in range(len(row)):
        total += np.float32(row[j]) * x[j]  # one byte comes from memory, and is a float from here
    return total


@numba.njit
def _product(integers: np.ndarray, scales: np.ndarray, x: np.ndarray) -> np.ndarray:
    result = np.empty(len(integers), np.float32)
    for i in range(len(integers)):
        result[i] = scales[i] * _dot(integers[i], x)  # one scale a row: after the sum, once
    return result


def product(
    weights: np.ndarray, integers: np.ndarray, scales: np.ndarray, x: np.ndarray
) -> np.ndarray:
    """`weights` (rows x columns, float32) times `x`, or nearly: as float32, one for each row.

    `integers` (int8, the same shape) times `scales` (float32, one a row) are the weights, rounded.
    """
    return _product(integers, scales, x)
