"""Follow the entries, one walker after the other."""

import numba
import numpy as np


@numba.njit
def ends(follow: np.ndarray, starts: np.ndarray, steps: int) -> np.ndarray:
    """Where each of `starts` is after `steps` steps through `follow`; int32."""
    result = np.empty_like(starts)
    for walker in range(len(starts)):
        at = starts[walker]
        for _ in range(steps):
            at = follow[at]
        result[walker] = at
    return result
