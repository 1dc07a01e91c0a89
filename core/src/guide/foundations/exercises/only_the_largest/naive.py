"""The largest few of many numbers, by sorting all."""

import numpy as np


def largest(values: np.ndarray, count: int) -> np.ndarray:
    """The `count` largest of `values` (float64), ascending; 1 <= count <= len(values)."""
    return np.sort(values)[-count:]
