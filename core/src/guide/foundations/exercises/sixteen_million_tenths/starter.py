"""Add up many numbers, one after the other."""

import numpy as np


def total(values: np.ndarray) -> float:
    """The sum of `values`, an array of float32."""
    if not len(values):
        return 0.0
    # cumsum adds strictly in order, each sum rounded before the next
    return float(np.cumsum(values, dtype=np.float32)[-1])
