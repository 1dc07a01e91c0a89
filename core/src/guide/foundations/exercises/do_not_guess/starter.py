"""Keep some values, by asking of each."""

import numba
import numpy as np


@numba.njit
def kept(values: np.ndarray) -> np.ndarray:
    """Those of `values`, an array of uint8, that are 128 or more, in their order."""
    out = np.empty_like(values)
    count = 0
    for value in values:
        if value >= 128:
            out[count] = value
            count += 1
    return out[:count].copy()
