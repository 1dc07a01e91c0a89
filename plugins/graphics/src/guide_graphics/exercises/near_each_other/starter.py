"""How many are near: every point asks every other."""

import numpy as np
from numba import njit


@njit
def neighbours(points: np.ndarray, radius: int) -> np.ndarray:
    """For each point, how many others are within `radius`, as (n,) of int32.

    Args:
        points: (n, 2) of int64, each coordinate from 0 to 65,535.
        radius: from 1 to 65,535.
    """
    count = len(points)
    found = np.zeros(count, np.int32)
    for i in range(count):
        for j in range(count):
            dx, dy = points[i, 0] - points[j, 0], points[i, 1] - points[j, 1]
            if i != j and dx * dx + dy * dy <= radius * radius:
                found[i] += 1
    return found
