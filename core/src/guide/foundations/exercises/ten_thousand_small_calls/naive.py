"""Turn and shift points, one at a time."""

import numpy as np


def moved(points: np.ndarray, turn: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """What `turn @ p + shift` is for each row p of `points`, n x 3; a new array like it."""
    result = np.empty_like(points)
    for i in range(len(points)):
        result[i] = turn @ points[i] + shift
    return result
