"""A formula, read once and written once."""

import math

import numba
import numpy as np


@numba.njit
def shade(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    """`sqrt(max(a * b + c - 0.5, 0)) * 2 + a` of each."""
    out = np.empty_like(a)
    for i in range(a.size):
        inside = a[i] * b[i] + c[i] - 0.5
        # max(..., 0.0) after the test: no branch is left, and the loop is done in vectors
        out[i] = math.sqrt(inside if inside > 0.0 else 0.0) * 2.0 + a[i]
    return out
