"""What numpy has for it."""

import numpy as np


def kept(values: np.ndarray) -> np.ndarray:
    """Those of `values` that are 128 or more, in their order."""
    return values[values >= 128]
