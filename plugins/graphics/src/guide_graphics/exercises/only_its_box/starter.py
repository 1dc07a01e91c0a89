"""Triangles to pixels: every triangle asks every pixel."""

import numpy as np
from numba import njit


@njit
def rasterize(triangles: np.ndarray, width: int, height: int) -> np.ndarray:
    """The last triangle that covers each pixel, as (height, width) of int32; -1 where none does.

    Args:
        triangles: (n, 3, 2) of int64, x and y of three corners in 1/256 pixel; inside is positive.
        width: of the picture.
        height: of the picture; row 0 is the top, and y grows downwards.
    """
    ids = np.full((height, width), -1, np.int32)
    for number in range(len(triangles)):
        corner = triangles[number]
        for y in range(height):
            for x in range(width):
                inside = True
                for k in range(3):
                    ax, ay = corner[k, 0], corner[k, 1]
                    bx, by = corner[(k + 1) % 3, 0], corner[(k + 1) % 3, 1]
                    dx, dy = bx - ax, by - ay
                    e = dx * (256 * y - ay) - dy * (256 * x - ax)
                    owns = dy < 0 or (dy == 0 and dx > 0)  # a left or a top edge
                    inside = inside and (e > 0 or (e == 0 and owns))
                if inside:
                    ids[y, x] = number
    return ids
