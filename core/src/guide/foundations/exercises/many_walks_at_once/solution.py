"""Follow the entries, all walkers side by side."""

import numba
import numpy as np


@numba.njit
def ends(follow: np.ndarray, starts: np.ndarray, steps: int) -> np.ndarray:
    """Where each of `starts` is after `steps` steps through `follow`; int32."""
    at = starts.copy()
    for _ in range(steps):
        for walker in range(len(at)):  # no look-up here waits for another
            at[walker] = follow[at[walker]]
    return at
