"""Triangles to pixels: each in its box, by one addition a pixel and edge."""

import numpy as np
from numba import njit


@njit
def rasterize(triangles: np.ndarray, width: int, height: int) -> np.ndarray:
    """The last triangle that covers each pixel, as (height, width) of int32; -1 where none does."""
    ids = np.full((height, width), -1, np.int32)
    for number in range(len(triangles)):
        corner = triangles[number]
        x0, y0 = corner[0, 0], corner[0, 1]
        x1, y1 = corner[1, 0], corner[1, 1]
        x2, y2 = corner[2, 0], corner[2, 1]
        # The first sample at or after the border, the last at or before it, in the picture
        left, right = max((min(x0, x1, x2) + 255) >> 8, 0), min(max(x0, x1, x2) >> 8, width - 1)
        top, bottom = max((min(y0, y1, y2) + 255) >> 8, 0), min(max(y0, y1, y2) >> 8, height - 1)
        dx0, dy0, dx1, dy1, dx2, dy2 = x1 - x0, y1 - y0, x2 - x1, y2 - y1, x0 - x2, y0 - y2
        # The rule for ties goes into the number: what is not owned needs 1 at least
        px, py = 256 * left, 256 * top
        e0 = dx0 * (py - y0) - dy0 * (px - x0) - (0 if dy0 < 0 or (dy0 == 0 and dx0 > 0) else 1)
        e1 = dx1 * (py - y1) - dy1 * (px - x1) - (0 if dy1 < 0 or (dy1 == 0 and dx1 > 0) else 1)
        e2 = dx2 * (py - y2) - dy2 * (px - x2) - (0 if dy2 < 0 or (dy2 == 0 and dx2 > 0) else 1)
        for y in range(top, bottom + 1):
            a, b, c = e0, e1, e2
            for x in range(left, right + 1):
                if (a | b | c) >= 0:  # the sign bit of any of them is one of all
                    ids[y, x] = number
                a -= 256 * dy0
                b -= 256 * dy1
                c -= 256 * dy2
            e0 += 256 * dx0
            e1 += 256 * dx1
            e2 += 256 * dx2
    return ids
