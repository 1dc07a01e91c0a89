"""Add up many numbers as a tree."""

import numpy as np


def total(values: np.ndarray) -> float:
    """The sum of `values`, an array of float32."""
    # numpy's sum is pairwise: blocks of 128, eight sums at once, then halves of halves.
    return float(values.sum())
