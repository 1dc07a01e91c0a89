"""The mean over a window around each pixel, at the same cost for every radius."""

import numpy as np
import numpy.typing as npt
from numba import njit

Image = npt.NDArray[np.float32]


@njit
def box(image: Image, radius: int) -> Image:
    """Means over (2 * radius + 1) squared, cut off at the border; H x W of float32, as `image`."""
    height, width = image.shape
    out = np.empty((height, width), np.float32)
    # A sum for each column of the band of rows. In doubles: a float that has seen the lamp come
    # and go has forgotten the digits of everything else
    column = np.zeros(width, np.float64)
    for y in range(min(radius, height)):
        for x in range(width):
            column[x] += image[y, x]
    for y in range(height):
        top, bottom = max(y - radius, 0), min(y + radius + 1, height)
        if y + radius < height:  # the band moves down by one: a row comes ...
            for x in range(width):
                column[x] += image[y + radius, x]
        if y - radius > 0:  # ... and a row goes
            for x in range(width):
                column[x] -= image[y - radius - 1, x]
        total = 0.0
        for x in range(min(radius, width)):
            total += column[x]
        for x in range(width):  # and the window moves right by one, over sums that are there
            if x + radius < width:
                total += column[x + radius]
            if x - radius > 0:
                total -= column[x - radius - 1]
            left, right = max(x - radius, 0), min(x + radius + 1, width)
            out[y, x] = total / ((bottom - top) * (right - left))
    return out
