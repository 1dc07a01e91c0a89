"""Turn a picture by a quarter."""

import numpy as np
import numpy.typing as npt
from numba import njit

Image = npt.NDArray[np.uint8]


@njit
def turn(image: Image) -> Image:
    """`image`, H x W, clockwise by a quarter: W x H."""
    height, width = image.shape
    out = np.empty((width, height), np.uint8)
    for y in range(height):
        for x in range(width):
            out[x, height - 1 - y] = image[y, x]
    return out
