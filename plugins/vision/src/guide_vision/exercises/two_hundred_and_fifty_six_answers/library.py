"""What numpy alone does with a table."""

import numpy as np


def brighten(frame: np.ndarray, gamma: float) -> np.ndarray:
    """Look each byte up."""
    table = np.rint(255 * (np.arange(256) / 255) ** (1 / gamma)).astype(np.uint8)
    return table[frame]
