"""Turn and shift points, all of them in one call."""

import numpy as np


def moved(points: np.ndarray, turn: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """What `turn @ p + shift` is for each row p of `points`, n x 3; a new array like it."""
    result = points @ turn.T  # rows instead of columns: (turn @ p).T is p.T @ turn.T
    result += shift
    return result
