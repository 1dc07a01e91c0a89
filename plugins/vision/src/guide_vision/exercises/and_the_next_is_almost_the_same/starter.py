"""The mean over a window around each pixel."""

import numpy as np
import numpy.typing as npt
from numba import njit

Image = npt.NDArray[np.float32]


@njit
def box(image: Image, radius: int) -> Image:
    """Means over (2 * radius + 1) squared, cut off at the border; H x W of float32, as `image`."""
    height, width = image.shape
    out = np.empty((height, width), np.float32)
    for y in range(height):
        top, bottom = max(y - radius, 0), min(y + radius + 1, height)
        for x in range(width):
            left, right = max(x - radius, 0), min(x + radius + 1, width)
            total = 0.0
            for v in range(top, bottom):
                for u in range(left, right):
                    total += image[v, u]
            out[y, x] = total / ((bottom - top) * (right - left))
    return out
