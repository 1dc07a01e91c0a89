"""The largest few of many numbers, by putting them on one side."""

import numpy as np


def largest(values: np.ndarray, count: int) -> np.ndarray:
    """The `count` largest of `values` (float64), ascending; 1 <= count <= len(values)."""
    # Everything right of place -count is at least as large as what is there; in no order.
    return np.sort(np.partition(values, -count)[-count:])
