"""Add up many numbers, one after the other, with digits to spare."""

import numpy as np


def total(values: np.ndarray) -> float:
    """The sum of `values`, an array of float32."""
    return float(np.cumsum(values, dtype=np.float64)[-1]) if len(values) else 0.0
