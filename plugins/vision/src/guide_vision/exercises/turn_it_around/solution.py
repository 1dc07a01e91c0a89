"""Turn a picture by a quarter, a line of the cache at a time."""

import numpy as np
import numpy.typing as npt
from numba import njit

Image = npt.NDArray[np.uint8]

LINE = 64  # bytes that come and go together


@njit
def turn(image: Image) -> Image:
    """`image`, H x W, clockwise by a quarter: W x H."""
    height, width = image.shape
    out = np.empty((width, height), np.uint8)
    # A tile of the picture is 64 lines that all want the same eight places of the cache. In a block
    # of its own, 64 bytes from row to row, each has a place for itself
    block = np.empty((LINE, LINE), np.uint8)
    for top in range(0, height, LINE):
        rows = min(LINE, height - top)
        for left in range(0, width, LINE):
            columns = min(LINE, width - left)
            for y in range(rows):  # a line is read whole, once ...
                for x in range(columns):
                    block[x, rows - 1 - y] = image[top + y, left + x]
            start = height - top - rows
            for x in range(columns):  # ... and written whole, once
                for y in range(rows):
                    out[left + x, start + y] = block[x, y]
    return out
