"""Keep some values, without asking."""

import numba
import numpy as np


@numba.njit
def kept(values: np.ndarray) -> np.ndarray:
    """Those of `values`, an array of uint8, that are 128 or more, in their order."""
    out = np.empty_like(values)
    count = 0
    for value in values:
        out[count] = value  # always; the next one overwrites what should not stay
        count += value >= 128
    return out[:count].copy()
